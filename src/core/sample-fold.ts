import type { Json } from './canonical-json';

/** Numbers by name: what a plot shows at one place. */
export type Figures = Readonly<Record<string, number>>;

/** How many of something there were, since the sample before. All other figures are measured, not counted. */
export const COUNTED: readonly string[] = ['changes', 'conflicts', 'writes'];

/** Two samples of one minute or hour as one: what is counted adds up, of what is measured the worst stays. */
export function foldSamples(before: Figures, after: Figures): Figures {
	const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
	const folded = (name: string, a = before[name], b = after[name]): number => {
		if (a === undefined || b === undefined) return a ?? b ?? 0;
		return COUNTED.includes(name) ? a + b : Math.max(a, b);
	};
	return Object.fromEntries(names.map((name) => [name, folded(name)]));
}

/** The numbers of a stored sample. */
export function figuresIn(values: Json | undefined): Figures {
	if (typeof values !== 'object' || values === null || Array.isArray(values)) return {};
	return Object.fromEntries(Object.entries(values).filter((entry): entry is [string, number] => typeof entry[1] === 'number'));
}

export const MINUTE_MS = 60_000;
export const HOUR_MS = 3_600_000;

/** Where the minute or hour begins. */
export function startOf(ms: number, lengthMs: number): number {
	return ms - (ms % lengthMs);
}
