import { equalJson, type Json } from './canonical-json';
import { EXISTENCE, existsIn, type LinkState, type Operation, type OperationField } from './link';
import { keyText, readFields, type FieldReading, type Row } from './mapping';
import { payloadOfRow, type Payload } from './payload';
import { columnOf, type EntityPolicy, type FieldPolicy } from './policy';
import type { RecordChange } from './record-change';
import { presenceOf } from './row-presence';

/** An operation as a request to an API: what is sent, and to what. */
export interface ApiRequest {
	/** A record that stays and is marked as deleted is updated, though its operation is a delete. */
	readonly kind: Operation['kind'];
	readonly body: Payload;
	/** The same by property, paths with dots. */
	readonly flat: Row;
	/** By property, the raw values that the record must have. */
	readonly expected: Row;
}

/** What is sent for an operation. */
export function requestOf(op: Operation, entity: EntityPolicy): ApiRequest {
	const { system, fields, kind, existence, guards } = op;
	const soft = entity.deletes.as.get(system);
	const binding = entity.tables.get(system);
	const named = Object.entries(fields).flatMap(([name, field]): [string, OperationField][] => {
		const column = columnOf(entity, name, system);
		return column === undefined ? [] : [[column, field]];
	});
	const written = kind === 'delete' ? [] : named.flatMap(([column, { next }]): [string, Json][] => (next === undefined ? [] : [[column, next]]));
	const marked: [string, Json][] = soft && existence !== null ? [[soft.column, kind === 'delete' && !('passed' in soft) ? soft.deleted : soft.live]] : [];
	const given = kind === 'insert' ? [...(binding?.insert ?? [])].flatMap(([column, value]): [string, Json][] => (value.kind === 'constant' ? [[column, value.value]] : [])) : [];
	const scope = kind === 'insert' ? [...(binding?.where ?? [])].flatMap(([column, [value = null]]): [string, Json][] => [[column, value]]) : [];
	const flat = Object.fromEntries([...scope, ...given, ...marked, ...written]);
	const expected = [...named.flatMap(([column, field]): [string, Json][] => (field.expected === undefined ? [] : [[column, field.expected]])), ...guardsOf({ system, guards }, entity)];
	return {
		kind: kind === 'delete' && soft !== undefined && existence !== null ? 'update' : kind,
		body: payloadOfRow(flat),
		flat,
		expected: Object.fromEntries(expected),
	};
}

function guardsOf({ system, guards }: Pick<Operation, 'system' | 'guards'>, entity: EntityPolicy): [string, Json][] {
	return Object.entries(guards).flatMap(([name, raw]): [string, Json][] => {
		const column = columnOf(entity, name, system);
		return column === undefined ? [] : [[column, raw]];
	});
}

/**
 * Whether a reading shows all that the operation writes. Then it has been applied, or somebody has done the same
 * by hand, which comes to the same.
 */
export function showsOperation(state: LinkState, op: Operation, { change, entity }: { change: RecordChange; entity: EntityPolicy }): boolean {
	const isRecord = presenceOf(state, change, entity) === 'record';
	if (op.kind === 'delete') return !isRecord;
	if (!isRecord) return false;
	const readings = readFields(entity, op.system, change.columns);
	return Object.entries(op.fields).every(([name, written]) => {
		if (written.next === undefined) return true;
		const reading = readings.get(name);
		return reading !== undefined && showsValue(reading, written, entity.fields.get(name));
	});
}

function showsValue(reading: FieldReading, { canon, next }: OperationField, field: FieldPolicy | undefined): boolean {
	if (reading.state !== 'value') return false;
	if (field?.references == null) return equalJson(reading.canon, canon);
	return reading.raw === null || next == null ? equalJson(reading.raw, next ?? null) : keyText(reading.raw) === keyText(next);
}

/** Whether the link has another record by now than the one that the operation is for: that one was deleted, and made anew under another key. */
export function isForAnother({ keys }: LinkState, { kind, key, system }: Operation): boolean {
	return kind !== 'insert' && !equalJson({ ...keys[system] }, { ...key });
}

/** Whether the record still is, as far as is known, what the operation expects. */
export function stillExpected(state: LinkState, op: Operation, entity: EntityPolicy): boolean {
	const exists = existsIn(state, op.system);
	if (op.kind === 'insert') return !exists;
	if (isForAnother(state, op)) return false;
	const isRevival = op.kind === 'update' && op.existence !== null;
	if (exists === isRevival) return false;
	const expectations = Object.entries(op.fields).flatMap(([name, { expected }]): [string, Json][] => (expected === undefined ? [] : [[name, expected]]));
	return [...expectations, ...Object.entries(op.guards)].every(([name, expected]) => {
		const view = state.fields[name]?.views[op.system];
		if (view === undefined) return name === EXISTENCE;
		if (equalJson(view.raw, expected)) return true;
		const field = entity.fields.get(name);
		const read = field?.columns.get(op.system)?.codec.toCanon(expected);
		return field?.references == null && view.unreadable === undefined && read?.ok === true && equalJson(read.value, view.canon);
	});
}
