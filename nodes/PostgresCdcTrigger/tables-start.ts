import { SyncError } from '../../src/core/errors';
import { formatLsn } from '../../src/core/lsn';
import { slotProblem, type SlotState, type SystemIdentity } from '../../src/postgres/slot';
import type { TableReading } from '../../src/store/stream-record';
import { askedOf } from './asked-readings';
import type { RowsMode } from './settings';

/** What n8n keeps with a workflow that reads tables without a sync store. It is stored when the workflow is activated, and with each execution. */
export interface TablesMemory {
	stream?: TablesRecord;
}

export interface TablesRecord {
	readonly slot: string;
	readonly systemId: string;
	readonly timeline: number;
	/** Whether the slot has been made: if it is gone then, changes may be. */
	readonly hasSlot: boolean;
	/** How far the rows that were there have been read; null: they were not wanted. */
	readonly reading: readonly TableReading[] | null;
}

export interface TablesFacts {
	/** Null: nothing is known of this slot. */
	readonly record: TablesRecord | null;
	readonly slot: SlotState | null;
	readonly server: Pick<SystemIdentity, 'systemId' | 'timeline'>;
	readonly slotName: string;
	readonly database: string;
	readonly rows: Exclude<RowsMode, 'only'>;
	/** "public.customers". */
	readonly tables: readonly string[];
	/** Up to where this trigger has acknowledged; null: it has not, since n8n was started. */
	readonly acknowledgedLsn: bigint | null;
}

export type TablesStart =
	/** With a new slot. */
	| { readonly kind: 'begin'; readonly staleSlot: string | null; readonly reading: readonly TableReading[] | null }
	/** With the slot that is there. */
	| { readonly kind: 'resume'; readonly reading: readonly TableReading[] | null }
	| { readonly kind: 'refuse'; readonly error: SyncError };

/**
 * Decides how reading starts where there is no sync store that would have kept count. Pure.
 *
 * What n8n keeps may be a little old, so it does not tell where the slot should stand; that it was there, and on which
 * server, it does.
 */
export function judgeTables(facts: TablesFacts): TablesStart {
	const { slot, rows, slotName, database } = facts;
	const problem = slot === null ? null : slotProblem(slot, slotName, database);
	if (problem?.code === 'SLOT_UNUSABLE') return { kind: 'refuse', error: problem };
	const gap = problem ?? gapOf(facts);
	if (gap !== null && (rows !== 'whenNeeded' || isElsewhere(facts))) return { kind: 'refuse', error: gap };
	const reading = gap === null ? openReading(facts) : facts.tables.map(unread);
	if (slot !== null && problem === null) return { kind: 'resume', reading };
	return { kind: 'begin', staleSlot: slot?.name ?? null, reading };
}

/** A slot of that name on another server may be anybody's. */
const isElsewhere = ({ record, slot, server }: TablesFacts): boolean => slot !== null && record !== null && record.systemId !== server.systemId;

function gapOf({ record, slot, server, slotName, acknowledgedLsn }: TablesFacts): SyncError | null {
	if (record === null) return null;
	const missing = (what: string): SyncError => new SyncError('SLOT_MISSING', `Changes may be missing. ${what}`);
	if (record.systemId !== server.systemId) {
		return missing(`Another server (${server.systemId} instead of ${record.systemId}) answers at this address`);
	}
	if (slot === null) return record.hasSlot ? missing(`There is no replication slot "${slotName}" any more`) : null;
	const confirmed = slot.confirmedLsn ?? 0n;
	if (acknowledgedLsn === null || confirmed <= acknowledgedLsn) return null;
	return missing(`Slot "${slotName}" stands at ${formatLsn(confirmed)}, after ${formatLsn(acknowledgedLsn)}: somebody else read from it, or made it anew`);
}

/** Of a table that is new in the settings, nothing has been read. */
function openReading({ rows, record, tables }: TablesFacts): readonly TableReading[] | null {
	const asked = askedOf(record?.reading ?? null);
	if (rows === 'never') return asked.length > 0 ? asked : null;
	const begun = (table: string) => record?.reading?.find((one) => one.table === table && one.asked === undefined);
	return [...tables.map((table) => begun(table) ?? unread(table)), ...asked];
}

/** A table whose rows are to be read from the first one on. */
export const unread = (table: string): TableReading => ({ table, entity: table, hash: '', phase: 'rows', after: null, rows: 0, estimate: null });
