import { createHash } from 'node:crypto';

import { canonicalJson } from './canonical-json';
import { ChainedHash } from './chained-hash';
import { digestText, NULL_KIND } from './digest-text';
import { existsIn, hasRowIn, type Key, type LinkState } from './link';
import { keyText } from './mapping';
import type { EntityPolicy } from './policy';
import { systemsAgree } from './reconcile-record';

/** What is hashed of an entity's rows in one system, in this order. */
export interface DigestShape {
	readonly system: string;
	readonly entity: string;
	/** Of the shape itself: digests by another one cannot be compared. A signed 64-bit number, as are all hashes. */
	readonly tag: bigint;
	/** Of the system among those of the entity. */
	readonly place: number;
	readonly key: readonly string[];
	/** By name. */
	readonly fields: readonly { readonly name: string; readonly column: string }[];
}

/** Of one record in one system. */
export interface RowDigest {
	/** Of the key alone. */
	readonly key: bigint;
	/** Of the key and all values; null: something of it is not known, so that it equals no row. */
	readonly row: bigint | null;
}

/** Of the digests in a store: another number, and none of the old ones counts. */
const VERSION = 1;
/** Where the hash of a key begins. */
export const KEY_SEED = 1n;

/** What makes the rows of an entity in a system comparable by their columns alone; a text says what keeps them from it. */
export function digestShape(entity: EntityPolicy, system: string): DigestShape | string {
	const binding = entity.tables.get(system);
	if (!binding || binding.api !== undefined) return 'its records are no rows';
	if (binding.parts.size > 0) return 'a record is made of rows of several tables';
	if (binding.where.size > 0) return 'only some rows are records';
	if (entity.deletes.as.has(system)) return 'deleted rows stay in the table';
	const all = [...entity.fields.values()];
	if (all.some(({ computed }) => computed.has(system))) return 'a field is computed';
	const fields = all.flatMap(({ name, columns }) => {
		const column = columns.get(system)?.column;
		return column === undefined ? [] : [{ name, column }];
	});
	return { system, entity: entity.name, tag: tagOf(entity, system, fields), place: [...entity.tables.keys()].indexOf(system), key: binding.key, fields };
}

/** All that a digest, or whether the systems agree, depends on. */
function tagOf(entity: EntityPolicy, system: string, fields: DigestShape['fields']): bigint {
	const names = [...entity.fields.keys()];
	const parts = [VERSION, entity.name, system, entity.tables.get(system)?.key ?? [], fields, names, [...entity.tables.keys()]];
	return createHash('sha256').update(canonicalJson(parts)).digest().readBigInt64BE();
}

/** Of the row that the stream has shown; null: it has shown none. */
export function digestOf(state: LinkState, shape: DigestShape): RowDigest | null {
	const { system } = shape;
	const key = state.keys[system];
	if (key === undefined || !hasRowIn(state, system)) return null;
	const hash = hashOfKey(key, shape);
	const found = { key: hash.value, row: null };
	if (!existsIn(state, system)) return found;
	for (const { name } of shape.fields) {
		const view = state.fields[name]?.views[system];
		if (view === undefined) return found;
		const { text, kind } = digestText(view.raw);
		hash.add(text, kind);
	}
	return { key: found.key, row: hash.value };
}

/** A column that the key lacks is as null is: no row has it so. */
export function hashOfKey(key: Key, shape: Pick<DigestShape, 'key'>): ChainedHash {
	const hash = new ChainedHash(KEY_SEED);
	for (const column of shape.key) {
		const value = key[column] ?? null;
		if (value === null) hash.add('', NULL_KIND);
		else hash.add(keyText(value));
	}
	return hash;
}

/** What a store keeps of a link beside its document, so that many are compared without reading any. */
export interface LinkDigest {
	/** By place; null: the entity's rows in that system have no digests. */
	readonly rows: readonly ({ readonly tag: bigint; readonly digest: RowDigest | null } | null)[];
	/** By what the streams have shown, the record is not the same in all systems. */
	readonly differs: boolean;
}

export function linkDigest(state: LinkState, entity: EntityPolicy): LinkDigest {
	return {
		rows: digestShapes(entity).map((shape) => shape && { tag: shape.tag, digest: digestOf(state, shape) }),
		differs: !systemsAgree(state, [...entity.tables.keys()], entity),
	};
}

const known = new WeakMap<EntityPolicy, readonly (DigestShape | null)[]>();

/** By place; null: the entity's rows in that system have no digests. */
export function digestShapes(entity: EntityPolicy): readonly (DigestShape | null)[] {
	const before = known.get(entity);
	if (before) return before;
	const shapes = [...entity.tables.keys()].map((system) => {
		const shape = digestShape(entity, system);
		return typeof shape === 'string' ? null : shape;
	});
	known.set(entity, shapes);
	return shapes;
}

/** Of many rows at once. */
export interface HashSums {
	readonly rows: number;
	/** By bucket, the sum of the rows' hashes, in decimal digits. A bucket without rows is missing. */
	readonly sums: ReadonlyMap<number, string>;
}
