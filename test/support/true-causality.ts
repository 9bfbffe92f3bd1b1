import { equalJson, type Json } from '../../src/core/canonical-json';

/**
 * What every change in a simulated database had really seen, kept by the simulation itself and
 * never told to the code under test: the yardstick for "no silent overwrite".
 */
export interface TrueWrite {
	readonly id: number;
	readonly system: string;
	/** The record that the row stands for, the same in all systems. */
	readonly record: string;
	readonly field: string;
	readonly value: Json;
	/** Ids of the writes that may have led to it, its own among them. */
	readonly past: readonly number[];
	/** Those that led to it for certain: fewer where several users wrote the same value. */
	readonly sure: readonly number[];
	/**
	 * The values that stood in this cell since our last write to it, its own last. Who changes a
	 * value that another system also has, has seen that one too.
	 */
	readonly run: readonly Json[];
	/** The value stood there already when the transaction began that wrote it. */
	readonly changesNothing?: boolean;
}

/** What a user who deletes a row writes to each of its cells. */
export const GONE = '∅';

/** The version of a value that stands in one cell. */
export interface TrueVersion {
	/** The foreign write that made it; null for an initial value or one of our operations. */
	readonly by: number | null;
	readonly past: readonly number[];
	readonly sure: readonly number[];
	readonly run: readonly Json[];
}

export type TrueWrites = Readonly<Record<number, TrueWrite>>;

export const initialVersion = (value: Json): TrueVersion => ({ by: null, past: [], sure: [], run: [value] });

export function foreignVersion(before: TrueVersion | undefined, id: number, value: Json): TrueVersion {
	const { past = [], sure = [], run = [] } = before ?? {};
	return { by: id, past: union(past, [id]), sure: union(sure, [id]), run: [...run, value] };
}

/** The version that an operation makes; its value stands for everybody who has written it. */
export function operationVersion(
	before: TrueVersion | undefined,
	value: Json,
	authors: readonly TrueWrite[],
): TrueVersion {
	const past = authors.reduce((all, author) => union(all, author.past), before?.past ?? []);
	const [first, ...others] = authors;
	const common = (first?.sure ?? []).filter((id) => others.every(({ sure }) => sure.includes(id)));
	return { by: null, past, sure: union(before?.sure ?? [], common), run: [value] };
}

/** The writes of this value to this field of this record, in any system. */
export function authorsOf(
	writes: TrueWrites,
	place: { record: string; field: string; value: Json },
): TrueWrite[] {
	return Object.values(writes).filter(
		({ record, field, value }) =>
			record === place.record && field === place.field && equalJson(value, place.value),
	);
}

/**
 * Whether the author of a value had seen a write: it is in the author's past, or somebody in that
 * past had the same value in front of them, and not only before the write was made.
 */
export function hasSeen(writes: TrueWrites, author: TrueWrite, write: TrueWrite): boolean {
	return author.past.some((id) => {
		if (id === write.id) return true;
		if (write.sure.includes(id)) return false;
		return (writes[id]?.run ?? []).some((value) => equalJson(value, write.value));
	});
}

function union(a: readonly number[], b: readonly number[]): readonly number[] {
	return [...new Set([...a, ...b])].sort((x, y) => x - y);
}
