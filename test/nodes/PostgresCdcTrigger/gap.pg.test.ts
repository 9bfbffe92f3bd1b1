import { gapReviewId } from '../../../src/store/gap-review';
import { SyncError } from '../../../src/core/errors';
import { observeBatch } from '../../../src/store/observe-batch';
import { decideBatch } from '../../../src/store/decide-batch';
import { resolveReview } from '../../../src/store/resolve-review';
import type { StoredReview } from '../../../src/core/review';
import { fakeN8n } from '../../support/fake-n8n';
import { LAB_POLICY, type TriggerLab, withLab } from '../../support/trigger-lab';
import { waitUntil } from '../../support/wait-until';

const GAP = gapReviewId({ policy: 'lab', system: 'crm' });
const ROWS = `insert into customers select n, 'c' || n || '@x', 'note ' || n from generate_series(1, 5) n;`;

/** A lab whose tables were read, with the workflow inactive again. */
async function withInactive(
	mode: 'first-contact' | 'live' | 'shadow',
	work: (lab: TriggerLab) => Promise<void>,
): Promise<void> {
	await withLab({ mode, setup: ROWS }, async (lab) => {
		const trigger = await lab.start();
		await lab.waitUntilReading();
		await lab.sql(`insert into customers values (6, 'six@x', null)`);
		await lab.waitUntilAcknowledged();
		await trigger.close();
		await work(lab);
	});
}

const dropSlot = async (lab: TriggerLab): Promise<void> =>
	await lab.sql(`select pg_drop_replication_slot('${lab.settings.slot}')`);

async function gapItem(lab: TriggerLab): Promise<StoredReview | undefined> {
	return (await lab.store.listReviews({ ids: [GAP], limit: 1 }))[0];
}

async function agree(lab: TriggerLab): Promise<void> {
	const { token } = (await gapItem(lab))!;
	await resolveReview(lab.store, { review: GAP, token, by: 'test', choice: { kind: 'retry' } });
}

test('a slot that vanished while nobody looked halts the trigger, each time, and asks a person', async () => {
	await withInactive('live', async (lab) => {
		await dropSlot(lab);
		for (let attempt = 1; attempt <= 2; attempt += 1) {
			await expect(lab.start()).rejects.toMatchObject({
				message: expect.stringContaining(`There is no replication slot "${lab.settings.slot}"`),
				description: new SyncError('CHANGES_MISSING', '').remedy,
			});
		}
		expect(await lab.slot()).toBeNull();
		expect(await gapItem(lab)).toMatchObject({ kind: 'approval', state: 'open' });
	});
});

test('a slot that was made anew, and so misses what came before it, halts too', async () => {
	await withInactive('live', async (lab) => {
		await dropSlot(lab);
		await lab.sql(`insert into customers values (7, 'missed@x', null)`);
		await lab.sql(`select pg_create_logical_replication_slot('${lab.settings.slot}', 'pgoutput')`);
		await expect(lab.start()).rejects.toThrow(/somebody else read from it, or made it anew/);
	});
});

test('a slot from which somebody else took changes halts too', async () => {
	await withInactive('live', async (lab) => {
		await lab.sql(`insert into customers values (7, 'taken@x', null)`);
		await lab.sql(
			`select count(*) from pg_logical_slot_get_binary_changes('${lab.settings.slot}', null, null, 'proto_version', '1', 'publication_names', 'lab')`,
		);
		await expect(lab.start()).rejects.toThrow(/somebody else read from it/);
	});
});

test('once a person agrees, all rows are read anew: changes and deletes of the gap are found', async () => {
	await withInactive('shadow', async (lab) => {
		await dropSlot(lab);
		await lab.sql(
			`delete from customers where id = 2; update customers set note = 'missed' where id = 3`,
		);
		await expect(lab.start()).rejects.toThrow(/may be missing/);
		await agree(lab);
		const n8n = fakeN8n(lab.observing);
		await lab.start({ n8n });
		await waitUntil('the read', async () => (await lab.stream()).snapshot === 'done');
		await lab.waitUntilReading();
		const found = n8n.events().filter(({ op }) => op !== 'w');
		expect(found.map(({ op, key }) => [op, key['id']])).toEqual([
			['d', '2'],
			['r', '1'],
			['r', '3'],
			['r', '4'],
			['r', '5'],
			['r', '6'],
		]);
		// What the policy may write is not what was agreed to.
		expect((await lab.store.load({ policy: 'lab' })).policy?.mode).toBe('shadow');
		expect((await gapItem(lab))?.state).toBe('resolved');
	});
});

test('when needed, rows are read again without asking, but not twice within an hour, and not from a server that may be another', async () => {
	await withInactive('shadow', async (lab) => {
		const source = { readsAfterGap: true };
		await dropSlot(lab);
		await lab.sql(`delete from customers where id = 2; update customers set note = 'missed' where id = 3`);
		const n8n = fakeN8n(lab.observing);
		const again = await lab.start({ n8n, source });
		await lab.waitUntilReading();
		expect(n8n.events().filter(({ op }) => op !== 'w').map(({ op, key }) => [op, key['id']])).toEqual([['d', '2'], ['r', '1'], ['r', '3'], ['r', '4'], ['r', '5'], ['r', '6']]);
		expect(n8n.logs.join('\n')).toContain('all rows of crm are read anew');
		expect(await gapItem(lab)).toMatchObject({ state: 'resolved', closedBy: 'Existing Rows: When Needed' });
		await again.close();
		await dropSlot(lab);
		await expect(lab.start({ source })).rejects.toThrow(/may be missing/);
		expect((await gapItem(lab))?.state).toBe('open');
	});
	await withInactive('shadow', async (lab) => {
		await lab.store.registerStream({ ...(await lab.stream()), systemId: '1' });
		await expect(lab.start({ source: { readsAfterGap: true } })).rejects.toThrow(/Another server/);
		expect((await gapItem(lab))?.state).toBe('open');
	});
});

test('an agreement does not hold for the next gap', async () => {
	await withInactive('shadow', async (lab) => {
		await dropSlot(lab);
		await expect(lab.start()).rejects.toThrow(/may be missing/);
		await agree(lab);
		const again = await lab.start();
		await lab.waitUntilReading();
		await again.close();
		await dropSlot(lab);
		await expect(lab.start()).rejects.toThrow(/may be missing/);
		expect((await gapItem(lab))?.state).toBe('open');
	});
});

test('a write whose echo was lost in the gap does not hold its record up for ever', async () => {
	await withInactive('live', async (lab) => {
		const key = { system: 'crm', entity: 'customer', key: { id: '1' } };
		const [link] = (await lab.store.load({ policy: 'lab', keys: [key] })).links;
		const { id } = link!.state;
		// billing has another note and wins, so an operation to crm is in flight when the slot goes.
		await lab.store.registerStream({
			...(await lab.stream()),
			system: 'billing',
			slot: 'billing',
			start: '00000000/00000010:00000000',
		});
		await lab.publish(LAB_POLICY.replace('prefer(crm)', 'prefer(billing)'));
		await observeBatch(lab.store, 'lab', [
			{
				changeId: 'billing:1',
				system: 'billing',
				entity: 'customer',
				op: 'c',
				key: { account_no: '91' },
				before: null,
				after: { account_no: '91', contact_email: 'c1@x', memo: 'from billing' },
				unchanged: [],
				source: {
					connector: 'postgresql',
					position: '00000000/00000020:00000000',
					prev: '00000000/00000010:00000000',
					tsMs: 0,
					txId: '1',
					snapshot: false,
				},
				marker: null,
				bisync: {},
			},
		]);
		await decideBatch(lab.store, { policy: 'lab', links: [id] });
		const inFlight = async () =>
			Object.keys((await lab.store.load({ policy: 'lab', links: [id] })).links[0]!.state.inFlight);
		expect(await inFlight()).toContain('crm');
		await dropSlot(lab);
		await expect(lab.start()).rejects.toThrow(/may be missing/);
		await agree(lab);
		await lab.start({ n8n: fakeN8n(lab.observing) });
		await waitUntil('the operation to be settled', async () => !(await inFlight()).includes('crm'));
	});
});

test('a table that leaves the policy leaves without a stop', async () => {
	await withLab({ mode: 'live' }, async (lab) => {
		await lab.start();
		await lab.waitUntilReading();
		const { filterHash } = await lab.stream();
		await lab.publish(LAB_POLICY.replace(/ {2}order:[\s\S]*$/, ''));
		await waitUntil(
			'the new registration',
			async () => (await lab.stream()).filterHash !== filterHash,
		);
		await lab.sql(
			`insert into orders values (1, 'x'); insert into customers values (9, 'n@x', null)`,
		);
		await lab.waitUntilAcknowledged();
		expect(
			lab.n8n
				.events()
				.filter(({ op }) => op === 'c')
				.map(({ entity }) => entity),
		).toEqual(['customer']);
		expect(lab.n8n.errors).toEqual([]);
	});
});
