import fc from 'fast-check';
import {
	compare,
	counterOf,
	increment,
	join,
	NOTHING_SEEN,
	type VersionVector,
} from '../../src/core/version-vector';

/** Few components and small counters, so that vectors are often ordered; systems are named by other people. */
const component = fc.constantFrom('crm', 'billing', 'human', 'constructor', '__proto__');
const vector: fc.Arbitrary<VersionVector> = fc
	.array(fc.tuple(component, fc.nat({ max: 2 })), { maxLength: 5 })
	.map((entries) => Object.fromEntries(entries));

const isAtMost = (a: VersionVector, b: VersionVector) =>
	['before', 'equal'].includes(compare(a, b));
const OPPOSITE = { before: 'after', after: 'before', equal: 'equal', concurrent: 'concurrent' };

describe('comparing', () => {
	test('tells a stale version, a newer one and two that have not seen each other apart', () => {
		const synced = { crm: 3, billing: 1 };
		expect(compare({ crm: 2, billing: 1 }, synced)).toBe('before');
		expect(compare({ crm: 3, billing: 2 }, synced)).toBe('after');
		expect(compare({ crm: 4, billing: 1 }, { crm: 3, billing: 2 })).toBe('concurrent');
	});

	test('takes a system that is absent for one that has made no change', () => {
		expect(compare({ crm: 1, billing: 0 }, { crm: 1 })).toBe('equal');
		expect(compare({}, { crm: 0 })).toBe('equal');
	});

	test('gives the opposite answer when the sides are exchanged', () => {
		fc.assert(
			fc.property(vector, vector, (a, b) => expect(compare(b, a)).toBe(OPPOSITE[compare(a, b)])),
		);
	});

	test('is a partial order: reflexive, antisymmetric, transitive', () => {
		fc.assert(
			fc.property(vector, vector, vector, (a, b, c) => {
				expect(compare(a, { ...a })).toBe('equal');
				if (isAtMost(a, b) && isAtMost(b, a)) expect(compare(a, b)).toBe('equal');
				if (isAtMost(a, b) && isAtMost(b, c)) expect(isAtMost(a, c)).toBe(true);
			}),
		);
	});

	test('calls vectors equal exactly when every counter is', () => {
		fc.assert(
			fc.property(vector, vector, (a, b) => {
				const names = [...Object.keys(a), ...Object.keys(b)];
				const sameCounters = names.every((name) => counterOf(a, name) === counterOf(b, name));
				expect(compare(a, b) === 'equal').toBe(sameCounters);
			}),
		);
	});
});

describe('joining', () => {
	test('has seen what either side has seen', () => {
		expect(join({ crm: 4, billing: 1 }, { crm: 3, billing: 2, human: 1 })).toEqual({
			crm: 4,
			billing: 2,
			human: 1,
		});
	});

	test('is commutative, associative and idempotent, with nothing seen as its neutral element', () => {
		fc.assert(
			fc.property(vector, vector, vector, (a, b, c) => {
				expect(compare(join(a, b), join(b, a))).toBe('equal');
				expect(compare(join(join(a, b), c), join(a, join(b, c)))).toBe('equal');
				expect(compare(join(a, a), a)).toBe('equal');
				expect(compare(join(a, NOTHING_SEEN), a)).toBe('equal');
			}),
		);
	});

	test('gives the least of all vectors that are after both', () => {
		fc.assert(
			fc.property(vector, vector, vector, (a, b, c) => {
				const joined = join(a, b);
				expect(isAtMost(a, joined) && isAtMost(b, joined)).toBe(true);
				if (isAtMost(a, c) && isAtMost(b, c)) expect(isAtMost(joined, c)).toBe(true);
			}),
		);
	});

	test('orders as comparing does: a is at most b exactly when joining a adds nothing to b', () => {
		fc.assert(
			fc.property(vector, vector, (a, b) => {
				expect(compare(join(a, b), b) === 'equal').toBe(isAtMost(a, b));
			}),
		);
	});
});

describe('incrementing', () => {
	test('counts one more change of that system and of no other', () => {
		expect(increment({ crm: 2, billing: 1 }, 'billing')).toEqual({ crm: 2, billing: 2 });
		expect(increment(NOTHING_SEEN, 'crm')).toEqual({ crm: 1 });
	});

	test('gives a strictly later vector, by one in that component alone', () => {
		fc.assert(
			fc.property(vector, component, component, (before, name, other) => {
				const later = increment(before, name);
				expect(compare(later, before)).toBe('after');
				expect(counterOf(later, name)).toBe(counterOf(before, name) + 1);
				if (other !== name) expect(counterOf(later, other)).toBe(counterOf(before, other));
			}),
		);
	});

	test('makes concurrent versions of one when two systems change it', () => {
		fc.assert(
			fc.property(vector, component, component, (before, a, b) => {
				fc.pre(a !== b);
				expect(compare(increment(before, a), increment(before, b))).toBe('concurrent');
			}),
		);
	});

	test('leaves the vector that it was given as it was', () => {
		const before = Object.freeze({ crm: 1 });
		increment(before, 'crm');
		join(before, { billing: 1 });
		expect(before).toEqual({ crm: 1 });
	});

	test('counts for a system named like a part of every object', () => {
		const once = increment(NOTHING_SEEN, '__proto__');
		expect(counterOf(NOTHING_SEEN, '__proto__')).toBe(0);
		expect(counterOf(NOTHING_SEEN, 'constructor')).toBe(0);
		expect(counterOf(increment(once, '__proto__'), '__proto__')).toBe(2);
		expect(counterOf(join(once, { crm: 1 }), '__proto__')).toBe(1);
	});
});
