import type { Json } from '../../../src/core/canonical-json';
import { EXISTENCE } from '../../../src/core/link';
import type { Row } from '../../../src/core/mapping';
import { columnsRead, type EntityPolicy, type TableBinding } from '../../../src/core/policy';
import { editOf, type RehearsalCase } from '../../../src/core/rehearse-cases';
import type { RehearsedRecord } from '../../../src/core/rehearsed-record';
import { fieldTitle } from '../../../src/core/sign-off-words';
import { RECORD } from '../check-names';
import { shortName } from '../table-name';
import { byTable, deleteSql, tableRows, updateSql } from './invented-tables';

/** A case that the rules have been carried out on: what happens, where it starts, what it comes to. */
export interface CarriedOut {
	readonly one: RehearsalCase;
	readonly begun: RehearsedRecord;
	readonly record: RehearsedRecord;
}

export type ScenarioDocument = Readonly<Record<string, Json>>;

/** Everything that stands before the first step, by system. */
export interface Stage {
	readonly policy: string;
	readonly setup: Readonly<Record<string, Json>>;
	readonly given: Readonly<Record<string, Json>>;
}

/** The scenario that plays the case on databases and expects what the rules alone have come to. */
export function scenarioOf(carried: CarriedOut, { policy, setup, given }: Stage): ScenarioDocument {
	const { one, begun } = carried;
	const title = `${begun.entity.name}, ${fieldTitle(one.field)}: ${one.happens}`;
	return { name: title, policy, setup, given, steps: [...acts(carried), 'pump', { expect: expectation(carried) }] };
}

/** What users do, in the order in which the case says it. */
function acts({ one, begun }: CarriedOut): Json[] {
	const { entity, rows } = begun;
	const at = (system: string): { binding: TableBinding; row: Row } => {
		const binding = entity.tables.get(system);
		if (binding === undefined) throw new TypeError(`${entity.name} has no table in ${system}`);
		return { binding, row: rows.get(system) ?? {} };
	};
	const deletes = one.deletes.map((system): Json => ({ sql: { [system]: endSql(entity, at(system)) } }));
	const edits = Object.entries(one.writes).map(([system, canon]): { system: string; step: Json } => {
		const { column, raw } = editOf(begun, { system, field: one.field, canon });
		const { binding, row } = at(system);
		return { system, step: { sql: { [system]: updateSql(binding, row, { column, raw }) } } };
	});
	const { late } = one;
	const inTime = edits.filter(({ system }) => system !== late).flatMap(({ system, step }) => [...clock(one, system), step]);
	const last = edits.filter(({ system }) => system === late).map(({ step }) => step);
	return [...deletes, ...inTime, ...(late === undefined ? [] : [{ pause: { system: late, at: 'before-write' } }, ...last])];
}

function clock({ laterMs }: RehearsalCase, system: string): Json[] {
	const later = laterMs[system] ?? 0;
	return later === 0 ? [] : [{ clock: { [system]: `+${later}ms` } }];
}

function endSql(entity: EntityPolicy, { binding, row }: { binding: TableBinding; row: Row }): string {
	const soft = entity.deletes.as.get(binding.system);
	if (soft === undefined) return deleteSql(binding, row);
	return updateSql(binding, row, { column: soft.column, raw: 'passed' in soft ? '2000-01-01T00:00:00Z' : soft.deleted });
}

function expectation({ record, one }: CarriedOut): Json {
	const { entity, reviews } = record;
	const items = reviews.map(({ kind, fields }): Json => ({ kind, field: shown(fields.includes(one.field) ? one.field : (fields[0] ?? EXISTENCE)) }));
	const rows = [...entity.tables.values()].map((binding) => [binding.system, expectedRows(entity, binding, record.rows.get(binding.system))] as const);
	return { ...Object.fromEntries(rows), reviews: items.length === 0 ? 0 : items };
}

const shown = (field: string): string => (field === EXISTENCE ? RECORD : field);

/** What the sync knows of a row; a key that the database makes is not known. */
function expectedRows(entity: EntityPolicy, binding: TableBinding, row: Row | undefined): Json {
	if (row === undefined) return { [shortName(binding)]: [] };
	const known = knownColumns(entity, binding.system);
	const found = tableRows(binding, row).map((one) => {
		const part = [...binding.parts.values()].find(({ schema, table }) => schema === one.schema && table === one.table);
		const prefix = part === undefined ? '' : `${part.name}.`;
		return { ...one, row: Object.fromEntries(Object.entries(one.row).filter(([column]) => known.has(prefix + column))) };
	});
	return byTable(found);
}

function knownColumns({ fields, deletes }: EntityPolicy, system: string): Set<string> {
	const soft = deletes.as.get(system);
	const marked = soft === undefined || 'passed' in soft ? [] : [soft.column];
	return new Set([...[...fields.values()].flatMap((field) => columnsRead(field, system)), ...marked]);
}
