import type { Key } from './link';

/**
 * What a comparison leaves behind for the next one, which then looks only at what has been written since: rows that were
 * equal to what the sync knew of them, and that nobody has written, on neither side, are equal. Rows may have gone without a
 * word, but links stay: so where as many rows are left on both sides when all that was looked at is taken out, they are the same ones.
 */
export interface KeptComparison {
	/** By system, and of the store by {@link STORE}. */
	readonly seen: Readonly<Record<string, Seen>>;
	/** By system: keys of the rows that were not by their hashes what the sync knew of them. */
	readonly suspects: Readonly<Record<string, readonly Key[]>>;
	/** By the store's clock, when everything was hashed for the last time. */
	readonly wholeAtMs: number;
}

/** Up to where the rows of one source were looked at. */
export interface Seen {
	/** Of what is looked at: another one was never looked at. */
	readonly identity: string;
	/** See `horizonOf`. */
	readonly horizon: string;
}

/** Among the names of systems there is none like it. */
export const STORE = ' store';

/** So long all is not hashed again: a change that no transaction has made, as by a disk or by whoever edits files, is found in the end. */
const MAX_AGE_MS = 7 * 24 * 60 * 60 * 1_000;
/** More keys are not kept: who looks at each of them again is no quicker than who hashes everything. */
export const MAX_SUSPECTS = 20_000;

/** Rows and records that are compared one by one: where more have been written, all are hashed. */
export const MAX_WRITTEN = 200_000;

/** Whether the next look can begin where that one ended. */
export function isOfUse(kept: Pick<KeptComparison, 'seen' | 'wholeAtMs'>, now: { readonly identities: Readonly<Record<string, string>>; readonly ms: number }): boolean {
	const names = Object.keys(now.identities);
	const isSame = names.every((name) => kept.seen[name]?.identity === now.identities[name]);
	return isSame && names.length === Object.keys(kept.seen).length && now.ms - kept.wholeAtMs < MAX_AGE_MS;
}

export const isWorthKeeping = ({ suspects }: Pick<KeptComparison, 'suspects'>): boolean =>
	Object.values(suspects).every(({ length }) => length <= MAX_SUSPECTS);
