/** Few enough that what they are worked out in stays small. */
const READS = 250;

export function chunks<T>(items: readonly T[], size = READS): T[][] {
	return Array.from({ length: Math.ceil(items.length / size) }, (_, at) => items.slice(at * size, (at + 1) * size));
}
