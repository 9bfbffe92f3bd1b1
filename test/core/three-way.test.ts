import fc from 'fast-check';

import { canonicalJson, equalJson, type Json } from '../../src/core/canonical-json';
import {
	type FieldRule,
	type Fields,
	mergeThreeWay,
	type ThreeWayInput,
	type ThreeWayResult,
} from '../../src/core/three-way';

/** Few names and values, so that fields collide and values agree by chance. */
const fieldName = fc.constantFrom('x', 'y', '__proto__');
const value: fc.Arbitrary<Json> = fc.constantFrom<Json>(null, '', 0, '1', true, ['a'], { k: 1 });
const record: fc.Arbitrary<Fields> = fc
	.uniqueArray(fc.tuple(fieldName, value), { selector: ([name]) => name })
	.map((entries) => Object.fromEntries(entries));
const rule: fc.Arbitrary<FieldRule> = fc.oneof(
	fc.record({
		kind: fc.constantFrom('owner' as const, 'prefer' as const),
		side: fc.constantFrom('a' as const, 'b' as const),
	}),
	fc.constant({ kind: 'review' as const }),
);
const input: fc.Arbitrary<ThreeWayInput> = fc.record({
	base: record,
	a: record,
	b: record,
	rules: fc.array(fc.tuple(fieldName, rule)).map((entries) => new Map(entries)),
	otherwise: rule,
});

const mirrored = (given: FieldRule): FieldRule =>
	given.kind === 'review' ? given : { ...given, side: given.side === 'a' ? 'b' : 'a' };

/** Entries with their names, because a conflict over __proto__ must not vanish in a comparison of objects. */
const shown = ({ merged, writes, conflicts }: ThreeWayResult): string =>
	canonicalJson([
		merged,
		{ ...writes },
		conflicts
			.map(({ field, a, b, ...rest }) => ({ field, a, b, ...rest }))
			.sort((p, q) => (p.field < q.field ? -1 : 1)),
	]);

test('exchanging the sides exchanges the result and nothing else', () => {
	fc.assert(
		fc.property(input, ({ base, a, b, rules, otherwise }) => {
			const straight = mergeThreeWay({ base, a, b, rules, otherwise });
			const crossed = mergeThreeWay({
				base,
				a: b,
				b: a,
				rules: new Map([...rules].map(([name, one]) => [name, mirrored(one)])),
				otherwise: mirrored(otherwise),
			});
			const back: ThreeWayResult = {
				merged: crossed.merged,
				writes: { a: crossed.writes.b, b: crossed.writes.a },
				conflicts: crossed.conflicts.map((conflict) => ({
					...conflict,
					a: conflict.b,
					b: conflict.a,
				})),
			};
			expect(shown(back)).toBe(shown(straight));
		}),
	);
});

test('once both sides hold the result, merging again writes nothing', () => {
	fc.assert(
		fc.property(input, ({ base, a, b, rules, otherwise }) => {
			const first = mergeThreeWay({ base, a, b, rules, otherwise });
			const agreed = { ...first.merged };
			const again = mergeThreeWay({ base: agreed, a: agreed, b: agreed, rules, otherwise });
			expect([Object.keys(again.writes.a), Object.keys(again.writes.b), again.conflicts]).toEqual([
				[],
				[],
				[],
			]);
			expect(canonicalJson(again.merged)).toBe(canonicalJson(agreed));
		}),
	);
});

test('a side plus what it lacks is the result, field by field', () => {
	fc.assert(
		fc.property(input, (given) => {
			const { merged, writes } = mergeThreeWay(given);
			for (const side of ['a', 'b'] as const) {
				const after = new Map([
					...Object.entries(given.base),
					...Object.entries(given[side]),
					...Object.entries(writes[side]),
				]);
				for (const [name, expected] of Object.entries(merged)) {
					expect(equalJson(after.get(name) ?? null, expected)).toBe(true);
				}
			}
		}),
	);
});

test('no value is lost: a changed value is in the result, in a conflict, or overruled by a rule', () => {
	fc.assert(
		fc.property(input, (given) => {
			const { merged, conflicts } = mergeThreeWay({
				...given,
				rules: new Map(),
				otherwise: { kind: 'review' },
			});
			for (const side of ['a', 'b'] as const) {
				for (const [name, mine] of Object.entries(given[side])) {
					const unchanged =
						Object.hasOwn(given.base, name) && equalJson(mine, given.base[name] ?? null);
					const kept = Object.hasOwn(merged, name) && equalJson(mine, merged[name] ?? null);
					const waits = conflicts.some(
						(conflict) => conflict.field === name && equalJson(conflict[side], mine),
					);
					expect(unchanged || kept || waits).toBe(true);
				}
			}
		}),
	);
});

const review: FieldRule = { kind: 'review' };
const merge = (base: Fields, a: Fields, b: Fields, otherwise: FieldRule = review): ThreeWayResult =>
	mergeThreeWay({ base, a, b, rules: new Map(), otherwise });

test('an owner has the last word even when only the other side changed', () => {
	const { merged, writes } = merge({ n: 1 }, { n: 1 }, { n: 2 }, { kind: 'owner', side: 'a' });
	expect([merged, writes]).toEqual([{ n: 1 }, { a: {}, b: { n: 1 } }]);
});

test('the owner who does not send the field leaves it to the other side', () => {
	expect(merge({ n: 1 }, {}, { n: 2 }, { kind: 'owner', side: 'a' }).merged).toEqual({ n: 2 });
});

test('prefer matters only when both changed', () => {
	const prefer: FieldRule = { kind: 'prefer', side: 'a' };
	expect(merge({ n: 1 }, { n: 1 }, { n: 2 }, prefer).merged).toEqual({ n: 2 });
	expect(merge({ n: 1 }, { n: 3 }, { n: 2 }, prefer).merged).toEqual({ n: 3 });
});

test('null and the empty text are values, and a missing field is none', () => {
	expect(merge({ n: 'x' }, { n: null }, { n: 'x' }).writes.b).toEqual({ n: null });
	expect(merge({ n: 'x' }, { n: '' }, {}).writes).toEqual({ a: {}, b: { n: '' } });
	expect(merge({ n: 'x' }, {}, {}).writes).toEqual({ a: {}, b: {} });
	expect(merge({ n: '' }, { n: null }, { n: 'y' }).conflicts).toEqual([
		{ field: 'n', base: '', a: null, b: 'y' },
	]);
});

test('a conflict without a base says so by having none', () => {
	expect(merge({}, { n: 1 }, { n: 2 }).conflicts).toEqual([{ field: 'n', a: 1, b: 2 }]);
});
