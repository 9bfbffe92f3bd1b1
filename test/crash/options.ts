import { POINTS, type Point } from './rounds';
import { STORE_KINDS, type StoreKind } from './store-place';

export interface CrashOptions {
	readonly runs: number;
	readonly seed: number;
	readonly points: readonly Point[];
	readonly storeKind: StoreKind;
	/** Nothing new is begun after so long. */
	readonly minutes: number;
	/** Rows of the large table. */
	readonly items: number;
	/** Everything is checked after so many rounds. */
	readonly checkEvery: number;
	/** A line for each round. */
	readonly isVerbose: boolean;
}

export const USAGE = `npm run crash -- [--store postgres|redis] [--runs N] [--seed S] [--points C3,C5] [--minutes M] [--items N] [--verbose]

Kills a syncing process with -9 at named points and at any moment, and the databases and the store too,
while users work on both sides; then checks that nothing was lost, doubled or silently overwritten.

  --store …     where the sync keeps its state (default postgres)
  --runs N      rounds, each with at least one kill (default 200)
  --seed S      the same choices again (default: another one each time)
  --points …    only these, of ${Object.keys(POINTS).join(', ')}
  --minutes M   begin no round after so long (default: no limit)
  --items N     rows of the table that is changed in one transaction (default 5,000)
  --verbose     a line for each round`;

/** @returns null when the words make no sense */
export function readOptions(words: readonly string[]): CrashOptions | null {
	const isVerbose = words.includes('--verbose');
	const pairs = words.filter((word) => word !== '--verbose');
	const given = new Map<string, string>();
	for (let at = 0; at < pairs.length; at += 2) given.set(pairs[at] ?? '', pairs[at + 1] ?? '');
	const number = (name: string, otherwise: number): number => Number(given.get(name) ?? otherwise);
	const options = {
		runs: number('--runs', 200),
		seed: number('--seed', 1 + Math.floor(Math.random() * 1_000_000)),
		minutes: number('--minutes', Number.POSITIVE_INFINITY),
		points: pointsOf(given.get('--points')),
		storeKind: STORE_KINDS.find((kind) => kind === (given.get('--store') ?? 'postgres')) ?? null,
		items: number('--items', 5_000),
		checkEvery: 10,
		isVerbose,
	};
	const known = ['--store', '--runs', '--seed', '--points', '--minutes', '--items'];
	const isSane =
		[...given.keys()].every((name) => known.includes(name)) &&
		[options.runs, options.seed, options.items].every((value) => Number.isSafeInteger(value) && value > 0) &&
		options.minutes > 0;
	const { points, storeKind } = options;
	return isSane && points !== null && storeKind !== null ? { ...options, points, storeKind } : null;
}

function pointsOf(text: string | undefined): Point[] | null {
	const all = Object.keys(POINTS) as Point[];
	if (text === undefined) return all;
	const named = text.split(',');
	return named.every((name) => all.some((point) => point === name)) ? (named as Point[]) : null;
}
