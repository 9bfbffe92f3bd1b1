import type { ChangeEvent } from '../../src/core/change-event';
import type { Json } from '../../src/core/canonical-json';
import { EXISTENCE } from '../../src/core/link';
import { resolveReview, resolveReviews } from '../../src/store/resolve-review';
import { observeBatch } from '../../src/store/observe-batch';
import { inOneTransaction } from '../support/link-story';
import { SIMULATED_POLICY } from '../support/simulated-policy';
import { StoreLab } from '../support/store-lab';

beforeAll(() => void jest.spyOn(Math, 'random').mockReturnValue(0));
afterAll(() => void jest.restoreAllMocks());

const idOf = (system: string, index: number): string => `${system}-${index}`;

/** So many records, which both systems hold, under a policy that lets few deletes through. */
async function linked(count: number, massDelete: Json = { rows: 2 }): Promise<StoreLab> {
	const lab = await StoreLab.open({ deletes: { massDelete } });
	for (const system of lab.systems) {
		const rows = [...Array(count).keys()].map((index) => lab.insert(system, { id: idOf(system, index), ref: `r${index}`, note: 'x' }));
		await lab.observe(...rows);
	}
	expect(await lab.pump()).toEqual([]);
	return lab;
}

function deletesOf(lab: StoreLab, count: number, system = 'crm'): ChangeEvent[] {
	return Object.keys(lab.rows[system] ?? {}).slice(0, count).map((id) => lab.delete(system, id));
}

const rowsIn = (lab: StoreLab, system: string): number => Object.keys(lab.rows[system] ?? {}).length;

describe('more deletes in one transaction than the policy lets through', () => {
	test.each<[string, Json, number, number, boolean]>([
		['as many rows as the limit go by themselves', { rows: 3 }, 10, 3, false],
		['one more waits', { rows: 3 }, 10, 4, true],
		['as large a share as the limit goes by itself', { percent: 50 }, 4, 2, false],
		['a larger one waits', { percent: 50 }, 4, 3, true],
		['a single delete never waits, whatever share it is', { percent: 1, rows: 1 }, 1, 1, false],
		['of two limits the rows are enough', { rows: 2, percent: 90 }, 10, 3, true],
		['of two limits the share is enough', { rows: 100, percent: 20 }, 10, 3, true],
		['without limits nothing waits', { rows: null }, 4, 4, false],
	])('%s', async (_, ...[limits, records, deletes, waits]) => {
		const lab = await linked(records, limits);
		await lab.observe(...deletesOf(lab, deletes));
		await lab.pump();
		expect(await lab.openReviews()).toHaveLength(waits ? 1 : 0);
		expect(rowsIn(lab, 'billing')).toBe(waits ? records : records - deletes);
	});

	test('are counted per transaction: the same many one by one go by themselves', async () => {
		const lab = await linked(5);
		for (const event of deletesOf(lab, 5)) await lab.observe(event);
		await lab.pump();
		expect(await lab.openReviews()).toEqual([]);
		expect(rowsIn(lab, 'billing')).toBe(0);
	});

	test('are counted without those of a record that is made again in the same transaction', async () => {
		const lab = await linked(5);
		const deletes = deletesOf(lab, 3);
		const again = lab.insert('crm', { id: idOf('crm', 0), ref: 'r0', note: 'y' });
		await lab.observe(...deletes, again);
		expect(await lab.openReviews()).toEqual([]);
	});

	test('are not our own: what we delete in one transaction waits for nobody', async () => {
		const lab = await linked(5);
		for (const event of deletesOf(lab, 5)) await lab.observe(event);
		const ops = await lab.decide();
		const echoes: ChangeEvent[] = [];
		for (const op of ops) echoes.push(await lab.carryOut(op));
		await lab.observe(...echoes);
		expect(echoes).toHaveLength(5);
		expect(await lab.openReviews()).toEqual([]);
		expect(await lab.decide()).toEqual([]);
	});

	test('are one item, which names no value', async () => {
		const lab = await linked(5);
		await lab.observe(...deletesOf(lab, 4));
		const [item] = await lab.openReviews();
		expect(item).toMatchObject({
			kind: 'approval',
			link: null,
			entity: 'customer',
			reason: 'crm deleted 4 records of customer in one transaction; they stay in the other systems until a person has approved',
		});
		expect(await lab.decide()).toEqual([]);
		for (const { state } of lab.links()) {
			const isHeld = state.fields[EXISTENCE]?.frozen?.review === item?.id;
			expect(isHeld).toBe(state.fields[EXISTENCE]?.views['crm']?.canon === false);
		}
	});

	test('are one item however often they are delivered, also when they come with others', async () => {
		const lab = await linked(5);
		const events = inOneTransaction(...deletesOf(lab, 4));
		await observeBatch(lab.store, SIMULATED_POLICY, events);
		const before = lab.links();
		await observeBatch(lab.store, SIMULATED_POLICY, events);
		expect(await lab.openReviews()).toHaveLength(1);
		expect(lab.links()).toEqual(before);
		const other = lab.insert('crm', { id: 'new', ref: 'new', note: '' });
		await observeBatch(lab.store, SIMULATED_POLICY, [...events, other]);
		expect(await lab.openReviews()).toHaveLength(1);
	});

	test('open no second item when they are delivered after the answer', async () => {
		const lab = await linked(5);
		const events = inOneTransaction(...deletesOf(lab, 4));
		await observeBatch(lab.store, SIMULATED_POLICY, events);
		await lab.resolve({ kind: 'approve' });
		await observeBatch(lab.store, SIMULATED_POLICY, events);
		expect(await lab.openReviews()).toEqual([]);
	});

	test('of another transaction are another item', async () => {
		const lab = await linked(8);
		await lab.observe(...deletesOf(lab, 4));
		await lab.observe(...deletesOf(lab, 4));
		expect(await lab.openReviews()).toHaveLength(2);
	});

	test('hold up no other record, nor the other fields of those that wait', async () => {
		const lab = await linked(5);
		await lab.observe(...deletesOf(lab, 4));
		await lab.observe(lab.update('crm', idOf('crm', 4), { note: 'goes on' }));
		expect(await lab.pump()).toMatchObject([{ system: 'billing', kind: 'update', fields: { note: { next: 'goes on' } } }]);
	});
});

describe('approving', () => {
	test('lets all of them go, and closes the item', async () => {
		const lab = await linked(5);
		await lab.observe(...deletesOf(lab, 4));
		expect(await lab.resolve({ kind: 'approve' })).toMatchObject({ kind: 'approval' });
		expect(await lab.pump()).toHaveLength(4);
		expect(rowsIn(lab, 'billing')).toBe(1);
		expect(await lab.openReviews()).toEqual([]);
	});

	test('leaves an edit that had not been seen to the policy', async () => {
		const lab = await linked(5);
		const [touched = ''] = Object.keys(lab.rows['billing'] ?? {});
		await lab.observe(lab.update('billing', touched, { note: 'unseen' }));
		await lab.observe(...deletesOf(lab, 5));
		await lab.resolve({ kind: 'approve' });
		await lab.pump();
		expect(Object.keys(lab.rows['billing'] ?? {})).toEqual([touched]);
		expect(await lab.openReviews()).toMatchObject([{ kind: 'conflict', fields: [EXISTENCE] }]);
	});

	test('twice is refused the second time, and changes nothing', async () => {
		const lab = await linked(5);
		await lab.observe(...deletesOf(lab, 4));
		const [item] = await lab.openReviews();
		const resolution = { review: item?.id ?? '', token: item?.token ?? '', by: 'maria', choice: { kind: 'approve' } } as const;
		await resolveReview(lab.store, resolution);
		const before = lab.links();
		await expect(resolveReview(lab.store, resolution)).rejects.toMatchObject({ code: 'REVIEW_CLOSED' });
		expect(lab.links()).toEqual(before);
	});

	test('by two people in one call is one answer', async () => {
		const lab = await linked(5);
		await lab.observe(...deletesOf(lab, 4));
		const [item] = await lab.openReviews();
		const about = { review: item?.id ?? '', token: item?.token ?? '' };
		const [first, second] = await resolveReviews(lab.store, [
			{ ...about, by: 'maria', choice: { kind: 'approve' } },
			{ ...about, by: 'john', choice: { kind: 'reject' } },
		]);
		expect(first).toMatchObject({ id: item?.id });
		expect(second).toMatchObject({ code: 'REVIEW_CLOSED' });
		expect(await lab.pump()).toHaveLength(4);
	});

	test('with an old token is refused', async () => {
		const lab = await linked(5);
		await lab.observe(...deletesOf(lab, 4));
		const [item] = await lab.openReviews();
		const stale = { review: item?.id ?? '', token: 'old', by: 'maria', choice: { kind: 'approve' } } as const;
		await expect(resolveReview(lab.store, stale)).rejects.toMatchObject({ code: 'REVIEW_CHANGED' });
		expect(await lab.decide()).toEqual([]);
	});

	test('that is cut short between two records is finished by approving again', async () => {
		const lab = await linked(5);
		await lab.observe(...deletesOf(lab, 4));
		const [item] = await lab.openReviews();
		const resolution = { review: item?.id ?? '', token: item?.token ?? '', by: 'maria', choice: { kind: 'approve' } } as const;
		const { store } = lab;
		let commits = 0;
		const dying: typeof store = Object.assign(Object.create(store) as typeof store, {
			changeReviews: () => Promise.reject(new Error('killed')),
			commit: async (request: Parameters<typeof store.commit>[0]) => {
				commits += 1;
				return await store.commit({ ...request, links: request.links.slice(0, 2) });
			},
		});
		await expect(resolveReview(dying, resolution)).rejects.toThrow('killed');
		expect(commits).toBe(1);
		expect(await lab.openReviews()).toHaveLength(1);
		expect(await lab.pump()).toHaveLength(2);
		await resolveReview(store, resolution);
		expect(await lab.pump()).toHaveLength(2);
		expect(rowsIn(lab, 'billing')).toBe(1);
		expect(await lab.openReviews()).toEqual([]);
	});

	test('reaches every record, however many there are', async () => {
		const lab = await linked(1_203);
		await lab.observe(...deletesOf(lab, 1_203));
		await lab.resolve({ kind: 'approve' });
		expect(await lab.decide()).toHaveLength(1_203);
	});
});

describe('rejecting', () => {
	test('brings all of them back, with their values, and closes the item', async () => {
		const lab = await linked(5);
		await lab.observe(...deletesOf(lab, 4));
		await lab.resolve({ kind: 'reject' });
		expect((await lab.pump()).map(({ system, kind }) => [system, kind])).toEqual(Array(4).fill(['crm', 'insert']));
		expect(rowsIn(lab, 'crm')).toBe(5);
		expect(rowsIn(lab, 'billing')).toBe(5);
		expect(Object.values(lab.rows['crm'] ?? {}).map(({ ref }) => ref).sort()).toEqual(['r0', 'r1', 'r2', 'r3', 'r4']);
		expect(await lab.openReviews()).toEqual([]);
	});

	test('gives a write that was on its way to a deleted row its outcome first', async () => {
		const lab = await linked(5);
		const [touched = ''] = Object.keys(lab.rows['billing'] ?? {});
		await lab.observe(lab.update('billing', touched, { note: 'on its way' }));
		const [op] = await lab.decide();
		if (!op) throw new Error('no operation');
		await lab.observe(...deletesOf(lab, 5));
		await lab.resolve({ kind: 'reject' });
		expect((await lab.decide()).filter(({ link }) => link === op.link)).toEqual([op]);
		await lab.answerOp(op, 'stale');
		await lab.pump();
		expect(rowsIn(lab, 'crm')).toBe(5);
		expect(Object.values(lab.rows['crm'] ?? {}).map(({ note }) => note).sort()).toEqual(['on its way', 'x', 'x', 'x', 'x']);
		expect(await lab.openReviews()).toEqual([]);
	});

	test('is a decision like any other: who deletes one of them afterwards deletes it', async () => {
		const lab = await linked(5);
		await lab.observe(...deletesOf(lab, 4));
		await lab.resolve({ kind: 'reject' });
		await lab.pump();
		await lab.observe(...deletesOf(lab, 1));
		expect(await lab.pump()).toHaveLength(1);
		expect(rowsIn(lab, 'billing')).toBe(4);
	});
});

test('letting the difference stand leaves each record where it is', async () => {
	const lab = await linked(5);
	await lab.observe(...deletesOf(lab, 4));
	await lab.resolve({ kind: 'dismiss' });
	expect(await lab.pump()).toEqual([]);
	expect([rowsIn(lab, 'crm'), rowsIn(lab, 'billing')]).toEqual([1, 5]);
	expect(await lab.openReviews()).toEqual([]);
});
