import { canonicalJson, equalJson, type Json } from './canonical-json';
import { refused, type Codec, type CodecResult } from './codecs/codec';
import { compute } from './computed';
import { SyncError } from './errors';
import type { Key } from './link';
import type { ColumnBinding, ComputedBinding, EntityPolicy, Policy } from './policy';

/** Column → value, as in a change event's `before` and `after`. */
export type Row = Readonly<Record<string, Json>>;

/**
 * What a row says about one field.
 *
 * - `value`: `raw` as sent, `canon` after the codec.
 * - `unreadable`: the codec refuses `raw`; `reason` completes "The value …" and holds no value.
 * - `unchanged`: the source did not send the column because it did not change (TOAST).
 * - `absent`: the row has no such column: nothing is known, which is not null.
 */
export type FieldReading =
	| { readonly state: 'value'; readonly raw: Json; readonly canon: Json }
	| { readonly state: 'unreadable'; readonly raw: Json; readonly reason: string }
	| { readonly state: 'unchanged' }
	| { readonly state: 'absent' };

export interface ReadOptions {
	/** Columns that were not sent because they did not change; they win over the row. */
	readonly unchanged?: readonly string[];
	/** The fields to read; default all. */
	readonly names?: Iterable<string>;
}

/**
 * Reads the mapped fields of one system's row. Total: a value that cannot be read is reported, not thrown.
 *
 * @returns one reading for each of them that the system carries, by field name
 */
export function readFields(
	entity: EntityPolicy,
	system: string,
	row: Row,
	{ unchanged = [], names = entity.fields.keys() }: ReadOptions = {},
): ReadonlyMap<string, FieldReading> {
	const readings = new Map<string, FieldReading>();
	for (const name of names) {
		const field = entity.fields.get(name);
		const binding = field?.columns.get(system);
		const computed = field?.computed.get(system);
		if (binding) readings.set(name, readColumn(binding, row, unchanged));
		else if (computed) readings.set(name, readComputed(computed, row, unchanged));
	}
	return readings;
}

/**
 * The raw value with which a system's column says `canon`. Refuses a value that would not read
 * back as itself: writing it would come back as a change and start a loop.
 */
export function rawFor(
	entity: EntityPolicy,
	system: string,
	field: string,
	canon: Json,
): CodecResult {
	const policy = entity.fields.get(field);
	const codec = policy?.columns.get(system)?.codec;
	if (!codec) {
		const isComputed = policy?.computed.has(system) ?? false;
		return refused(isComputed ? `is computed in ${system}` : `has no column in ${system}`);
	}
	const written = codec.toRaw(canon);
	if (!written.ok) return written;
	const readBack = codec.toCanon(written.value);
	if (readBack.ok && equalJson(readBack.value, canon)) return written;
	return refused(`would not read back as itself from ${system} under ${codec.name}`);
}

/**
 * The row's key in `system`. Values become text, so that 42 and '42' (a number from an API, an
 * int8 from the log) are the same key.
 *
 * @throws SyncError KEY_INCOMPLETE when a key column is absent or null, or the entity has no table in `system`.
 */
export function keyOf(entity: EntityPolicy, system: string, row: Row): Key {
	const columns = entity.tables.get(system)?.key ?? [];
	if (columns.length === 0) {
		throw new SyncError('KEY_INCOMPLETE', `The entity "${entity.name}" has no table in ${system}`);
	}
	return Object.fromEntries(
		columns.map((column): [string, Json] => {
			const value = Object.hasOwn(row, column) ? row[column] : undefined;
			if (value !== undefined && value !== null) return [column, keyText(value)];
			const what = value === null ? 'null' : 'missing';
			const place = `of a ${entity.name} row of ${system}`;
			throw new SyncError('KEY_INCOMPLETE', `The key column "${column}" ${place} is ${what}`);
		}),
	);
}

/** The entity that a table of `system` holds, or holds a part of, or undefined when the policy does not name the table. */
export function entityOfTable(
	policy: Policy,
	system: string,
	schema: string,
	table: string,
): EntityPolicy | undefined {
	for (const entity of policy.entities.values()) {
		const binding = entity.tables.get(system);
		const tables = binding ? [binding, ...binding.parts.values()] : [];
		if (tables.some((one) => one.schema === schema && one.table === table)) return entity;
	}
	return undefined;
}

function readColumn(
	{ column, codec }: ColumnBinding,
	row: Row,
	unchanged: readonly string[],
): FieldReading {
	if (unchanged.includes(column)) return { state: 'unchanged' };
	const raw = Object.hasOwn(row, column) ? row[column] : undefined;
	return raw === undefined ? { state: 'absent' } : readRaw(codec, raw);
}

function readComputed(
	binding: ComputedBinding,
	row: Row,
	unchanged: readonly string[],
): FieldReading {
	const computed = compute(binding, row, unchanged);
	return computed.state === 'value' ? readRaw(binding.codec, computed.raw) : computed;
}

function readRaw(codec: Codec, raw: Json): FieldReading {
	const read = codec.toCanon(raw);
	return read.ok
		? { state: 'value', raw, canon: read.value }
		: { state: 'unreadable', raw, reason: read.reason };
}

/** A key value as text. */
export function keyText(value: Json): string {
	return typeof value === 'string' ? value : canonicalJson(value);
}
