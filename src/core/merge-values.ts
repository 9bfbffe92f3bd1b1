import { canonicalJson, equalJson, type Json } from './canonical-json';
import { formatDecimal, readDecimal, rescale, type ExactDecimal } from './exact-decimal';

/**
 * What becomes of two values of a field that have not seen each other. Pure functions of
 * canonical values; those that choose are commutative, so that it does not matter who came first.
 */

/** What both values hold in common with a base, or why there is no answer; the reason completes a sentence about the field. */
export type Merged = { readonly ok: true; readonly canon: Json } | { readonly ok: false; readonly reason: string };

/**
 * Which of two values is larger: null is smallest, numbers go by their size (also as text),
 * everything else by its text. A total order: 0 only for equal values.
 */
export function compareValues(a: Json, b: Json): -1 | 0 | 1 {
	if (equalJson(a, b)) return 0;
	if (a === null) return -1;
	if (b === null) return 1;
	const left = readDecimal(a);
	const right = readDecimal(b);
	if (left.ok !== right.ok) return left.ok ? -1 : 1; // Numbers before texts, or the order would not be transitive.
	if (left.ok && right.ok) {
		const difference = atOneScale(left.decimal, right.decimal, (x, y) => x - y).unscaled;
		if (difference !== 0n) return difference < 0n ? -1 : 1;
	}
	const [first, second] = [sortText(a), sortText(b)];
	if (first !== second) return first < second ? -1 : 1;
	return canonicalJson(a) < canonicalJson(b) ? -1 : 1; // Spellings of one number or time.
}

/** Which of two values is longer, in characters or elements; of equally long ones, the larger. */
export function compareLengths(a: Json, b: Json): -1 | 0 | 1 {
	const difference = lengthOf(a) - lengthOf(b);
	if (difference === 0) return compareValues(a, b);
	return difference < 0 ? -1 : 1;
}

/**
 * Three-way join of two sets: what either added is in it, what either removed is not. Without a
 * base, nobody is known to have removed anything.
 */
export function unionOf(a: Json, b: Json, base: Json | undefined): Merged {
	const [left, right, common] = [a, b, base ?? null].map(elementsOf);
	if (!left || !right || !common) return { ok: false, reason: 'is no list in every system, so the lists cannot be joined' };
	const all = new Map([...left, ...right]);
	const kept = [...all].filter(([name]) => !common.has(name) || (left.has(name) && right.has(name)));
	const sorted = kept.sort(([x], [y]) => (x < y ? -1 : 1)).map(([, element]) => element);
	// Null and the empty list are different values; nobody turned the one into the other here.
	if (sorted.length === 0 && a === null && b === null) return { ok: true, canon: null };
	return { ok: true, canon: sorted };
}

/** `a` plus what `b` has changed since the base: `a` + (`b` − base), exact to the last digit. */
export function deltaOf(a: Json, b: Json, base: Json | undefined): Merged {
	if (base === undefined) {
		return { ok: false, reason: 'differs, and without a common base nobody knows what was added' };
	}
	const [left, right, common] = [a, b, base].map(readDecimal);
	if (!left?.ok || !right?.ok || !common?.ok) {
		return { ok: false, reason: 'is no number in every system, so differences cannot be added' };
	}
	const change = atOneScale(right.decimal, common.decimal, (x, y) => x - y);
	const sum = atOneScale(left.decimal, change, (x, y) => x + y);
	const text = formatDecimal(sum.unscaled, sum.scale);
	if (typeof a !== 'number' || typeof b !== 'number') return { ok: true, canon: text };
	const number = Number(text);
	return Number.isSafeInteger(Math.trunc(number))
		? { ok: true, canon: number }
		: { ok: false, reason: 'becomes a number beyond 2^53, whose last digits would be lost' };
}

function atOneScale(
	a: ExactDecimal,
	b: ExactDecimal,
	combine: (x: bigint, y: bigint) => bigint,
): ExactDecimal {
	const scale = Math.max(a.scale, b.scale);
	const [x = 0n, y = 0n] = [a, b].map((one) => rescale(one, scale, 'exact'));
	return { unscaled: combine(x, y), scale };
}

/** By canonical JSON, so that each element is in it once; null is the empty set. */
function elementsOf(value: Json): Map<string, Json> | null {
	if (value === null) return new Map();
	if (!Array.isArray(value)) return null;
	return new Map(value.map((element) => [canonicalJson(element), element]));
}

function lengthOf(value: Json): number {
	if (value === null) return -1;
	if (Array.isArray(value)) return value.length;
	return [...(typeof value === 'string' ? value : canonicalJson(value))].length;
}

/** The fraction of a second is padded: 10:00:00.5Z is after 10:00:00Z, although "." sorts before "Z". */
function sortText(value: Json): string {
	const text = typeof value === 'string' ? value : canonicalJson(value);
	return text.replace(
		/(\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(?=Z$|[+-]\d\d(?::?\d\d)?$|$)/,
		(_, clock: string, fraction = '') => `${clock}.${String(fraction).padEnd(9, '0')}`,
	);
}
