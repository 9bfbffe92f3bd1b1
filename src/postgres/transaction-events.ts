import { canonicalJson } from '../core/canonical-json';
import type { ChangeEvent } from '../core/change-event';
import { SyncError } from '../core/errors';
import type { Key } from '../core/link';
import { type Marker, parseMarker } from '../core/marker';
import { previousKeyOf } from '../core/record-change';
import { asPart, columnOfPart } from '../core/record-parts';
import { envelope, type EventBody, type EventOrigin } from './event-envelope';
import type { EventPart, EventTable } from './event-tables';
import type { TableName } from './publication';
import { RowValues } from './row-plan';
import {
	type MessageChange,
	oldRowValues,
	type Relation,
	type RowChange,
	rowValues,
	type SourceChange,
	type SourceTransaction,
} from './source-transaction';
import { tableName } from './sql';

/** An event before it is known whether it stands alone, and so before it has an index. */
export interface Draft extends Omit<EventBody, 'marker'> {
	readonly lsn: bigint;
	readonly table: TableName | null;
	marker: Marker | null;
	isPaired: boolean;
}

export interface EventRun {
	readonly transaction: Omit<SourceTransaction, 'changes' | 'spool'>;
	readonly origin: EventOrigin;
	/** How many events of the transaction come before. */
	readonly firstIndex: number;
	/** See `EventPlace`. */
	readonly rowCounts?: ReadonlyMap<string, number>;
}

/** The events of some changes of a transaction: all that there are of their records. */
export function eventsOf(drafts: readonly Draft[], run: EventRun): ChangeEvent[] {
	pairMarkers(drafts);
	const write = eventWriter(run);
	const events: ChangeEvent[] = [];
	for (const draft of drafts) if (!draft.isPaired) events.push(write(draft, run.firstIndex + events.length));
	return events;
}

/** Makes events of changes whose records have no markers, or are paired with theirs. */
export function eventWriter({ transaction, origin, rowCounts }: Omit<EventRun, 'firstIndex'>): (draft: Draft, index: number) => ChangeEvent {
	const { commitLsn, commitTsMs: tsMs, xid } = transaction;
	const put = envelope(origin, { commitLsn, tsMs, txId: String(xid), isSnapshot: false });
	return (draft, index) => put(draft, { lsn: draft.lsn, index, table: draft.table, txRows: rowCounts?.get(draft.entity) });
}

const noRow = () => ({ before: null, after: null, unchanged: [], isPaired: false });

/** @returns what one change of a transaction is: nothing for what is not mapped */
export function drafting({ tables, isMarker, markerSystem }: EventOrigin): (change: SourceChange) => readonly Draft[] {
	return (change) => {
		if (change.kind === 'message') {
			const draft = isMarker(change.prefix) ? markerDraft(change, markerSystem) : null;
			return draft ? [draft] : [];
		}
		if (change.kind !== 'row') return [];
		const { relation } = change;
		const of = tables.ofRelation(relation);
		if (of?.kind === 'record') return [rowDraft(change, of.table)];
		return of ? partDrafts(change, of.table) : [];
	};
}

/**
 * The keys of the record that a draft speaks of, as texts: drafts of one record have one in common. (So may those of others,
 * once in a lifetime: nothing is escaped.)
 */
export function recordsOf(draft: Draft): string[] {
	if (draft.op === 't') return [];
	const key = draft.op === 'm' ? draft.marker?.key : draft.key;
	if (!key) return [];
	const previous = draft.op === 'm' ? null : previousKeyOf(draft);
	return previous === null ? [looseText(draft.entity, key)] : [looseText(draft.entity, key), looseText(draft.entity, previous)];
}

function looseText(entity: string, key: Key): string {
	const columns = Object.keys(key).sort();
	return columns.reduce((name, column) => recordName(name, String(key[column])), recordName(entity));
}

/** A name of a record is put together text by text: of its entity, then of its key's columns in the order of their names. */
export function recordName(before: string, text?: string): string {
	return text === undefined ? before : `${before}\n${text}`;
}

function markerDraft({ content, lsn }: MessageChange, system: string | null): Draft | null {
	const marker = parseMarker(content);
	// Not one of ours although it has our prefix; or of a write to another system in this database.
	if (!marker || (system !== null && marker.system !== system)) return null;
	return {
		...noRow(),
		entity: marker.entity,
		op: 'm',
		key: { ...marker.key },
		lsn,
		table: null,
		marker,
	};
}

const OPS = { i: 'c', u: 'u', d: 'd' } as const;

function rowDraft(change: RowChange, table: EventTable): Draft {
	const { op, relation, lsn } = change;
	const { entity } = table;
	if (op === 't') return { ...noRow(), entity, op: 't', key: {}, lsn, table, marker: null };
	if (op !== 'i') requireIdentity(relation, table);
	const row = change.new ? rowValues(relation, change.new) : null;
	return new RowDraft(OPS[op], lsn, table, { old: knownOld(change, row, table), row });
}

/**
 * The version before a change, as far as the log has it. A partition that logs keys alone, of a table whose identity is full, has
 * nulls for all other columns, which they were not. It has an old version only where the row is gone, or has got another
 * key: one that is null beside the key there counts as unknown, also in the rare case that it was so.
 */
function knownOld(change: RowChange, row: RowValues | null, { key }: Pick<EventTable, 'key'>): RowValues | null {
	const old = oldRowValues(change);
	if (old === null || change.relation.replicaIdentity !== 'full') return old;
	if (row !== null && key.every((column) => old.values[column] === row.values[column])) return old;
	const others = Object.keys(old.values).filter((column) => !key.includes(column));
	if (others.length === 0 || others.some((column) => old.values[column] !== null)) return old;
	return new RowValues(Object.fromEntries(key.map((column) => [column, old.values[column] ?? null])), []);
}

/** A class for the reason that `ChangedRow` is one. */
class RowDraft implements Draft {
	readonly entity: string;
	readonly key: Key;
	readonly before: Draft['before'];
	readonly after: Draft['after'];
	readonly unchanged: string[];
	marker: Marker | null = null;
	isPaired = false;

	constructor(
		readonly op: 'c' | 'u' | 'd',
		readonly lsn: bigint,
		readonly table: EventTable,
		{ old, row }: { readonly old: RowValues | null; readonly row: RowValues | null },
	) {
		this.entity = table.entity;
		this.key = table.keyOf(keyRow(table, old, row));
		this.before = old?.values ?? null;
		this.after = row?.values ?? null;
		this.unchanged = row?.unchanged ?? [];
	}
}

/** What has the key. A key that did not change may not have been sent anew, but then the old one was. */
function keyRow({ key }: Pick<EventTable, 'key'>, old: RowValues | null, row: RowValues | null): RowValues['values'] {
	if (old === null || row === null) return (row ?? old)?.values ?? {};
	return key.every((column) => Object.hasOwn(row.values, column)) ? row.values : { ...old.values, ...row.values };
}

/**
 * A row of a part, as an event of its record. One that goes over to another record is a row less for the
 * one, and a row more for the other; one that belongs to none is nobody's.
 */
function partDrafts(change: RowChange, table: EventPart): Draft[] {
	const { op, relation, lsn } = change;
	const { entity, name: part } = table;
	const event = { ...noRow(), entity, part, lsn, table, marker: null };
	if (op === 't') return [{ ...event, op: 't', key: {} }];
	if (op !== 'i') requireIdentity(relation, table);
	const row = change.new ? rowValues(relation, change.new) : null;
	const old = knownOld(change, row, table);
	const before = old && asPart(part, old.values);
	const [from, to] = [old ?? row, row].map((values) => values && table.keyOf(keyRow(table, old, values)));
	const gone = (key: Key): Draft => ({ ...event, op: 'd', key, before });
	const there = (key: Key, how: 'c' | 'u'): Draft => ({
		...event,
		op: how,
		key,
		before: how === 'u' ? before : null,
		after: asPart(part, row?.values ?? {}),
		unchanged: (row?.unchanged ?? []).map((column) => columnOfPart(part, column)),
	});
	if (op === 'i') return to ? [there(to, 'c')] : [];
	if (op === 'd') return from ? [gone(from)] : [];
	if (from && to && canonicalJson(from) === canonicalJson(to)) return [there(to, 'u')];
	return [...(from ? [gone(from)] : []), ...(to ? [there(to, 'c')] : [])];
}

/** Without the key among the old values a row that changes its key would look like a new record. */
function requireIdentity({ columns }: Relation, { schema, table, key }: Pick<EventTable, 'schema' | 'table' | 'key'>): void {
	if (key.every((name) => columns.some((column) => column.isIdentity && column.name === name))) return;
	const name = tableName({ schema, table });
	throw new SyncError(
		'KEY_INCOMPLETE',
		`The log does not name changed rows of ${name} by their key (${key.join(', ')}): run alter table ${name} replica identity full`,
	);
}

/**
 * A marker goes with the last event of its record. Where a key has had several lives in the
 * transaction (we deleted one record and made another under its key), the markers that name it are
 * theirs in order, the last one the last life's.
 */
function pairMarkers(drafts: readonly Draft[]): void {
	// A write that changed nothing has no row: one that stands under its key is another record's.
	const markers = drafts.filter(({ marker }) => marker?.outcome === 'applied');
	if (markers.length === 0) return;
	const lives = livesOf(drafts);
	const byRecord = new Map<string, Draft[]>();
	for (const draft of markers) {
		const { marker } = draft;
		if (!marker?.key) continue;
		const record = recordText(marker.entity, marker.key);
		byRecord.set(record, [...(byRecord.get(record) ?? []), draft]);
	}
	for (const [record, ours] of byRecord) {
		const rows = lives.get(record) ?? [];
		// One write of ours for each life; more markers than lives are somebody's copies.
		const first = Math.max(0, rows.length - ours.length);
		ours.forEach((draft, index) => {
			const row = rows[first + index]?.bearer;
			if (!row || row.marker !== null) return;
			row.marker = draft.marker;
			draft.isPaired = true;
		});
	}
}

interface Life {
	/** The event that a marker goes with: the last one of the main row, or of the parts where that has none. */
	readonly bearer: Draft;
	readonly isOver: boolean;
}

/** By record, the lives that its key has had; a record that changed its key is found by both keys. */
function livesOf(drafts: readonly Draft[]): Map<string, Life[]> {
	const lives = new Map<string, Life[]>();
	for (const draft of drafts) {
		if (draft.op === 'm' || draft.op === 't') continue;
		const previous = previousKeyOf(draft);
		for (const key of previous ? [previous, draft.key] : [draft.key]) {
			const record = recordText(draft.entity, key);
			const known = lives.get(record) ?? [];
			const last = known.at(-1);
			lives.set(record, last && goesOn(last, draft) ? [...known.slice(0, -1), longer(last, draft)] : [...known, longer(null, draft)]);
		}
	}
	return lives;
}

/** What becomes of a part's row goes on with the life, also when a delete takes it along. */
function goesOn({ isOver }: Life, { part }: Draft): boolean {
	return !isOver || part !== undefined;
}

function longer(life: Life | null, draft: Draft): Life {
	if (draft.part === undefined) return { bearer: draft, isOver: draft.op === 'd' };
	return life === null || life.bearer.part !== undefined ? { bearer: draft, isOver: false } : life;
}

const recordText = (entity: string, key: Key): string => canonicalJson([entity, key]);
