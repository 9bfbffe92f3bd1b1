import type { Attempt } from './api-record';
import type { Json } from './canonical-json';
import type { HoldRequest } from './hold';
import type { RecordChange } from './record-change';
import type { Known } from './references';
import type { Resolution } from './resolve';
import type { RollBackRequest } from './roll-back';

/**
 * One line of the append-only history of a link. The first seven kinds are the inputs of the pure functions: replaying
 * them in order from an empty link gives the link's state again. All other kinds explain.
 */
export type JournalEntry =
	| { readonly kind: 'created'; readonly generation: number; readonly entity: string; readonly by: string; readonly ambiguous: boolean }
	| ({ readonly kind: 'observed'; readonly policyHash: string; readonly change: RecordChange } & Pending)
	| ({ readonly kind: 'decided'; readonly policyHash: string; readonly mode: PolicyMode; readonly epoch?: number; readonly known?: Known; readonly execution?: string } & Pending)
	| { readonly kind: 'resolved'; readonly policyHash: string; readonly resolution: Resolution }
	| { readonly kind: 'held'; readonly policyHash: string; readonly hold: HoldRequest }
	| { readonly kind: 'rolled-back'; readonly policyHash: string; readonly rollBack: RollBackRequest }
	| { readonly kind: 'attempted'; readonly system: string; readonly attempt: Attempt }
	| { readonly kind: ExplanationKind; readonly field?: string; readonly system?: string; readonly detail: Json };

/** Scopes of the entity that waited for their first contact then; absent when none did. */
interface Pending {
	readonly pending?: readonly string[];
}

export type ExplanationKind =
	| 'conflict'
	| 'revert'
	| 'ignored'
	| 'propagated'
	| 'agreed'
	| 'op'
	| 'outcome'
	| 'residual'
	| 'net-zero'
	| 'restored'
	| 'overwritten'
	| 'late'
	| 'misdirected'
	| 'linked'
	| 'review-opened'
	| 'review-closed'
	| 'frozen'
	| 'unfrozen'
	| 'would-write'
	| 'revealed'
	| 'warning';

/**
 * - `first-contact`: observe only; a person approves before anything is decided or written.
 * - `live`: observe, decide, write. `shadow`: observe, decide, journal, write nothing.
 * - `stopped`: observe only; links stay due until the switch is turned back.
 * - `unsigned`: a live policy whose version must be signed and is not; as `stopped`. Follows from what is stored and is stored nowhere.
 */
export type PolicyMode = StoredMode | 'unsigned';

/** Where the switch of a policy stands. */
export type StoredMode = 'first-contact' | 'live' | 'shadow' | 'stopped';

/** An entry as the store returns it. */
export interface StoredJournalEntry {
	readonly seq: string;
	readonly link: string;
	/** The link's revision that this entry led to. */
	readonly revision: number;
	/** By the store's clock, milliseconds since 1970. */
	readonly atMs: number;
	readonly entry: JournalEntry;
}
