import type { ChangeEvent } from '../../src/core/change-event';
import { equalJson, type Json } from '../../src/core/canonical-json';
import type { Key } from '../../src/core/link';
import type { Row } from '../../src/core/mapping';
import type { Marker, Outcome } from '../../src/core/marker';
import type { EntityPolicy } from '../../src/core/policy';
import { lsnOfPosition, positionOf, STREAM_START, type Position } from '../../src/core/position';
import type { TrueVersion } from './true-causality';

/**
 * One system's database: rows, an ordered log of what was committed, and the ledger of our
 * operations. Immutable, so that a search can keep thousands of them and go back to any.
 */
export interface SimulatedDatabase {
	readonly system: string;
	/** By the text of the key. */
	readonly rows: Readonly<Record<string, SimulatedRow>>;
	/** Committed and not yet acknowledged. */
	readonly log: readonly ChangeEvent[];
	/** The last event ever committed. */
	readonly lastPosition: Position;
	/** By link: the last operation decided here. */
	readonly ledger: Readonly<Record<string, LedgerRow>>;
	/** The number of transactions so far; the next one's commit LSN is one more. */
	readonly lsn: number;
	/** The last key the database has given out. */
	readonly serial: number;
}

export interface SimulatedRow {
	readonly key: Key;
	readonly columns: Row;
	/** By column: who really made the value that stands there. */
	readonly versions: Readonly<Record<string, TrueVersion>>;
}

export interface LedgerRow {
	readonly number: number;
	readonly outcome: Outcome;
}

/** Each database's clock moves by this with every transaction: clocks of two of them say little of each other. */
const TICK_MS = 300;

/** What a database does besides storing rows. */
export interface DatabaseRules {
	readonly entity: EntityPolicy;
	/** A BEFORE trigger: gets the new row, returns the one that is stored. */
	readonly trigger?: (row: Row) => Row;
	/** A CHECK: the database's words when it rejects our row. */
	readonly refuses?: (row: Row) => string | null;
	/** A trigger or row security that makes our updates of this row affect nothing. */
	readonly blocks?: (row: Row) => boolean;
	/** The log does not show the rows that we write, as if a row filter left them out. */
	readonly hidesOurRows?: boolean;
	/** Columns so large that the log leaves them out of an update that does not change them. */
	readonly toast?: readonly string[];
	/** Columns with a unique constraint. */
	readonly unique?: readonly string[];
	/** Deliberate defects, for models that must fail. */
	readonly defects?: { readonly noCompareAndSet?: boolean; readonly reusableOperations?: boolean };
}

export function emptyDatabase(system: string, firstKey: number): SimulatedDatabase {
	return {
		system,
		rows: {},
		log: [],
		lastPosition: STREAM_START,
		ledger: {},
		lsn: 0,
		serial: firstKey - 1,
	};
}

/** One row change or message of a transaction. */
export interface LogLine {
	readonly op: 'c' | 'u' | 'd' | 'm';
	readonly key: Key;
	readonly before: Row | null;
	readonly after: Row | null;
	readonly marker: Marker | null;
	/** Columns that were left out because they did not change. */
	readonly unchanged?: readonly string[];
}

/** An update as the log tells it. */
export function updateLine(
	{ toast = [] }: DatabaseRules,
	{ key, before, after }: { key: Key; before: Row; after: Row },
): Omit<LogLine, 'marker'> {
	const unchanged = toast.filter((column) => equalJson(before[column] ?? null, after[column] ?? null));
	const sent = Object.entries(after).filter(([column]) => !unchanged.includes(column));
	return { op: 'u', key, before, after: Object.fromEntries(sent), unchanged };
}

/** Appends one transaction to the log. */
export function commitTransaction(
	db: SimulatedDatabase,
	entity: string,
	lines: readonly LogLine[],
): SimulatedDatabase {
	if (lines.length === 0) return db;
	const lsn = db.lsn + 1;
	let prev = db.lastPosition;
	const events = lines.map((line, index) => {
		const position = positionOf(BigInt(lsn), index);
		const event = eventOf(line, { system: db.system, entity, position, prev });
		prev = position;
		return event;
	});
	return { ...db, lsn, lastPosition: prev, log: [...db.log, ...events] };
}

/** Drops what the trigger has acknowledged. */
export function acknowledge(db: SimulatedDatabase, upTo: Position): SimulatedDatabase {
	const log = db.log.filter(({ source }) => source.position !== null && source.position > upTo);
	return log.length === db.log.length ? db : { ...db, log };
}

export function keyTextOf(key: Key): string {
	return Object.values(key).map(String).join('/');
}

/** The column of `system` that a field is mapped to. */
export function columnOf(entity: EntityPolicy, system: string, field: string): string {
	const column = entity.fields.get(field)?.columns.get(system)?.column;
	if (column === undefined) throw new Error(`${field} has no column in ${system}`);
	return column;
}

/** By field, the values of a row. */
export function fieldsOfRow(entity: EntityPolicy, system: string, row: Row): [string, Json][] {
	return [...entity.fields.values()].flatMap(({ name, columns }) => {
		const column = columns.get(system)?.column;
		return column === undefined ? [] : [[name, row[column] ?? null] as [string, Json]];
	});
}

function eventOf(
	{ op, key, before, after, marker, unchanged = [] }: LogLine,
	place: { system: string; entity: string; position: Position; prev: Position },
): ChangeEvent {
	const { system, entity, position, prev } = place;
	return {
		changeId: `${system}:${position}`,
		system,
		entity,
		op,
		key,
		before: before === null ? null : { ...before },
		after: after === null ? null : { ...after },
		unchanged: [...unchanged],
		source: { connector: 'simulated', position, prev, tsMs: Number(lsnOfPosition(position)) * TICK_MS, txId: null, snapshot: false },
		marker,
		bisync: {},
	};
}
