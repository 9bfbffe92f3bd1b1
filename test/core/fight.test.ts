import type { Json } from '../../src/core/canonical-json';
import { decide } from '../../src/core/decide';
import { LinkStory } from '../support/link-story';
import { simulatedPolicy } from '../support/simulated-policy';

const SECOND_MS = 1_000;
const HOUR_MS = 3_600_000;
const THREE = ['crm', 'billing', 'shop'];

function linked(systems = ['crm', 'billing']): LinkStory {
	const policy = simulatedPolicy(systems, {
		note: { owner: 'shared', resolve: 'prefer(crm)' },
		phone: { owner: 'shared', resolve: 'prefer(crm)' },
	});
	return LinkStory.linked(policy, { note: 'x', phone: '555' });
}

interface Quarrel {
	readonly systems?: readonly string[];
	readonly everyMs?: number;
	readonly turns?: number;
	readonly fromMs?: number;
	/** Another value each time; otherwise each system insists on its own. */
	readonly fresh?: boolean;
	/** How far a system's clock is ahead. */
	readonly ahead?: Readonly<Record<string, number>>;
}

/** Systems change the note in turns, each as soon as it has what the other one wrote. Gives the number of turns that were let through. */
function quarrel(story: LinkStory, { systems = ['crm', 'billing'], everyMs = SECOND_MS, turns = 30, fromMs = HOUR_MS, fresh = false, ahead = {} }: Quarrel = {}): number {
	for (let turn = 0; turn < turns; turn += 1) {
		const system = systems[turn % systems.length] ?? '';
		const now = fromMs + turn * everyMs + (ahead[system] ?? 0);
		story.edit(system, { note: fresh ? `turn ${turn}` : `${system} insists` }, now);
		story.pump();
		if (story.reviews.length > 0) return turn;
	}
	return turns;
}

const notes = ({ rows }: LinkStory): Json[] => Object.values(rows).map(({ note = null }) => note);

test('two programs that answer each other are stopped after a few turns, and one question names both', () => {
	const story = linked();
	expect(quarrel(story)).toBeLessThan(10);
	expect(story.onlyReview()).toMatchObject({ kind: 'conflict', fields: ['note'] });
	expect(story.onlyReview().reason).toMatch(/^(crm and billing|billing and crm) are fighting/);
	expect(decide(story.state, story.policy, 'live').changed).toBe(false);
});

test('nothing is written for them from then on, and other fields flow', () => {
	const story = linked();
	const turns = quarrel(story);
	expect(quarrel(story, { turns: 4 })).toBe(0);
	expect(turns).toBeGreaterThan(0);
	story.edit('crm', { phone: '777' });
	expect(story.pump()).toMatchObject([{ system: 'billing', fields: { phone: { next: '777' } } }]);
	expect(story.onlyReview().fields).toEqual(['note']);
});

test('two people who take turns for hours are left alone', () => {
	const story = linked();
	expect(quarrel(story, { everyMs: 31 * SECOND_MS, turns: 40, fresh: true })).toBe(40);
	expect(new Set(notes(story))).toEqual(new Set(['turn 39']));
});

test('two shops that sell in turns every few seconds are left alone: no value comes back', () => {
	expect(quarrel(linked(), { everyMs: 2 * SECOND_MS, turns: 100, fresh: true })).toBe(100);
});

test('two programs that answer at once are stopped too, whatever they say', () => {
	const story = linked();
	expect(quarrel(story, { everyMs: 100, turns: 100, fresh: true })).toBeLessThan(40);
	expect(story.onlyReview().reason).toContain('are fighting');
});

test('two programs of which one commits twice each time are stopped as well', () => {
	const story = linked();
	for (let turn = 0; turn < 60 && story.reviews.length === 0; turn += 1) {
		for (const op of story.decide()) story.apply(op);
		const system = turn % 2 ? 'crm' : 'billing';
		const now = HOUR_MS + turn * 100;
		story.edit(system, { note: `${system} ${turn}` }, now);
		if (system === 'billing') continue;
		story.decide();
		story.edit(system, { note: `${system} ${turn} again` }, now + 10);
		for (const op of story.decide()) story.answer(op, 'stale');
	}
	expect(story.reviews).toHaveLength(1);
});

test('two systems that touch a rising field in turns are left alone', () => {
	const policy = simulatedPolicy(['crm', 'billing'], { note: { owner: 'shared', resolve: 'max' } });
	const story = LinkStory.linked(policy, { note: '2024-01-01T00:00:00Z' });
	for (let turn = 1; turn <= 10; turn += 1) {
		story.edit(turn % 2 ? 'crm' : 'billing', { note: `2024-01-01T00:00:${10 + turn}Z` }, turn * 5_000);
		story.pump();
	}
	expect(story.reviews).toEqual([]);
});

test('two shops that sell from one stock in turns are left alone, and the stock counts both', () => {
	const policy = simulatedPolicy(['crm', 'billing'], { note: { owner: 'shared', resolve: 'delta' } });
	const story = LinkStory.linked(policy, { note: '100' });
	for (let sold = 1; sold <= 10; sold += 1) {
		story.edit(sold % 2 ? 'crm' : 'billing', { note: String(100 - sold) }, sold * 5_000);
		story.pump();
	}
	expect(story.reviews).toEqual([]);
	expect(notes(story)).toEqual(['90', '90']);
});

test('one program that changes its own value all the time is left alone', () => {
	const story = linked();
	expect(quarrel(story, { systems: ['crm'], everyMs: 10, turns: 40, fresh: true })).toBe(40);
	expect(notes(story)).toEqual(['turn 39', 'turn 39']);
});

test('a pause ends a run of turns: what follows is counted anew', () => {
	const story = linked();
	expect(quarrel(story, { turns: 5 })).toBe(5);
	story.edit('crm', { note: 'after lunch' }, 3 * HOUR_MS);
	story.pump();
	expect(quarrel(story, { turns: 5, fromMs: 4 * HOUR_MS })).toBe(5);
});

test('three programs that answer each other in a ring are stopped too', () => {
	const story = linked(THREE);
	expect(quarrel(story, { systems: THREE, turns: 60 })).toBeLessThan(20);
	expect(story.onlyReview().reason).toContain('are fighting');
});

test('a bystander is kept out of it: it gets no more writes', () => {
	const story = linked(THREE);
	quarrel(story);
	const before = story.rows['shop']?.['note'];
	quarrel(story, { turns: 4 });
	expect(story.rows['shop']?.['note']).toBe(before);
});

test.each([
	['an hour ahead', HOUR_MS],
	['an hour behind', -HOUR_MS],
])('the clock of one system decides nothing when it is %s', (_, shift) => {
	const [plain, shifted] = [linked(), linked()];
	const turns = quarrel(plain);
	expect(quarrel(shifted, { ahead: { billing: shift } })).toBe(turns);
	const slow = linked();
	expect(quarrel(slow, { everyMs: 31 * SECOND_MS, turns: 20, ahead: { crm: shift } })).toBe(20);
});

test('a person’s answer ends it, until they begin again', () => {
	const story = linked();
	quarrel(story);
	story.resolve({ kind: 'apply', system: 'crm' });
	story.pump();
	expect(story.reviews).toEqual([]);
	expect(new Set(notes(story)).size).toBe(1);
	story.edit('billing', { note: 'a new day' }, 20 * HOUR_MS);
	story.pump();
	expect(notes(story)).toEqual(['a new day', 'a new day']);
});

test('a trigger that only puts the value into another form is no fight', () => {
	const story = linked();
	for (let turn = 0; turn < 20; turn += 1) {
		const now = turn * 40 * SECOND_MS;
		story.feed('billing').clockMs = now;
		story.edit('crm', { note: `Value ${turn}` }, now);
		for (const op of story.decide()) story.apply(op, (row) => ({ ...row, note: String(row['note']).toUpperCase() }));
		story.pump();
	}
	expect(story.reviews).toEqual([]);
	expect(notes(story)).toEqual(['VALUE 19', 'VALUE 19']);
});
