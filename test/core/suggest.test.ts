import { didYouMean, listOf } from '../../src/core/suggest';

const KNOWN = ['owner', 'onForeignEdit', 'resolve', 'codec', 'map'];

test.each([
	['ownr', 'owner'],
	['onwer', 'owner'],
	['OWNER', 'owner'],
	['onForeinEdits', 'onForeignEdit'],
	['mpa', 'map'],
	['koddec', 'codec'],
])('a typo such as %s is recognised as %s', (typo, meant) => {
	expect(didYouMean(typo, KNOWN)).toBe(`; did you mean "${meant}"?`);
});

test.each(['zzz', 'priority', '', 'x'.repeat(10_000)])(
	'nothing is suggested for a name far from all',
	(name) => {
		expect(didYouMean(name, KNOWN)).toBe('');
	},
);

test('nothing is suggested when nothing is known', () => {
	expect(didYouMean('a', [])).toBe('');
});

test('lists are written as a sentence has them', () => {
	expect([[], ['a'], ['a', 'b'], ['a', 'b', 'c']].map((names) => listOf(names, 'or'))).toEqual([
		'',
		'a',
		'a or b',
		'a, b or c',
	]);
});
