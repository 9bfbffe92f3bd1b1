import { gapReviewId } from '../../../src/store/gap-review';
import { lineageOf } from '../../../src/core/position';
import { decideBatch } from '../../../src/store/decide-batch';
import { resolveReview } from '../../../src/store/resolve-review';
import type { LoadedLink } from '../../../src/store/sync-store';
import { startPostgres } from '../../support/embedded-postgres';
import { fakeN8n } from '../../support/fake-n8n';
import { keepCopy, putBack } from '../../support/put-back';
import { type TriggerLab, withLab } from '../../support/trigger-lab';
import { waitUntil } from '../../support/wait-until';

const GAP = gapReviewId({ policy: 'lab', system: 'crm' });

async function linkOf(lab: TriggerLab, id: string): Promise<LoadedLink['state'] | undefined> {
	const { links } = await lab.store.load({ policy: 'lab', keys: [{ system: 'crm', entity: 'customer', key: { id } }] });
	return links[0]?.state;
}

async function decideAll(lab: TriggerLab): Promise<void> {
	const links = await lab.store.scanLinks({ policy: 'lab', limit: 100 });
	await decideBatch(lab.store, { policy: 'lab', links: links.map(({ state }) => state.id) });
}

/** A server that is copied, used, and put back; the trigger has stopped, and everybody decided. */
async function withRestored(asStandby: boolean, work: (lab: TriggerLab) => Promise<void>): Promise<void> {
	const server = await startPostgres({ version: 18, settings: { fsync: true, full_page_writes: true } });
	try {
		const setup = `insert into customers select n, 'c' || n || '@x', 'old' from generate_series(1, 3) n;`;
		await withLab({ server, mode: 'live', setup }, async (lab) => {
			const first = await lab.start();
			await lab.waitUntilReading();
			await lab.waitUntilAcknowledged();
			await first.close();
			lab.source.pool.on('error', () => undefined);
			await keepCopy(server);
			const second = await lab.start();
			await lab.waitUntilReading();
			await lab.sql(`update customers set note = 'of today' where id = 1; insert into customers values (4, 'c4@x', 'young');
				delete from customers where id = 3`);
			await lab.waitUntilAcknowledged();
			await second.close();
			await decideAll(lab);
			await putBack(server, { asStandby });
			await work(lab);
		});
	} finally {
		await server.stop();
	}
}

test.each([
	['a server that goes back to a copy of its files', false, /restored from a copy/],
	['a recovery that ends on a new timeline', true, /timeline 1 to 2/],
])('%s halts the trigger; once somebody agrees its rows are behind, and its log is read on', async (_, asStandby, what) => {
	await withRestored(asStandby, async (lab) => {
		// An edit of somebody who does not know.
		await lab.sql(`update customers set note = 'edited' where id = 2`);
		await expect(lab.start()).rejects.toThrow(what);
		const [item] = await lab.store.listReviews({ ids: [GAP], limit: 1 });
		expect(item?.reason).toMatch(/older copy/);
		await resolveReview(lab.store, { review: GAP, token: item!.token, by: 'test', choice: { kind: 'approve' } });
		const n8n = fakeN8n(lab.observing);
		await lab.start({ n8n });
		await waitUntil('the rows', async () => {
			const { position, snapshot } = await lab.stream();
			return lineageOf(position) === 1 && snapshot === 'done';
		});
		await decideAll(lab);
		expect((await linkOf(lab, '1'))?.inFlight['crm']).toMatchObject({ kind: 'update', fields: { note: { expected: 'old', next: 'of today' } } });
		expect((await linkOf(lab, '4'))?.inFlight['crm']).toMatchObject({ kind: 'insert' });
		expect((await linkOf(lab, '3'))?.inFlight['crm']).toMatchObject({ kind: 'delete' });
		// This value the system had never shown: it is somebody's edit.
		expect((await linkOf(lab, '2'))?.fields['note']?.merged?.canon).toBe('edited');
		await lab.sql(`update customers set note = 'later' where id = 2`);
		await lab.waitUntilAcknowledged();
		await waitUntil('the change', async () => (await linkOf(lab, '2'))?.fields['note']?.views['crm']?.canon === 'later');
		expect(lineageOf((await lab.stream()).position)).toBe(1);
		expect(n8n.errors).toEqual([]);
	});
}, 180_000);
