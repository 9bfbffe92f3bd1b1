import { compareSystems, type Comparison } from '../../nodes/ReconcileDiff/compare-systems';
import type { RowSource } from '../../nodes/ReconcileDiff/row-source';
import type { ChangeEvent } from '../../src/core/change-event';
import { SIMULATED_ENTITY, SIMULATED_POLICY } from '../support/simulated-policy';
import { StoreLab } from '../support/store-lab';

/** The rows as they are now; what happens before they are handed over is up to the caller. */
function sourceOf(lab: StoreLab, system: string, meanwhile: () => Promise<void> = async () => undefined): RowSource {
	const keyOf = ({ id = '' }: Readonly<Record<string, unknown>>): string => String(id);
	const place = lab.read(system, '');
	const before = (place.source.position ?? '').slice(0, -5);
	let index = 50_000;
	const gone = (key: ChangeEvent['key']): ChangeEvent => ({ ...place, key, op: 'd', after: null, source: { ...place.source, position: `${before}${(index += 1)}` } });
	const all = Object.keys(lab.rows[system] ?? {}).map((id) => lab.read(system, id));
	return {
		system,
		lsn: '0/0',
		async *rows() {
			await meanwhile();
			yield all;
		},
		async read(_entity, keys) {
			const reads = keys.map((key) => lab.read(system, keyOf(key)));
			await meanwhile();
			return reads;
		},
		missing: async (_entity, keys) => keys.flatMap((key) => (all.some((event) => event.key['id'] === key['id']) ? [] : [gone({ ...key })])),
		close: async () => undefined,
	};
}

async function withRecords(...ids: string[]): Promise<StoreLab> {
	const lab = await StoreLab.open();
	for (const id of ids) await lab.observe(lab.insert('crm', { id, ref: `r${id}`, note: 'n' }));
	await lab.pump();
	return lab;
}

async function compare(lab: StoreLab, sides: readonly RowSource[], later = sourceOf): Promise<Comparison> {
	const { policy: published } = await lab.store.load({ policy: SIMULATED_POLICY });
	if (!published) throw new Error('there is no policy');
	return await compareSystems({ store: lab.store, published, sides, entities: [SIMULATED_ENTITY], later: async (system) => later(lab, system) });
}

const summed = ({ found, stillChanging }: Comparison): unknown => [found.map(({ difference }) => difference.fields.map(({ field }) => field)), stillChanging.length];

test('what changes between the reading and the looking is looked at again, and found equal', async () => {
	const lab = await withRecords('1', '2', '3', '4');
	const meanwhile = async (): Promise<void> => {
		await lab.observe(lab.update('crm', '1', { note: 'edited' }));
		await lab.observe(lab.delete('crm', '2'));
		await lab.observe(lab.insert('crm', { id: '9', ref: 'r9', note: 'n' }));
		const { '3': row = {} } = lab.rows['crm'] ?? {};
		lab.drift('crm', '3', null);
		await lab.observe({ ...lab.update('crm', '33', { ...row, id: '33' }), before: { ...row } });
		await lab.pump();
	};
	const billing = sourceOf(lab, 'billing');
	expect(summed(await compare(lab, [sourceOf(lab, 'crm', meanwhile), billing]))).toEqual([[], 0]);
});

test('a row that gets another key while it is looked at again is no difference', async () => {
	const lab = await withRecords('1');
	const edited = sourceOf(lab, 'crm', async () => {
		await lab.observe(lab.update('crm', '1', { note: 'edited' }));
		await lab.pump();
	});
	let key = 1;
	const renaming = (_lab: StoreLab, system: string): RowSource =>
		sourceOf(lab, system, async () => {
			const { [key]: row = {} } = lab.rows['crm'] ?? {};
			lab.drift('crm', String(key), null);
			await lab.observe({ ...lab.update('crm', String((key += 1)), { ...row, id: String(key) }), before: { ...row } });
		});
	expect(summed(await compare(lab, [edited, sourceOf(lab, 'billing')], renaming))).toEqual([[], 0]);
	expect(key).toBeGreaterThan(2);
});

test('what is being written to each time is listed as such, and is no difference', async () => {
	const lab = await withRecords('1');
	await lab.observe(lab.update('crm', '1', { note: 'edited' }));
	await lab.decide();
	const [id = ''] = Object.keys(lab.rows['billing'] ?? {});
	lab.drift('billing', id, { note: 'drift' });
	expect(summed(await compare(lab, [sourceOf(lab, 'crm'), sourceOf(lab, 'billing')]))).toEqual([[], 1]);
}, 15_000);

test('finds what differs in either system, each record once', async () => {
	const lab = await withRecords('1', '2', '3');
	const [first = '', second = ''] = Object.keys(lab.rows['billing'] ?? {});
	lab.drift('crm', '1', { note: 'a' });
	lab.drift('billing', first, { note: 'b', ref: 'c' });
	lab.drift('billing', second, null);
	lab.drift('crm', '7', { ref: 'r7' });
	const result = await compare(lab, [sourceOf(lab, 'crm'), sourceOf(lab, 'billing')]);
	expect(result.found.map(({ reads, newRows }) => [reads, newRows].map((events: readonly ChangeEvent[]) => events.map(({ system, op }) => `${system} ${op}`)))).toEqual(
		expect.arrayContaining([[['crm r', 'billing r'], []], [['billing d'], []], [[], ['crm r']]]),
	);
	expect(result).toMatchObject({ stillChanging: [], links: 3, rows: { customer: { crm: 4, billing: 2 } } });
});
