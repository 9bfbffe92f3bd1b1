import type { Json } from './canonical-json';
import type { LinkState, Operation } from './link';
import type { Position } from './position';
import { compareVersions } from './record-version';

/**
 * A system behind an API has no change stream. What stands in for one is kept per link: the order of
 * its readings (`LinkState.seen`, counted up by each that was observed), the provider's own version of
 * the record where it has one, and what is known of the request by which an operation was sent, because
 * no marker comes back with the record.
 */
export interface ApiRecord {
	/** The provider's version of the state that was read last: a sequence number or a time, as it was given. */
	readonly version?: string;
	/** What a conditional write of that state sends as its condition; only where the whole record was read. */
	readonly etag?: string;
	/** What is known was told in parts since the whole record was read last: an older reading may still bring news. */
	readonly inParts?: true;
	/** What is known is later than `version`, by how much nobody has said. */
	readonly unplaced?: true;
	/** Beside `unplaced`: the ETag that went with `version`. */
	readonly replaced?: string;
	/** The last write without a condition, if the versions say when it was. */
	readonly wrote?: BlindWrite;
	/** The last request for an operation that is in flight. */
	readonly attempt?: Attempt;
}

/** What a write without a condition was about: a reading that comes late may tell of a value that it has replaced. */
export interface BlindWrite {
	/** The version that was known when the request was begun. */
	readonly after: string;
	/** By field: the raw value that the record was thought to hold, and what was written. */
	readonly fields: Readonly<Record<string, { readonly expected?: Json; readonly canon: Json }>>;
}

/** One or several requests for the same operation, one after the other. */
export interface Attempt {
	readonly op: string;
	/** Requests begun so far, from 1. */
	readonly count: number;
	/** `reading`: the record is read before anything is sent; `running`: the write is sent; `over`: somebody has heard how it ended. */
	readonly state: 'reading' | 'running' | 'over';
	/** How the last write that was sent ended. Absent: none was sent. */
	readonly last?: Ending;
	/** What the API had said of the record when the request was begun. Absent: an older version of this pack began it. */
	readonly at?: RecordMark;
	/** One of the requests may have been carried out without anybody hearing of it. Absent: of each it is known how it ended. */
	readonly unheard?: true;
	/** `at` of the first of them. */
	readonly unheardAt?: RecordMark;
	/** What had been observed of the record when it was begun. */
	readonly seen: Position | null;
}

/** By which an API says that a record has changed. Empty: it says nothing. */
export type RecordMark = Pick<ApiRecord, 'version' | 'etag'>;

/**
 * - `unsent`: for certain nothing was written; `unsure`: nobody knows.
 * - `stale`: the condition did not hold (or a new record's place was taken): the record must be read.
 * - `written`: the API has taken the write and has not shown what it made of it.
 */
export type Ending = 'unsent' | 'unsure' | 'stale' | 'written';

/** What an API said of a record besides its values. */
export interface ReadingFacts {
	readonly version?: string;
	readonly etag?: string;
	/** All properties that the policy maps were there. */
	readonly whole: boolean;
}

/** What is known of the system's record; nothing known is an empty object. */
export function apiRecordOf({ api }: LinkState, system: string): ApiRecord {
	return api?.[system] ?? {};
}

export function markOf(state: LinkState, system: string): RecordMark {
	const { version, etag } = apiRecordOf(state, system);
	return { ...(version === undefined ? {} : { version }), ...(etag === undefined ? {} : { etag }) };
}

/** Whether the API says that the record has changed between two marks. */
export function isLater({ version, etag }: RecordMark, before: RecordMark): boolean {
	if (version !== undefined && before.version !== undefined) return compareVersions(version, before.version) === 'newer';
	return etag !== undefined && before.etag !== undefined && etag !== before.etag;
}

/**
 * Whether a reading is from before what is known, although somebody has just asked for it: our write has replaced this very
 * state, and its answer did not say by what. Where the clock of the versions is coarse, only the ETag tells.
 */
export function isReplaced({ version, etag }: RecordMark, { version: before, unplaced, replaced }: ApiRecord): boolean {
	if (unplaced === undefined || version === undefined || before === undefined) return false;
	return compareVersions(version, before) === 'same' && (etag === undefined || replaced === undefined || etag === replaced);
}

/** The requests for the operation that is in flight to the system; null: nothing has been begun for it. */
export function attemptOf(state: LinkState, system: string): Attempt | null {
	const { attempt } = apiRecordOf(state, system);
	return attempt !== undefined && attempt.op === state.inFlight[system]?.id ? attempt : null;
}

/** Whether a write may have been carried out that is not known to have been. */
export function mayHaveBeenWritten(state: LinkState, system: string): boolean {
	const attempt = attemptOf(state, system);
	return attempt !== null && (attempt.state === 'running' || attempt.unheard === true || attempt.last === 'written');
}

/** The same state with this attempt noted. Pure: it is how the journal is replayed. */
export function withAttempt(state: LinkState, system: string, attempt: Attempt): LinkState {
	return { ...state, api: { ...state.api, [system]: { ...apiRecordOf(state, system), attempt } } };
}

/** Notes what a reading said besides its values, and forgets the requests for an operation that has been settled. `state` is a draft that the caller owns. */
export function noteReading(state: LinkState, system: string, facts: ReadingFacts | undefined): void {
	const known = state.api?.[system];
	if (known === undefined && facts === undefined) return;
	const attempt = attemptOf(state, system);
	const { attempt: _request, ...rest } = known ?? {};
	const next = { ...(facts ? placed(rest, facts) : rest), ...(attempt ? { attempt } : {}) };
	const { [system]: _before, ...others } = state.api ?? {};
	const api = Object.keys(next).length === 0 ? others : { ...others, [system]: next };
	if (Object.keys(api).length === 0) delete state.api;
	else state.api = api;
}

/** A write without a condition has been applied; `before` has its request. `state` is a draft that the caller owns. */
export function noteBlindWrite(state: LinkState, { system, fields }: Operation, before: LinkState): void {
	const after = attemptOf(before, system)?.at?.version;
	const written = Object.entries(fields).flatMap(([name, { canon, expected, next }]) => (next === undefined ? [] : [[name, { canon, ...(expected === undefined ? {} : { expected }) }] as const]));
	if (after === undefined || written.length === 0) return;
	state.api = { ...state.api, [system]: { ...apiRecordOf(state, system), wrote: { after, fields: Object.fromEntries(written) } } };
}

function placed({ version: before, etag: etagBefore, replaced = etagBefore, wrote }: ApiRecord, { version, etag, whole }: ReadingFacts): ApiRecord {
	const isPlaced = version !== undefined && (before === undefined || compareVersions(version, before) !== 'older');
	const known = isPlaced ? version : before;
	return {
		...(known === undefined ? {} : { version: known }),
		...(whole && etag !== undefined ? { etag } : {}),
		...(whole ? {} : { inParts: true as const }),
		...(wrote === undefined ? {} : { wrote }),
		...(!isPlaced && before !== undefined ? { unplaced: true as const, ...(replaced === undefined ? {} : { replaced }) } : {}),
	};
}
