/**
 * Version vectors: per field, one counter for each system, counting the foreign changes
 * that the version contains. A system that is absent has made none, so `{}` and
 * `{ crm: 0 }` mean the same.
 *
 * Two components are no systems: `human` counts a person's resolutions, `sync` counts the
 * values the sync set against a version that had seen everything (a revert, for example).
 * Without them two different values could carry the same vector.
 *
 * Source: Parker et al., "Detection of Mutual Inconsistency in Distributed Systems", 1983.
 */
export type VersionVector = Readonly<Record<string, number>>;

/** How vector `a` relates to vector `b`. Exactly one holds for any pair. */
export type Ordering = 'equal' | 'before' | 'after' | 'concurrent';

export const NOTHING_SEEN: VersionVector = Object.freeze({});

/**
 * Orders two version vectors by causality.
 *
 * @returns `before` when all that `a` has seen, `b` has seen too (a is stale);
 * `concurrent` when each has a change the other lacks, and only then there can be a conflict.
 */
export function compare(a: VersionVector, b: VersionVector): Ordering {
	const aAhead = hasMore(a, b);
	const bAhead = hasMore(b, a);
	if (aAhead && bAhead) return 'concurrent';
	if (aAhead) return 'after';
	return bAhead ? 'before' : 'equal';
}

/** Whether `vector` has seen all that `other` has. */
export function includes(vector: VersionVector, other: VersionVector): boolean {
	return !hasMore(other, vector);
}

/** The smallest vector that has seen everything `a` and `b` have seen. */
export function join(a: VersionVector, b: VersionVector): VersionVector {
	if (!hasMore(b, a)) return a;
	if (!hasMore(a, b)) return b;
	const components = new Set([...Object.keys(a), ...Object.keys(b)]);
	const entries = [...components].map((component): [string, number] => [
		component,
		Math.max(counterOf(a, component), counterOf(b, component)),
	]);
	return Object.fromEntries(entries); // Not `joined[component] = …`, which loses a name like __proto__.
}

/** `vector` with one more change by `component`. */
export function increment(vector: VersionVector, component: string): VersionVector {
	const entries = Object.entries(vector).filter(([name]) => name !== component);
	return Object.fromEntries([...entries, [component, counterOf(vector, component) + 1]]);
}

/** The number of changes by `component` that `vector` contains. */
export function counterOf(vector: VersionVector, component: string): number {
	return Object.hasOwn(vector, component) ? (vector[component] ?? 0) : 0;
}

/** Whether `a` has seen a change that `b` has not. Allocates nothing: it is asked for every field of every change. */
function hasMore(a: VersionVector, b: VersionVector): boolean {
	for (const component in a) {
		if (counterOf(a, component) > counterOf(b, component)) return true;
	}
	return false;
}
