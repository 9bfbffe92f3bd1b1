import fc from 'fast-check';
import type { Json } from '../../src/core/canonical-json';

// Few keys, so that objects often collide; the last ones are there because keys are named by other people.
const key = fc.constantFrom('a', 'b', 'é', '😀', '1', 'constructor', '__proto__');

/** JSON values of any shape, with awkward keys, numbers and texts. */
export const arbitraryJson: fc.Arbitrary<Json> = fc.letrec<{ value: Json }>((tie) => ({
	value: fc.oneof(
		{ maxDepth: 3, withCrossShrink: true },
		fc.constant(null),
		fc.boolean(),
		fc.oneof(fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true })),
		fc.string({ unit: 'binary' }),
		fc.array(tie('value'), { maxLength: 4 }),
		fc.array(fc.tuple(key, tie('value')), { maxLength: 4 }).map((entries) => objectOf(entries)),
	),
})).value;

/** An object with these entries, also one whose key is `__proto__`. */
export function objectOf(entries: readonly (readonly [string, Json])[]): Json {
	return Object.fromEntries(entries);
}
