import type { Json } from '../../src/core/canonical-json';
import { decide } from '../../src/core/decide';
import type { Operation } from '../../src/core/link';
import { LinkStory, opTo } from '../support/link-story';
import { simulatedPolicy, type FieldRules } from '../support/simulated-policy';

const TWO = ['crm', 'billing'];
const THREE = [...TWO, 'shop'];
const shared = (resolve: string): FieldRules[string] => ({ owner: 'shared', resolve });

/** A record that all systems hold, with this note. */
function linked(note: FieldRules[string], value: Json, systems = TWO): LinkStory {
	return LinkStory.linked(simulatedPolicy(systems, { note }), { note: value });
}

/** Two populated systems that have never heard of each other. */
function meeting(note: FieldRules[string], crm: Json, billing: Json): LinkStory {
	const story = new LinkStory(simulatedPolicy(TWO, { note }));
	story.insert('crm', { ref: 'r1', note: crm });
	story.insert('billing', { ref: 'r1', note: billing });
	return story;
}

const notes = ({ rows }: LinkStory): Json[] => Object.values(rows).map(({ note = null }) => note);

describe('changes that have not seen each other', () => {
	test.each<[string, Json, Json, Json, Json]>([
		['prefer(billing)', 'x', 'a', 'b', 'b'],
		['max', '5', '9', '10', '10'],
		['max', '5', '3', '4', '4'],
		['max', 'x', null, 'b', 'b'],
		['min', '5', '9', '10', '9'],
		['min', 'x', null, 'b', 'b'],
		['longest', 'x', 'Ann Smith', 'Ann', 'Ann Smith'],
		['longest', 'x', 'ab', 'ba', 'ba'],
		['union', ['x', 'y'], ['x', 'a'], ['x', 'y', 'b'], ['a', 'b', 'x']],
		['union', ['x'], null, ['x', 'b'], ['b']],
		['delta', '10', '12', '7', '9'],
		['delta', 10, 12, 7, 9],
	])('under %s: %j became %j and %j, and all hold %j', (resolve, ...[base, crm, billing, expected]) => {
		for (const order of [TWO, [...TWO].reverse()]) {
			const story = linked(shared(resolve), base);
			for (const system of order) story.edit(system, { note: system === 'crm' ? crm : billing });
			story.pump();
			expect(notes(story)).toEqual([expected, expected]);
			expect(story.reviews).toEqual([]);
			expect(story.lastEntry('conflict')).toMatchObject({ field: 'note', detail: { rule: resolve } });
		}
	});

	test.each<[string, Json, Json]>([
		['max', '7', '7'],
		['latest', 'a', 'a'],
		['union', ['a', 'x'], ['a', 'x']],
	])('under %s are none when they are the same', (resolve, value, expected) => {
		const story = linked(shared(resolve), ['x']);
		story.edit('crm', { note: value });
		story.edit('billing', { note: value });
		expect(story.pump()).toEqual([]);
		expect(notes(story)).toEqual([expected, expected]);
		expect(story.lastEntry('conflict')).toBeUndefined();
	});

	test('under delta are both counted, although they are the same', () => {
		const story = linked(shared('delta'), '10');
		story.edit('crm', { note: '11' });
		story.edit('billing', { note: '11' });
		story.pump();
		expect(notes(story)).toEqual(['12', '12']);
	});

	test.each<[string, Json, readonly Json[], Json]>([
		['max', '1', ['3', '5', '4'], '5'],
		['min', '9', ['3', '5', '4'], '3'],
		['longest', 'x', ['ab', 'abcd', 'abc'], 'abcd'],
		['union', ['x', 'y'], [['x'], ['x', 'y', 'b'], ['x', 'y', 'c']], ['b', 'c', 'x']],
		['delta', '100', ['101', '110', '99'], '110'],
	])('of three systems under %s: %j became %j, and all hold %j', (resolve, base, values, expected) => {
		for (const order of [THREE, [...THREE].reverse(), ['billing', 'shop', 'crm']]) {
			for (const eager of [true, false]) {
				const story = linked(shared(resolve), base, THREE);
				const handed: Operation[] = [];
				for (const system of order) {
					story.edit(system, { note: values[THREE.indexOf(system)] ?? null });
					if (eager) handed.push(...story.decide());
				}
				for (const op of Object.values(story.state.inFlight)) story.answer(op, 'stale');
				story.pump();
				expect(notes(story)).toEqual([expected, expected, expected]);
			}
		}
	});
});

describe('a change that has seen the other', () => {
	test.each<[string, Json, Json, Json]>([
		['max', '5', '9', '3'],
		['min', '5', '3', '9'],
		['longest', 'ab', 'abcd', 'a'],
		['latest', 'x', 'a', 'b'],
		['union', ['x'], ['x', 'y'], []],
		['delta', '10', '12', '3'],
	])('under %s replaces it whatever it is: %j, then %j, then %j', (resolve, base, first, second) => {
		const story = linked(shared(resolve), base);
		story.edit('crm', { note: first }, 10_000);
		story.pump();
		story.edit('billing', { note: second }, 5_000);
		story.pump();
		expect(notes(story)).toEqual([second, second]);
		expect(story.reviews).toEqual([]);
		expect(story.lastEntry('conflict')).toBeUndefined();
	});
});

describe('first contact of populated systems that differ', () => {
	test.each<[string, Json, Json, Json]>([
		['union', ['a'], ['b'], ['a', 'b']],
		['union', null, ['b'], ['b']],
		['max', '3', '5', '5'],
		['longest', 'Ann', 'Ann Smith', 'Ann Smith'],
	])('under %s: %j and %j make %j', (resolve, crm, billing, expected) => {
		const story = meeting(shared(resolve), crm, billing);
		story.pump();
		expect(notes(story)).toEqual([expected, expected]);
		expect(story.reviews).toEqual([]);
	});

	test('under delta asks: nobody knows what was added', () => {
		const story = meeting(shared('delta'), '10', '12');
		expect(story.pump()).toEqual([]);
		expect(story.onlyReview()).toMatchObject({ kind: 'conflict', fields: ['note'] });
		expect(story.onlyReview().reason).toContain('without a common base');
	});

	test('under delta goes on adding from the value that a person has chosen', () => {
		const story = meeting(shared('delta'), '10', '12');
		story.decide();
		story.resolve({ kind: 'values', values: { note: '11' } });
		story.pump();
		story.edit('crm', { note: '12' });
		story.edit('billing', { note: '21' });
		story.pump();
		expect(notes(story)).toEqual(['22', '22']);
	});

	test('under delta and equal values asks nobody', () => {
		const story = meeting(shared('delta'), '10', '10');
		expect(story.pump()).toEqual([]);
		expect(story.reviews).toEqual([]);
	});
});

describe('delta', () => {
	test.each<[string, Json]>([
		['a text', 'many'],
		['null', null],
	])('asks when a system makes %s of the number while another one adds', (_, value) => {
		const story = linked(shared('delta'), '10');
		story.edit('crm', { note: '12' });
		story.edit('billing', { note: value });
		expect(story.pump()).toEqual([]);
		expect(story.onlyReview().reason).toContain('is no number in every system');
	});

	test('counts what was added while our write was on its way once', () => {
		const story = linked(shared('delta'), '10', THREE);
		story.edit('crm', { note: '11' });
		const ops = story.decide();
		story.edit('billing', { note: '20' });
		story.answer(opTo(ops, 'billing'), 'stale');
		story.apply(opTo(ops, 'shop'));
		story.edit('shop', { note: '111' });
		story.pump();
		expect(notes(story)).toEqual(['121', '121', '121']);
	});
});

describe('an accepted difference', () => {
	test('of a sum is over with the next change, which then goes to all', () => {
		const story = meeting(shared('delta'), '10', '12');
		story.decide();
		story.resolve({ kind: 'dismiss' });
		expect(story.pump()).toEqual([]);
		story.edit('crm', { note: '11' });
		story.pump();
		expect(notes(story)).toEqual(['11', '11']);
	});
});

describe('null', () => {
	const ignore = { ...shared('prefer(crm)'), nulls: 'ignore' };
	const neverWins = { ...shared('prefer(crm)'), nulls: 'never-wins' };

	test('under "clear" is a value like any other', () => {
		const story = linked({ ...shared('prefer(crm)'), nulls: 'clear' }, 'x');
		story.edit('billing', { note: null });
		story.pump();
		expect(notes(story)).toEqual([null, null]);
	});

	test('under "ignore" stays where it is and goes nowhere', () => {
		const story = linked(ignore, 'x');
		story.edit('crm', { note: null });
		expect(story.pump()).toEqual([]);
		expect(notes(story)).toEqual([null, 'x']);
		expect(story.lastEntry('ignored')).toMatchObject({ field: 'note', system: 'crm', detail: { rule: 'nulls(ignore)' } });
		expect(decide(story.state, story.policy, 'live').changed).toBe(false);
	});

	test('under "ignore" is filled by the next value of anybody', () => {
		const story = linked(ignore, 'x');
		story.edit('crm', { note: null });
		story.pump();
		story.edit('billing', { note: 'b' });
		story.pump();
		expect(notes(story)).toEqual(['b', 'b']);
	});

	test('under "never-wins" is filled again with what the others have', () => {
		const story = linked(neverWins, 'x');
		story.edit('crm', { note: null });
		expect(story.pump()).toMatchObject([{ system: 'crm', fields: { note: { expected: null, next: 'x' } } }]);
		expect(notes(story)).toEqual(['x', 'x']);
		expect(story.lastEntry('ignored')).toMatchObject({ field: 'note', system: 'crm' });
		// A version of its own, or who empties the field once more would have seen all there is.
		expect(story.state.fields['note']?.merged?.vector).toMatchObject({ sync: 1 });
	});

	test.each([
		['ignore', ignore, [null, 'b']],
		['never-wins', neverWins, ['b', 'b']],
	])('under "%s" is no rival at first contact, even of the preferred system', (_, rules, expected) => {
		for (const order of [TWO, [...TWO].reverse()]) {
			const story = new LinkStory(simulatedPolicy(TWO, { note: rules }));
			for (const system of order) story.insert(system, { ref: 'r1', note: system === 'crm' ? null : 'b' });
			story.pump();
			expect([story.rows['crm']?.['note'], story.rows['billing']?.['note']]).toEqual(expected);
		}
	});

	test('of every system is agreement where null only says nothing', () => {
		const story = linked(ignore, 'x');
		story.edit('crm', { note: null });
		story.edit('billing', { note: null });
		expect(story.pump()).toEqual([]);
		expect(story.reviews).toEqual([]);
		expect(notes(story)).toEqual([null, null]);
	});

	test('of an owner counts under "clear" only', () => {
		for (const [nulls, expected] of [['clear', null], ['never-wins', 'x']] as const) {
			const story = linked({ owner: 'crm', nulls }, 'x');
			story.edit('crm', { note: null });
			story.pump();
			expect(notes(story)).toEqual([expected, expected]);
		}
	});
});
