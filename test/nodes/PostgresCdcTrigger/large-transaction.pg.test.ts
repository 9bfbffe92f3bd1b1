import { fakeN8n } from '../../support/fake-n8n';
import { type TriggerLab, withLab } from '../../support/trigger-lab';
import { waitUntil } from '../../support/wait-until';

const ROWS = 230;
/** Some 9 MiB, more than is kept in memory. */
const INSERT = `insert into customers select n, n || '@x', repeat('x', 40000) from generate_series(1, ${ROWS}) n`;
const PARTS = { settings: { maxChanges: 60 } };

const sizes = (lab: TriggerLab): number[] => lab.n8n.runs.map(({ events }) => events.length);
const confirmed = async (lab: TriggerLab): Promise<bigint> => (await lab.slot())?.confirmedLsn ?? 0n;

async function observedIds(lab: TriggerLab): Promise<number[]> {
	const links = await lab.store.scanLinks({ policy: 'lab', entity: 'customer', limit: 10_000 });
	return links.map(({ state }) => Number(state.keys['crm']?.['id'])).sort((a, b) => a - b);
}

const everyRow = Array.from({ length: ROWS }, (_, at) => at + 1);

test('a transaction that is too large for memory comes in parts, and is acknowledged when the last one was observed', async () => {
	await withLab({}, async (lab) => {
		await lab.start(PARTS);
		await lab.waitUntilReading();
		await lab.waitUntilAcknowledged();
		const before = await confirmed(lab);
		const during: bigint[] = [];
		lab.n8n.workflow = async (events) => {
			during.push(await confirmed(lab));
			return await lab.observing(events);
		};
		await lab.sql(INSERT);
		await lab.sql(`insert into customers values (${ROWS + 1}, 'last@x', null)`);
		await lab.waitUntilAcknowledged();
		expect(sizes(lab)).toEqual([60, 60, 60, 50, 1]);
		// An idle moment before it may have been acknowledged; nothing of the transaction itself.
		const { rows } = await lab.source.pool.query<{ late: number }>(`select count(*)::int as late from unnest($1::numeric[]) at where at > $2`, [
			during.slice(0, 4).map(String),
			String(await lastCommit(lab, before)),
		]);
		expect(rows[0]?.late).toBe(0);
		expect(await observedIds(lab)).toEqual([...everyRow, ROWS + 1]);
		expect(lab.n8n.events().every(({ source }, at, all) => at === 0 || source.prev === all[at - 1]?.source.position)).toBe(true);
	});
});

/** Where the large transaction begins to be committed. */
async function lastCommit(lab: TriggerLab, before: bigint): Promise<bigint> {
	const [first] = lab.n8n.events();
	const [high = '0', low = '0'] = (first?.source['commitLsn'] as string).split('/');
	const commit = (BigInt(`0x${high}`) << 32n) | BigInt(`0x${low}`);
	expect(commit).toBeGreaterThanOrEqual(before);
	return commit;
}

test('killed in the middle of such a transaction, a trigger that starts again goes on with the part that is missing', async () => {
	await withLab({}, async (lab) => {
		await lab.start(PARTS);
		await lab.waitUntilReading();
		// This n8n dies with the second part: half of that has been observed.
		lab.n8n.workflow = async (events) => {
			if (lab.n8n.runs.length === 1) return await lab.observing(events);
			await lab.observing(events.slice(0, 23));
			return await new Promise(() => undefined);
		};
		await lab.sql(INSERT);
		await waitUntil('half of the second part', async () => (await observedIds(lab)).length === 83);
		await lab.source.pool.query('select pg_terminate_backend(active_pid) from pg_replication_slots where slot_name = $1', [lab.settings.slot]);
		const again = fakeN8n(lab.observing);
		await lab.start({ n8n: again, settings: { maxChanges: 100 } });
		await lab.waitUntilAcknowledged();
		expect(again.events().map(({ key }) => Number(key['id']))).toEqual(everyRow.slice(83));
		expect(await observedIds(lab)).toEqual(everyRow);
	});
});

test('a mass delete is judged by the whole transaction, also when a part has fewer deletes than the policy lets through', async () => {
	await withLab({}, async (lab) => {
		const first = await lab.start(PARTS);
		await lab.waitUntilReading();
		await lab.sql(INSERT);
		await lab.waitUntilAcknowledged();
		await first.close();
		await lab.start({ settings: { maxChanges: 40 } });
		const before = lab.n8n.runs.length;
		await lab.sql('delete from customers');
		await waitUntil('parts with deletes', () => lab.n8n.runs.length > before);
		const items = await waitUntil('the question', async () => {
			const open = await lab.store.listReviews({ policy: 'lab', state: 'open', limit: 10 });
			const mass = open.filter(({ id }) => id.startsWith('mass-delete'));
			return mass.length > 0 && mass;
		});
		expect(items).toHaveLength(1);
		expect(items[0]?.reason).toContain(`deleted ${ROWS} records`);
		expect(lab.n8n.runs[before]?.events.length).toBe(40);
	});
});
