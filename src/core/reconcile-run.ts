/** One comparison of two systems, or one repair, as it is kept for people to look at. */
export interface ReconcileRun {
	readonly run: string;
	readonly kind: 'compare' | 'repair';
	/** When it ended, milliseconds since 1970. */
	readonly atMs: number;
	readonly tookMs: number;
	readonly systems: readonly string[];
	/** Differences that nobody has settled; of a repair, how many records were handed over. */
	readonly differences: number;
	/** Records looked at, by system. */
	readonly records: Readonly<Record<string, number>>;
	/** How many differences by "entity.field", the most first; of the record itself "entity.record". */
	readonly byField: readonly (readonly [field: string, count: number])[];
}

/** Which names come most often, and how often; no more of them than are looked at. */
export function mostNamed(names: readonly string[], limit = 20): [string, number][] {
	const counts = new Map<string, number>();
	for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
	return [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).slice(0, limit);
}
