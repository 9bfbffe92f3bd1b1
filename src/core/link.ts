import type { Json } from './canonical-json';
import { sha256Hex, canonicalJson } from './canonical-json';
import type { ApiRecord } from './api-record';
import type { Position } from './position';
import { OUTSIDE } from './row-scope';
import type { VersionVector } from './version-vector';

/** Whether the record exists is a field like the others, with its own vectors. */
export const EXISTENCE = '∃';

/** A row's key: column → value. */
export type Key = Readonly<Record<string, Json>>;

/**
 * All that is known about one link. One JSON document, committed as a whole if nobody else
 * committed in between, so that every decision about a link is made in one serial order.
 */
export interface LinkState {
	readonly id: string;
	readonly entity: string;
	/** Counts the records that have used the same key one after the other. */
	readonly generation: number;
	/** The row of each system that has (or had) one. */
	keys: Record<string, Key>;
	/** Per system, the position of the last event folded into this link: at or before it is a duplicate. */
	seen: Record<string, Position>;
	/** By field name; `EXISTENCE` is one of them. */
	fields: Record<string, FieldState>;
	/** At most one unsettled operation per system. */
	inFlight: Record<string, Operation>;
	/** Per system, the number of the last operation: a lower number found later is a zombie's. */
	numbers: Record<string, number>;
	/** Per system, the number of the last operation that its stream showed as applied: a ledger that has a lower one is of an older copy. Absent: none. */
	applied?: Readonly<Record<string, number>>;
	/** Per system, the run of stale outcomes since the last applied one. */
	staleRuns: Record<string, StaleRun>;
	/** How many review items this link has had: numbers the next one. */
	reviewCount: number;
	/** Per system whose rows are deleted by a date that passes: that date. Absent where no system's are. */
	dates?: Record<string, DateMark>;
	/** Per system, a hash of what shadow mode last said would be written there; absent where it never did. */
	shadowed?: Readonly<Record<string, string>>;
	/** By system, a row of ours beside the linked one, which users made at the same time: it is to be removed. Absent: none. */
	surplus?: Readonly<Record<string, OwnRow>>;
	/** Links whose records resemble this one and are others, as a person has said; absent: none. */
	apart?: readonly string[];
	/** The link that this one has been joined into: its record is that one's. Absent: none. */
	into?: string;
	/** By system that is reached through an API, what is known of the record besides its values. Absent: nothing. */
	api?: Readonly<Record<string, ApiRecord>>;
}

/** A row that we made, as it stood then: raw values by field. */
export interface OwnRow {
	readonly key: Key;
	readonly fields: Readonly<Record<string, Json>>;
}

/** The date as the server sent it, and when it passes, milliseconds since 1970; absent: it never does, or has. */
export interface DateMark {
	readonly raw: Json;
	readonly atMs?: number;
}

export interface FieldState {
	/**
	 * The version every system should hold: what the last decision made of the views. It is the
	 * hub of a star of three-way merges, so that a decision is remembered as a version of its own
	 * while its operations travel, and a third system cannot be handed an older mix.
	 */
	merged: MergedVersion | null;
	/** By system; a system that never sent the field has none and is never written. */
	views: Record<string, View>;
	/** The review item that holds this field still, or null. */
	frozen: Freeze | null;
	/** A person has told the sync to leave this field alone; absent otherwise. */
	held?: Hold;
	/** How often in a row systems have answered each other's changes of this field; absent when nobody has. */
	turns?: Turns;
}

/** Who holds a field still by hand, and why. */
export interface Hold {
	readonly by: string;
	readonly reason: string;
}

/** A value that goes back and forth. */
export interface Turns {
	/** How much it looks like two programs by now. */
	readonly weight: number;
	/** By system, its last turn, by its own clock: clocks of two systems are never compared. */
	readonly last: Readonly<Record<string, { readonly canon: Json; readonly atMs: number }>>;
}

export interface MergedVersion {
	readonly canon: Json;
	readonly vector: VersionVector;
	/** The system whose value it is; `human` after a resolution, `merge` when it is made of several. */
	readonly from: string;
	/**
	 * What the value itself has seen, where the vector has more: that of values which lost to it since.
	 * Who has seen this much and replaces the value is no rival of it. Absent: the same as the vector.
	 */
	readonly own?: VersionVector;
	/** When the value was committed, by its system's clock; kept only where `latest` decides. */
	readonly atMs?: number;
	/** How many triggers in a row made this value of one that we wrote; absent when a user's or ours stands. */
	readonly rewrites?: number;
}

/** The last value read from one system's ordered stream. */
export interface View {
	/** As the server sent it; what a compare-and-set expects. */
	readonly raw: Json;
	/** After the codec; what decisions compare. */
	readonly canon: Json;
	readonly vector: VersionVector;
	/** This system's last value that `merged` contains: the base of a three-way merge. Absent: none yet. */
	readonly base?: Json;
	/** The value differs from `merged` and may (dismissed, or `onForeignEdit: ignore`). */
	readonly accepted?: true;
	/** The target made this of a value that we wrote (a trigger, a default). */
	readonly residual?: true;
	/** A column's default in a row that we made without this field: nobody's value, written over as soon as there is one. */
	readonly defaulted?: true;
	/** When the change was committed, by the system's own clock; absent once the value is the merged one. */
	readonly atMs?: number;
	/** Why the codec could not read `raw`; `canon` is then the last readable value. */
	readonly unreadable?: string;
}

/** Why a field is held still. Several fields may be held by the same item. */
export interface Freeze {
	/** The review item's id. One that does not begin with the link's own id holds several links. */
	readonly review: string;
	readonly kind: ReviewKind;
	/** One sentence; names fields and systems, never values. */
	readonly reason: string;
	/** The system whose value is proposed, where approving means to take it. */
	readonly proposal?: string;
	/** Two systems fight about the field: no rule may let go of it. */
	readonly fight?: true;
	/** The system that refused the write. Absent: none did. */
	readonly refusedBy?: string;
	/** What stood in the way there, if another row did: one that has the value already, or one of a foreign key. */
	readonly obstacle?: 'value taken' | 'reference';
	/** By field that names another record: the key that was written when the system refused it. */
	readonly named?: Readonly<Record<string, Json>>;
	/** Of existence: the link whose record may be the same. */
	readonly twin?: string;
	/** What a person must see of both to say so; absent where the other one asks. */
	readonly shows?: TwinsShown;
	/** Of existence: the fields that a new record waits for. */
	readonly waitsFor?: readonly string[];
}

/** Two records that resemble each other, as they were when somebody was asked: values by the fields that are compared. */
export interface TwinsShown {
	readonly percent: number;
	readonly values: Readonly<Record<string, Json>>;
	readonly twin: { readonly keys: Readonly<Record<string, Key>>; readonly values: Readonly<Record<string, Json>> };
}

export type ReviewKind = 'conflict' | 'failure' | 'approval' | 'identity';

/** One intended write to one record of one system. Single use: its number is claimed in the target. */
export interface Operation {
	/** See {@link operationId}. */
	readonly id: string;
	readonly link: string;
	readonly system: string;
	readonly entity: string;
	readonly number: number;
	/** The store's epoch when it was decided; absent in the first one. Numbers of a later epoch come after all of this one. */
	readonly epoch?: number;
	readonly kind: 'insert' | 'update' | 'delete';
	/** Null for an insert: the target numbers its own records. */
	readonly key: Key | null;
	readonly fields: Readonly<Record<string, OperationField>>;
	/**
	 * Fields that an update does not write but that must hold these raw values: what identifies the
	 * record. A key can be another row's by the time of the write, and that row may hold by chance
	 * all that the written fields expect. `∃` is the date by which the row says that it is deleted.
	 */
	readonly guards: Readonly<Record<string, Json>>;
	/** What ∃ confers when an insert or delete applies, or an update that brings a deleted row back. */
	readonly existence: VersionVector | null;
}

export interface OperationField {
	/** The view's raw value; absent where the expected thing is no row at all: in an insert, or of the part that the column is of. */
	readonly expected?: Json;
	/** The raw value for the target's column; absent in a delete. */
	readonly next?: Json;
	readonly canon: Json;
	/** The vector the view gets when the write is seen to have been applied. */
	readonly vector: VersionVector;
}

export interface StaleRun {
	readonly count: number;
	/** Per field, what had been observed of it when an op that wrote it was last found stale. */
	readonly seen: Readonly<Record<string, VersionVector>>;
}

/** The epoch of a store that has never had to begin a new one. */
export const FIRST_EPOCH = 1;

/**
 * `<link>:<system>:<number>`, in later epochs `<link>:<system>:<epoch>.<number>`. A store that went back to
 * an older copy counts on from numbers that others have had, whose writes may still be on their way.
 */
export function operationId(link: string, system: string, { epoch = FIRST_EPOCH, number }: Pick<Operation, 'epoch' | 'number'>): string {
	return `${link}:${system}:${epoch === FIRST_EPOCH ? '' : `${epoch}.`}${number}`;
}

/** A link of which nothing has been observed. */
export function emptyLink(id: string, entity: string, generation: number): LinkState {
	return {
		id,
		entity,
		generation,
		keys: {},
		seen: {},
		fields: {},
		inFlight: {},
		numbers: {},
		staleRuns: {},
		reviewCount: 0,
	};
}

/**
 * A link whose match values another record of the same system already has. Which of the two is
 * linked is not ours to guess: nothing is created from it until a person decides.
 */
export function ambiguousLink(id: string, entity: string, generation: number): LinkState {
	const reason = 'Another record of the same system already has these match values';
	const frozen: Freeze = { review: `${id}.1`, kind: 'identity', reason };
	const fields = { [EXISTENCE]: { merged: null, views: {}, frozen } };
	return { ...emptyLink(id, entity, generation), fields, reviewCount: 1 };
}

/**
 * The deterministic id of the link that the first observation of a record makes: 32 hex digits.
 * The position is part of it because keys move: a link that was made under a key keeps its id when
 * its row gets another one, and the key may be anybody's after that.
 */
export function linkId(first: {
	policy: string;
	entity: string;
	system: string;
	key: Key;
	generation: number;
	/** Of the first event. */
	position: Position;
}): string {
	const { policy, entity, system, key, generation, position } = first;
	const made = canonicalJson([policy, entity, system, key, generation, position]);
	return sha256Hex(made).slice(0, 32);
}

/** Whether the system's stream last showed the record as there. */
export function existsIn(state: LinkState, system: string): boolean {
	return state.fields[EXISTENCE]?.views[system]?.canon === true;
}

/** Whether the system's stream last showed a row, be it one that says of itself that it is deleted. */
export function hasRowIn(state: LinkState, system: string): boolean {
	const view = state.fields[EXISTENCE]?.views[system];
	return view?.raw === true || view?.canon === true;
}

/** Whether the system has the link's row, and it is none of ours any more. */
export function isOutsideIn(state: LinkState, system: string): boolean {
	return state.fields[EXISTENCE]?.views[system]?.raw === OUTSIDE;
}

/** Whether nothing may be decided or written for the field now. */
export function isStill({ frozen, held }: FieldState): boolean {
	return frozen !== null || held !== undefined;
}

/** The field's state, made empty when it is new. `state` is a draft that the caller owns. */
export function fieldOf(state: LinkState, field: string): FieldState {
	return (state.fields[field] ??= { merged: null, views: {}, frozen: null });
}
