import pg from 'pg';

import { decideBatch } from '../../../src/store/decide-batch';
import { gapReviewId } from '../../../src/store/gap-review';
import { resolveReview } from '../../../src/store/resolve-review';
import type { StoredReview } from '../../../src/core/review';
import { attachPostgres, startPostgres } from '../../support/embedded-postgres';
import { type FakeN8n, fakeN8n } from '../../support/fake-n8n';
import { endPostmaster } from '../../support/postgres-process';
import { STANDBY_SLOT, startStandby, type StandbyServer } from '../../support/standby-server';
import { openTcpRelay } from '../../support/tcp-relay';
import { type TriggerLab, withLab } from '../../support/trigger-lab';
import { waitUntil } from '../../support/wait-until';

/** A primary is lost, and a standby takes over under the same address. */

/** Each test has two servers of its own, and the machine may be busy. */
const TIMEOUT_MS = 180_000;

const GAP = gapReviewId({ policy: 'lab', system: 'crm' });

interface Pair {
	/** Everything in it goes by the address. */
	readonly lab: TriggerLab;
	readonly standby: StandbyServer;
	/** To the primary, past the address. */
	readonly primary: pg.Pool;
	/** The address leads nowhere. */
	cutOff(): Promise<void>;
	/** Kills the primary; from then on the address leads to the standby. */
	losePrimary(): Promise<void>;
}

async function withPair(work: (pair: Pair) => Promise<void>): Promise<void> {
	const server = await startPostgres({ version: 18 });
	const standby = await startStandby(server);
	const relay = await openTcpRelay(server.port);
	try {
		const address = attachPostgres({ ...server.record, port: relay.port });
		await withLab({ server: address, mode: 'live' }, async (lab) => {
			const primary = new pg.Pool({ ...lab.source.settings, port: server.port });
			primary.on('error', () => undefined);
			const cutOff = async (): Promise<void> => await relay.close();
			const losePrimary = async (): Promise<void> => {
				await cutOff();
				await server.kill();
				relay.leadTo(standby.port);
				await relay.reopen();
			};
			try {
				await work({ lab, standby, primary, cutOff, losePrimary });
			} finally {
				await primary.end();
			}
		});
	} finally {
		await relay.close();
		await standby.stop();
		await server.stop();
	}
}

/** Nobody decides or writes in here, so there are wakes as well. */
const changesOf = (n8n: FakeN8n) => n8n.events().filter(({ op }) => op !== 'w').map(({ op, key }) => [op, Number(key['id'])] as const);
const idsOf = ({ n8n }: TriggerLab): number[] => changesOf(n8n).map(([, id]) => id);
const insert = (...ids: number[]): string => `insert into customers values ${ids.map((id) => `(${id}, 'c${id}@x', 'note')`).join(', ')}`;

async function gapItem({ store }: TriggerLab): Promise<StoredReview | undefined> {
	return (await store.listReviews({ ids: [GAP], limit: 1 }))[0];
}

async function agree({ store }: TriggerLab): Promise<void> {
	const { token } = (await store.listReviews({ ids: [GAP], limit: 1 }))[0]!;
	await resolveReview(store, { review: GAP, token, by: 'test', choice: { kind: 'approve' } });
}

async function decideAll({ store }: TriggerLab): Promise<void> {
	const links = await store.scanLinks({ policy: 'lab', limit: 100 });
	await decideBatch(store, { policy: 'lab', links: links.map(({ state }) => state.id) });
}

test('with a failover slot the trigger goes on at the standby by itself: whatever that has comes once, and nothing else does', async () => {
	await withPair(async ({ lab, standby, primary, losePrimary }) => {
		await lab.start({ settings: { failover: true } });
		await lab.waitUntilReading();
		// Nothing is handed on before the standby has it.
		await lab.sql(`alter system set synchronized_standby_slots = '${STANDBY_SLOT}'`);
		await lab.sql('select pg_reload_conf()');
		await lab.sql(insert(1));
		await lab.waitUntilAcknowledged();
		await standby.syncSlot(lab.settings.slot);
		let isLost = false;
		const working = (async () => {
			for (let id = 2; !isLost; id += 1) await primary.query(insert(id)).catch(() => undefined);
		})();
		await waitUntil('some changes', () => idsOf(lab).length > 20);
		await losePrimary();
		isLost = true;
		await working;
		// A standby looks like a server that went back for as long as it has not taken over.
		await lab.n8n.waitForLog('is a standby, which has not taken over');
		await standby.promote();
		await waitUntil('a write', async () => await lab.sql(insert(1_000_000)).then(() => true, () => false));
		await waitUntil('that change', () => idsOf(lab).includes(1_000_000));
		const { rows } = await lab.source.pool.query<{ id: number }>('select id from customers order by id');
		expect(idsOf(lab)).toEqual(rows.map(({ id }) => id));
		await lab.waitUntilAcknowledged();
		expect({ timeline: (await lab.stream()).timeline, item: await gapItem(lab), errors: lab.n8n.errors, failures: lab.n8n.failures }).toEqual({ timeline: 2, item: undefined, errors: [], failures: [] });
	});
}, TIMEOUT_MS);

test('without one it halts and says what would have helped; once somebody agrees, what changed while nobody saw it is found', async () => {
	await withPair(async ({ lab, standby, primary, cutOff, losePrimary }) => {
		await lab.start();
		await lab.waitUntilReading();
		await lab.sql(insert(1, 2));
		await lab.waitUntilAcknowledged();
		await cutOff();
		await primary.query(`${insert(3)}; delete from customers where id = 2`);
		await standby.catchUp();
		await losePrimary();
		await standby.promote();
		const error = await waitUntil('the error', () => lab.n8n.errors[0]);
		expect(error.message).toMatch(/timeline 1 to 2: a standby took over.*There is no replication slot.*"Failover Slot"/);
		expect((await gapItem(lab))?.reason).not.toMatch(/older copy/);
		await agree(lab);
		const n8n = fakeN8n(lab.observing);
		await lab.start({ n8n });
		await lab.waitUntilReading();
		await lab.sql(insert(4));
		await waitUntil('the change', () => changesOf(n8n).some(([, id]) => id === 4));
		expect(changesOf(n8n)).toEqual([['d', 2], ['r', 1], ['r', 3], ['c', 4]]);
		expect(n8n.errors).toEqual([]);
	});
}, TIMEOUT_MS);

test('a standby that had not received everything is an older copy, slot or not: what was observed is written to it again', async () => {
	await withPair(async ({ lab, standby, losePrimary }) => {
		await lab.start({ settings: { failover: true } });
		await lab.waitUntilReading();
		await lab.sql(insert(1));
		await lab.waitUntilAcknowledged();
		await standby.syncSlot(lab.settings.slot);
		await standby.catchUp();
		// A process that is killed leaves its children to go on receiving for a moment.
		await endPostmaster(standby.record, 'SIGINT');
		await lab.sql(insert(2));
		await lab.waitUntilAcknowledged();
		await decideAll(lab);
		await losePrimary();
		await standby.restart();
		await standby.promote();
		const error = await waitUntil('the error', () => lab.n8n.errors[0]);
		expect(error.message).toMatch(/timeline 1 to 2.*had been observed, and it has nothing of that from/);
		expect((await gapItem(lab))?.reason).toMatch(/older copy/);
		await agree(lab);
		const n8n = fakeN8n(lab.observing);
		await lab.start({ n8n });
		await waitUntil('the rows', async () => {
			const { snapshot, timeline } = await lab.stream();
			return snapshot === 'done' && timeline === 2;
		});
		await decideAll(lab);
		const { links } = await lab.store.load({ policy: 'lab', keys: [{ system: 'crm', entity: 'customer', key: { id: '2' } }] });
		expect(links.map(({ state }) => state.inFlight['crm']?.kind)).toEqual(['insert']);
		expect(n8n.errors).toEqual([]);
	});
}, TIMEOUT_MS);
