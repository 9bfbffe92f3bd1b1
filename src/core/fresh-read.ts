import { EXISTENCE, type LinkState } from './link';
import { hold } from './hold';
import type { JournalEntry } from './journal';
import type { PolicyInForce } from './observe';

/**
 * A row that was read outside of its stream (a reconcile), with the place in the log where it was as it says. It is an
 * observation like those of the stream, and only ever of what the stream has said nothing about: it counts
 * where the stream has been observed past that place and has said nothing later of the record. A stale
 * read is no reason to write.
 */
export interface FreshRead {
	/** The reconcile that read it. */
	readonly run: string;
	/** Of the server: positions of another one are other positions. */
	readonly systemId: string;
	/** How many records of its entity that reconcile found gone from the system. */
	readonly gone: number;
	/** The record was held until it would be read again (see `heldUntilReadAgain`) when the place was looked up. Absent: it was not. */
	readonly again?: true | undefined;
}

/** Who holds a record that a fresh read has brought. */
const TAKING_IN = 'reconcile';

export interface Held {
	readonly state: LinkState;
	readonly journal: readonly JournalEntry[];
}

/**
 * A record that no link had heard of is held still at first. Its row may have been deleted after it was read, and the
 * stream may have said so already, when there was nobody to tell: of a record that no link has, a delete
 * is of no consequence. From now on there is a link, so whatever happens next is heard, and a second read settles
 * what happened before.
 */
export function heldUntilReadAgain(state: LinkState, { run }: FreshRead, policy: PolicyInForce): Held {
	const names = [EXISTENCE, ...(policy.policy.entities.get(state.entity)?.fields.keys() ?? [])];
	// What a person holds stays theirs.
	const fields = names.filter((name) => state.fields[name]?.held === undefined);
	const reason = `Reconcile ${run} found a row of it that no stream had shown, and reads it once more. If this stays, run its repair again`;
	return hold(state, { action: 'freeze', fields, by: TAKING_IN, reason }, policy);
}

/** Whether the record waits for a second read. */
export function isBeingTakenIn({ fields }: LinkState): boolean {
	return Object.values(fields).some(({ held }) => held?.by === TAKING_IN);
}

export function letGo(state: LinkState, { run }: FreshRead, policy: PolicyInForce): Held {
	const fields = Object.keys(state.fields).filter((name) => state.fields[name]?.held?.by === TAKING_IN);
	return hold(state, { action: 'unfreeze', fields, by: TAKING_IN, reason: `Reconcile ${run} has read it once more` }, policy);
}
