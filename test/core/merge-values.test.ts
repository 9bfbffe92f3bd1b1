import fc from 'fast-check';
import { equalJson, type Json } from '../../src/core/canonical-json';
import { compareLengths, compareValues, deltaOf, unionOf, type Merged } from '../../src/core/merge-values';

const canonOf = (merged: Merged): Json => {
	if (!merged.ok) throw new Error(merged.reason);
	return merged.canon;
};

describe('which of two values is larger', () => {
	test.each<[string, Json, Json]>([
		['null is smaller than the empty text', null, ''],
		['null is smaller than every number', null, -1e9],
		['numbers go by size, not by text', 9, 10],
		['numbers in texts go by size too', '9', '10'],
		['a number and a number in a text are compared', 9.5, '10'],
		['numbers are compared to the last digit', '9007199254740993.1', '9007199254740993.2'],
		['a negative number is smaller than a smaller negative one', '-10', '-9'],
		['numbers come before texts', '999', 'a'],
		['texts go by their characters', 'Abel', 'Anna'],
		['a text comes before those that go on', 'An', 'Ann'],
		['dates go by time', '2024-02-29', '2024-03-01'],
		['a time with a fraction is later than the same second without', '2024-01-01T10:00:00Z', '2024-01-01T10:00:00.5Z'],
		['fractions go by their size, not by their length', '2024-01-01T10:00:00.499999Z', '2024-01-01T10:00:00.5Z'],
		['a fraction is smaller than the next second', '2024-01-01T10:00:00.999Z', '2024-01-01T10:00:01Z'],
		['times without a date have fractions too', '10:00:00', '10:00:00.001'],
		['false comes before true', false, true],
		['lists go by their text', ['a'], ['b']],
	])('%s', (_, smaller, larger) => {
		expect(compareValues(smaller, larger)).toBe(-1);
		expect(compareValues(larger, smaller)).toBe(1);
	});

	const time = fc
		.tuple(fc.nat({ max: 59 }), fc.option(fc.stringMatching(/^[1-9]{1,9}$/), { nil: undefined }))
		.map(([second, fraction]) => {
			const at = `2024-01-01T10:00:${String(second).padStart(2, '0')}`;
			return fraction === undefined ? `${at}Z` : `${at}.${fraction}Z`;
		});
	const value: fc.Arbitrary<Json> = fc.oneof(
		fc.constant(null),
		fc.boolean(),
		fc.integer(),
		fc.constantFrom<Json>('a', 'B', '', 'ä', '10:00', '1.2.3', '-', '٣'),
		fc.string().map((text) => `t${text}`),
		time,
	);

	test('is a total order: each pair has one answer, and a chain of answers holds', () => {
		fc.assert(
			fc.property(value, value, value, (a, b, c) => {
				expect(compareValues(a, b) + compareValues(b, a)).toBe(0);
				expect(compareValues(a, b) === 0).toBe(equalJson(a, b));
				if (compareValues(a, b) <= 0 && compareValues(b, c) <= 0) expect(compareValues(a, c)).toBeLessThanOrEqual(0);
			}),
			{ numRuns: 2_000 },
		);
	});
});

describe('which of two values is longer', () => {
	test.each<[string, Json, Json]>([
		['null is shorter than the empty text', null, ''],
		['more characters are longer, whatever they are', 'zz', 'aaa'],
		['an emoji is one character', '😀', 'ab'],
		['lists go by their elements', ['a long element'], ['a', 'b']],
		['of equally long ones the larger counts as longer', 'ab', 'ac'],
	])('%s', (_, shorter, longer) => {
		expect(compareLengths(shorter, longer)).toBe(-1);
		expect(compareLengths(longer, shorter)).toBe(1);
	});

	const text = fc.string().map((rest) => `t${rest}`); // No number: 10 and 010 are one value, spelled in two ways.

	test('only equal values are equally long', () => {
		fc.assert(
			fc.property(text, text, (a, b) => {
				expect(compareLengths(a, b) === 0).toBe(a === b);
				expect(compareLengths(a, b) + compareLengths(b, a)).toBe(0);
			}),
		);
	});
});

describe('the union of two sets', () => {
	test.each<[string, Json, Json, Json | undefined, Json]>([
		['keeps what both added', ['x', 'a'], ['x', 'b'], ['x'], ['a', 'b', 'x']],
		['loses what one removed, although the other kept it', ['y'], ['x', 'y'], ['x', 'y'], ['y']],
		['loses what each of them removed', ['x'], ['y'], ['x', 'y'], []],
		['one removes and the other adds', ['x'], ['x', 'y', 'z'], ['x', 'y'], ['x', 'z']],
		['has what both added once', ['x', 'n'], ['x', 'n'], ['x'], ['n', 'x']],
		['without a base nobody has removed anything', ['x'], ['y'], undefined, ['x', 'y']],
		['null is the empty set: who cleared it removed everything', null, ['x', 'n'], ['x'], ['n']],
		['of nothing and nothing is null when it was null', null, null, ['x'], null],
		['of null and the empty list is the empty list', null, [], ['x'], []],
		['elements are equal by their value', [{ a: 1, b: 2 }], [{ b: 2, a: 1 }], [], [{ a: 1, b: 2 }]],
		['a number is not its text', [1], ['1'], [], ['1', 1]],
	])('%s', (_, ...[a, b, base, expected]) => {
		expect(canonOf(unionOf(a, b, base))).toEqual(expected);
	});

	test.each<[Json, Json, Json]>([
		['x', ['x'], []],
		[['x'], 5, null],
		[[], [], { x: 1 }],
	])('of %j and %j over %j has no answer', (a, b, base) => {
		expect(unionOf(a, b, base)).toEqual({ ok: false, reason: expect.stringContaining('no list') as string });
	});

	const set = fc.option(fc.subarray(['a', 'b', 'c', 'd', 'e']), { nil: null });

	test('does not depend on who is called first', () => {
		fc.assert(
			fc.property(set, set, fc.option(set, { nil: undefined }), (a, b, base) => {
				expect(unionOf(a, b, base)).toEqual(unionOf(b, a, base));
			}),
		);
	});

	test('of a value with itself, or with its own base, is that value', () => {
		fc.assert(
			fc.property(set, set, (a, base) => {
				expect(unionOf(a, a, base)).toEqual({ ok: true, canon: a });
				const joined = canonOf(unionOf(a, base, base));
				expect(joined ?? []).toEqual(a ?? []);
			}),
		);
	});

	test('contains all additions and no removal of either', () => {
		fc.assert(
			fc.property(set, set, set, (a, b, base) => {
				const joined = canonOf(unionOf(a, b, base)) as readonly string[] | null;
				for (const element of ['a', 'b', 'c', 'd', 'e']) {
					const [inA, inB, inBase] = [a, b, base].map((one) => one?.includes(element) ?? false);
					expect(joined?.includes(element) ?? false).toBe(inBase === true ? inA === true && inB === true : inA === true || inB === true);
				}
			}),
		);
	});
});

describe('the sum of two differences', () => {
	test.each<[string, Json, Json, Json, Json]>([
		['adds what both added', '12', '13', '10', '15'],
		['adds what one took to what the other added', '7', '13', '10', '10'],
		['is exact where floating point is not', '0.1', '0.3', '0.2', '0.2'],
		['is exact to digits that no number has', '9007199254740993', '9007199254740995', '9007199254740992', '9007199254740996'],
		['keeps numbers numbers', 12, 13, 10, 15],
		['keeps the scale of money', '12.50', '13.25', '10.00', '15.75'],
		['can go below nothing', '1', '2', '10', '-7'],
	])('%s', (_, ...[a, b, base, expected]) => {
		expect(deltaOf(a, b, base)).toEqual({ ok: true, canon: expected });
	});

	test.each<[string, Json, Json, Json | undefined, RegExp]>([
		['without a base', '1', '2', undefined, /without a common base/],
		['with null', null, '2', '1', /no number/],
		['over a base of null', '1', '2', null, /no number/],
		['of texts', 'a', '2', '1', /no number/],
		['of the empty text', '', '2', '1', /no number/],
		['of numbers whose sum has no exact form', Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER, 0, /beyond 2\^53/],
	])('is refused %s', (_, ...[a, b, base, reason]) => {
		expect(deltaOf(a, b, base)).toEqual({ ok: false, reason: expect.stringMatching(reason) as string });
	});

	const amount = fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n }).map(String);

	test('does not depend on who is called first', () => {
		fc.assert(fc.property(amount, amount, amount, (a, b, base) => expect(deltaOf(a, b, base)).toEqual(deltaOf(b, a, base))));
	});

	test('of three systems does not depend on their order: every difference counts once', () => {
		fc.assert(
			fc.property(amount, amount, amount, amount, (a, b, c, base) => {
				const leftFirst = canonOf(deltaOf(canonOf(deltaOf(a, b, base)), c, base));
				const rightFirst = canonOf(deltaOf(a, canonOf(deltaOf(b, c, base)), base));
				expect(leftFirst).toBe(rightFirst);
				expect(BigInt(String(leftFirst))).toBe(BigInt(a) + BigInt(b) + BigInt(c) - 2n * BigInt(base));
			}),
		);
	});

	test('with nobody’s difference is the value itself', () => {
		fc.assert(fc.property(amount, amount, (a, base) => expect(deltaOf(a, base, base)).toEqual({ ok: true, canon: a })));
	});
});
