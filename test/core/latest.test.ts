import { decide } from '../../src/core/decide';
import type { Operation } from '../../src/core/link';
import { LinkStory } from '../support/link-story';
import { isDecidedByTime } from '../../src/core/latest';
import { simulatedEntity, simulatedPolicy } from '../support/simulated-policy';

const TWO = ['crm', 'billing'];
const THREE = [...TWO, 'shop'];
const HOUR_MS = 3_600_000;

/** A record that all systems hold, with note x; of two changes closer than half a second none is the later. */
function linked(systems = TWO, resolve = 'latest(500ms)'): LinkStory {
	return LinkStory.linked(simulatedPolicy(systems, { note: { owner: 'shared', resolve } }), { note: 'x' });
}

const notes = ({ rows }: LinkStory): unknown[] => Object.values(rows).map(({ note }) => note);

function ordersOf<T>(items: readonly T[]): T[][] {
	if (items.length < 2) return [[...items]];
	return items.flatMap((item, index) => ordersOf(items.filter((_, other) => other !== index)).map((rest) => [item, ...rest]));
}

/** Each system's change, heard in this order, and what is decided about each before the next one is heard. */
function hear(story: LinkStory, order: readonly string[], times: Readonly<Record<string, number>>): void {
	const handed: Operation[] = [];
	for (const system of order) {
		story.edit(system, { note: `by ${system}` }, times[system] ?? 0);
		handed.push(...story.decide());
	}
	for (const op of Object.values(story.state.inFlight)) {
		const row = story.rows[op.system];
		const isAsExpected = row?.['note'] === op.fields['note']?.expected;
		if (isAsExpected) story.apply(op);
		else story.answer(op, 'stale');
	}
	story.pump();
}

describe('between changes that have not seen each other', () => {
	test('the later one by the clock goes to both, whoever is heard first, and the journal names the other', () => {
		for (const order of ordersOf(TWO)) {
			const story = linked();
			hear(story, order, { crm: 1_000, billing: 2_000 });
			expect(notes(story)).toEqual(['by billing', 'by billing']);
			expect(story.reviews).toEqual([]);
			expect(story.lastEntry('conflict')).toMatchObject({ field: 'note', detail: { rule: 'latest(500ms)', kept: 'billing' } });
		}
	});

	test.each([0, 1, 499, 500])('%d ms apart no clock can tell: one review, and nothing moves', (apart) => {
		for (const order of ordersOf(TWO)) {
			const story = linked();
			hear(story, order, { crm: 1_000, billing: 1_000 + apart });
			expect(notes(story)).toEqual(['by crm', 'by billing']);
			expect(story.onlyReview()).toMatchObject({ kind: 'conflict', fields: ['note'] });
			expect(story.onlyReview().reason).toContain('within 500 ms');
		}
	});

	test('one that was read and not heard of has no time: a person is asked', () => {
		const story = linked();
		story.edit('crm', { note: 'a' }, 1_000);
		const read = story.feed('billing').update({ ...story.rows['billing'], note: 'b' });
		story.observe({ ...read, op: 'r', source: { ...read.source, snapshot: true, tsMs: 99_000 } });
		expect(story.decide()).toEqual([]);
		expect(story.onlyReview().reason).toContain('the time of one of the changes is not known');
	});

	test('a person’s answer has no time either: who edits before it arrives is asked about', () => {
		const story = linked();
		hear(story, TWO, { crm: 1_000, billing: 1_100 });
		story.resolve({ kind: 'apply', system: 'crm' });
		story.edit('billing', { note: 'c' }, 90_000);
		expect(story.decide()).toEqual([]);
		expect(story.onlyReview()).toMatchObject({ kind: 'conflict', fields: ['note'] });
	});
});

describe('a change that has seen the other', () => {
	test('replaces it although its clock is an hour behind', () => {
		const story = linked();
		story.edit('crm', { note: 'a' }, HOUR_MS);
		story.pump();
		story.edit('billing', { note: 'b' }, 0);
		story.pump();
		expect(notes(story)).toEqual(['b', 'b']);
		expect(story.reviews).toEqual([]);
	});

	test('is no conflict when it follows 120 ms after the first, which has arrived by then', () => {
		const story = linked();
		story.edit('crm', { note: 'a' }, 1_000);
		story.pump();
		story.edit('billing', { note: 'b' }, 1_120);
		story.pump();
		expect(notes(story)).toEqual(['b', 'b']);
		expect(story.lastEntry('conflict')).toBeUndefined();
	});

	test('our own write is nobody’s later change, whenever it arrives', () => {
		const story = linked();
		story.edit('crm', { note: 'a' }, 1_000);
		const [op] = story.decide();
		story.edit('crm', { note: 'a2' }, 2_000);
		story.feed('billing').clockMs = HOUR_MS;
		if (op) story.apply(op);
		story.pump();
		expect(notes(story)).toEqual(['a2', 'a2']);
		expect(story.lastEntry('conflict')).toBeUndefined();
	});
});

describe('while a person is asked', () => {
	test('a later change of either settles the matter by itself', () => {
		for (const system of TWO) {
			const story = linked();
			hear(story, TWO, { crm: 1_000, billing: 1_100 });
			story.edit(system, { note: 'later' }, 2_000);
			story.pump();
			expect(notes(story)).toEqual(['later', 'later']);
			expect(story.reviews).toEqual([]);
			expect(story.lastEntry('review-closed')).toMatchObject({ detail: { how: 'a later change decides' } });
		}
	});

	test('a change that is too close as well leaves the question open, the same one', () => {
		const story = linked();
		hear(story, TWO, { crm: 1_000, billing: 1_100 });
		const { id } = story.onlyReview();
		story.edit('billing', { note: 'c' }, 1_400);
		expect(story.pump()).toEqual([]);
		expect(story.onlyReview().id).toBe(id);
		expect(decide(story.state, story.policy, 'live').changed).toBe(false);
	});
});

describe('three systems', () => {
	test.each<[string, Record<string, number>]>([
		['0, 400 and 800 ms: a person is asked', { crm: 0, billing: 400, shop: 800 }],
		['0, 100 and 300 ms: a person is asked', { crm: 0, billing: 100, shop: 300 }],
	])('at %s, once, in every order of arrival', (_, times) => {
		for (const order of ordersOf(THREE)) {
			const story = linked(THREE);
			hear(story, order, times);
			expect(story.onlyReview()).toMatchObject({ kind: 'conflict', fields: ['note'] });
			story.resolve({ kind: 'apply', system: 'billing' });
			story.pump();
			expect(notes(story)).toEqual(Array(3).fill('by billing'));
		}
	});

	test.each<[string, Record<string, number>]>([
		['0, 400 and 1200 ms', { crm: 0, billing: 400, shop: 1_200 }],
		['0, 5 and 10 s', { crm: 0, billing: 5_000, shop: 10_000 }],
		['0, 600 and 1200 ms', { billing: 0, crm: 600, shop: 1_200 }],
	])('at %s: the last one wins, in every order of arrival', (_, times) => {
		for (const order of ordersOf(THREE)) {
			const story = linked(THREE);
			hear(story, order, times);
			expect(notes(story)).toEqual(Array(3).fill('by shop'));
			expect(story.reviews).toEqual([]);
		}
	});
});

test('a clock that is an hour ahead is believed, and whom it beat is named: that is what the rule says of itself', () => {
	const story = linked();
	hear(story, TWO, { crm: HOUR_MS, billing: 2_000 });
	expect(notes(story)).toEqual(['by crm', 'by crm']);
	expect(story.lastEntry('conflict')).toMatchObject({ system: 'billing', detail: { view: 'by billing', kept: 'crm' } });
});

test('a value that the policy does not allow hides none that it was made after: only the time of what stands decides', () => {
	const policy = simulatedPolicy(TWO, { note: { owner: 'shared', resolve: 'latest', valid: { required: true } } });
	const rules = { policy: policy.policy, entity: simulatedEntity(policy) };
	const views = {
		crm: { raw: 'y', canon: 'y', vector: { crm: 1 }, atMs: 5_000 },
		billing: { raw: null, canon: null, vector: { billing: 2 }, atMs: 1_000 },
	};
	const standing = { canon: 'x', vector: { billing: 1 }, from: 'billing' };
	expect(isDecidedByTime({ merged: standing, views, frozen: null }, 'note', rules)).toBe(false);
	expect(isDecidedByTime({ merged: { ...standing, atMs: 500 }, views, frozen: null }, 'note', rules)).toBe(true);
});
