import { EXISTENCE, existsIn } from '../../src/core/link';
import { StoreLab } from '../support/store-lab';

beforeAll(() => void jest.spyOn(Math, 'random').mockReturnValue(0));
afterAll(() => void jest.restoreAllMocks());

/** Both systems hold Ann, who is number 1 in crm and has a note of her own. */
async function withAnn(conflict = 'review', systems?: readonly string[]): Promise<StoreLab> {
	const lab = await StoreLab.open({ deletes: { conflict } }, systems);
	await lab.observe(lab.insert('crm', { id: '1', ref: 'ann', note: 'about Ann' }));
	await lab.pump();
	return lab;
}

const people = (lab: StoreLab, system: string): unknown[] => Object.values(lab.rows[system] ?? {}).map(({ ref, note }) => [ref, note]);
const annIn = (lab: StoreLab, system: string): string =>
	Object.entries(lab.rows[system] ?? {}).find(([, { ref }]) => ref === 'ann')?.[0] ?? '';

describe('a key that is used again by another record', () => {
	test('makes a second generation: the old row goes, a new one comes, and nothing of the old one is in it', async () => {
		const lab = await withAnn();
		await lab.observe(lab.delete('crm', '1'));
		await lab.observe(lab.insert('crm', { id: '1', ref: 'bob', note: null }));
		const ops = await lab.pump();
		expect(ops.map(({ kind }) => kind).sort()).toEqual(['delete', 'insert']);
		expect(people(lab, 'billing')).toEqual([['bob', null]]);
		expect(lab.linkOf('crm', '1')).toMatchObject({ generation: 2 });
		expect(JSON.stringify(lab.linkOf('crm', '1'))).not.toContain('Ann');
		expect(await lab.openReviews()).toEqual([]);
	});

	test('is the new record’s however late the old one’s delete arrives in the other system', async () => {
		const lab = await withAnn();
		await lab.observe(lab.delete('crm', '1'));
		const [gone] = await lab.decide();
		await lab.observe(lab.insert('crm', { id: '1', ref: 'bob', note: 'about Bob' }));
		await lab.observe(lab.update('crm', '1', { note: 'more about Bob' }));
		if (gone) await lab.apply(gone);
		await lab.pump();
		expect(people(lab, 'billing')).toEqual([['bob', 'more about Bob']]);
		expect(people(lab, 'crm')).toEqual([['bob', 'more about Bob']]);
	});

	test('under "update-wins" brings the old record back under a key of its own', async () => {
		const lab = await withAnn('update-wins');
		await lab.observe(lab.update('billing', annIn(lab, 'billing'), { note: 'unseen' }));
		await lab.observe(lab.delete('crm', '1'));
		await lab.observe(lab.insert('crm', { id: '1', ref: 'bob', note: 'about Bob' }));
		await lab.pump();
		const both = [['ann', 'unseen'], ['bob', 'about Bob']];
		expect(people(lab, 'billing').sort()).toEqual(both);
		expect(people(lab, 'crm').sort()).toEqual(both);
		expect(annIn(lab, 'crm')).not.toBe('1');
	});

	test('is used again as often as one likes', async () => {
		const lab = await withAnn();
		for (const name of ['bob', 'cleo', 'dan']) {
			await lab.observe(lab.delete('crm', '1'));
			await lab.observe(lab.insert('crm', { id: '1', ref: name, note: name }));
		}
		await lab.pump();
		expect(people(lab, 'billing')).toEqual([['dan', 'dan']]);
		expect(lab.linkOf('crm', '1').generation).toBe(4);
		expect(lab.links().every(({ due }) => !due)).toBe(true);
	});
});

describe('what identified a record that is deleted', () => {
	test('may identify another one: it is not the old record come back', async () => {
		const lab = await withAnn();
		await lab.observe(lab.delete('crm', '1'));
		const old = lab.links()[0]?.state.id;
		await lab.observe(lab.insert('crm', { id: '2', ref: 'ann', note: null }));
		expect(lab.linkOf('crm', '2').id).not.toBe(old);
		await lab.pump();
		expect(people(lab, 'billing')).toEqual([['ann', null]]);
	});

	test('may do so after the record is gone everywhere', async () => {
		const lab = await withAnn();
		await lab.observe(lab.delete('crm', '1'));
		await lab.pump();
		await lab.observe(lab.insert('billing', { id: '7', ref: 'ann', note: 'another Ann' }));
		await lab.pump();
		expect(people(lab, 'crm')).toEqual([['ann', 'another Ann']]);
		expect(lab.links()).toHaveLength(2);
	});

	test('leads back to the record while its delete is disputed', async () => {
		const lab = await withAnn();
		await lab.observe(lab.update('billing', annIn(lab, 'billing'), { note: 'unseen' }));
		await lab.observe(lab.delete('crm', '1'));
		await lab.pump();
		expect(await lab.openReviews()).toMatchObject([{ kind: 'conflict', fields: [EXISTENCE] }]);
		await lab.observe(lab.insert('crm', { id: '2', ref: 'ann', note: 'unseen' }));
		await lab.pump();
		expect(await lab.openReviews()).toEqual([]);
		expect(lab.links()).toHaveLength(1);
		expect(people(lab, 'billing')).toEqual([['ann', 'unseen']]);
	});
});

describe('a record that is gone', () => {
	test('is not made again by anything that is delivered late', async () => {
		const lab = await withAnn();
		const events = [lab.update('crm', '1', { note: 'a' }), lab.update('crm', '1', { note: 'b' })];
		for (const event of events) await lab.observe(event);
		await lab.observe(lab.delete('crm', '1'));
		await lab.pump();
		for (const event of events) expect(await lab.observe(event)).toEqual(['duplicate']);
		expect(await lab.pump()).toEqual([]);
		expect(lab.rows).toEqual({ crm: {}, billing: {} });
		expect(lab.links().map(({ state }) => existsIn(state, 'crm'))).toEqual([false]);
	});

	test('of three systems is gone in all, whoever began', async () => {
		const systems = ['crm', 'billing', 'shop'];
		for (const system of systems) {
			const lab = await withAnn('review', systems);
			await lab.observe(lab.delete(system, annIn(lab, system)));
			expect(await lab.pump()).toHaveLength(2);
			expect(Object.values(lab.rows)).toEqual([{}, {}, {}]);
		}
	});
});
