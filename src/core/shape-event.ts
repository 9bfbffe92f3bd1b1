import { createHmac } from 'node:crypto';

import { canonicalJson, type Json } from './canonical-json';
import type { ChangeEvent } from './change-event';
import type { Key } from './link';
import type { Marker } from './marker';
import { MASK } from './mask';

/**
 * What may leave a trigger of a change event: which columns, and which of them only masked.
 *
 * - `hash`: HMAC-SHA-256 of the value. Equal values stay equal, in every column and table with the same key.
 * - `redact`: the same sign for every value.
 * - `drop`: nothing, not even that the row has such a column.
 */
export type MaskKind = 'hash' | 'redact' | 'drop';

export interface TableShape {
	/** The columns that are sent, besides those of the key; null: all. */
	readonly columns: ReadonlySet<string> | null;
	readonly masks: ReadonlyMap<string, MaskKind>;
}

/** What a shape looks at. Everything else in an event says where it stands, and holds no value of a row. */
export type Shaped = Pick<ChangeEvent, 'key' | 'before' | 'after' | 'unchanged' | 'marker'>;

/**
 * The event as it may leave. Null stays null, which is no value: that there is none can still be seen.
 *
 * @param maskKey - of the hashes
 */
export function shapeEvent<E extends Shaped>(event: E, { columns, masks }: TableShape, maskKey: string): E {
	const isSent = (column: string): boolean =>
		masks.get(column) !== 'drop' && (columns === null || columns.has(column) || Object.hasOwn(event.key, column));
	const row = (values: Row | null): Row | null => values && maskedRow(values, { isSent, masks, maskKey });
	const { key, before, after, unchanged, marker } = event;
	return {
		...event,
		key: maskedRow(key, { isSent: () => true, masks, maskKey }),
		before: row(before),
		after: row(after),
		unchanged: unchanged.filter(isSent),
		marker: marker && maskMarker(marker, masks, maskKey),
	};
}

/**
 * A marker of a sync, which names a record by its key, and the reason of a refusal in the words of the database, which
 * may hold values.
 */
export function maskMarker(marker: Marker, masks: TableShape['masks'], maskKey: string): Marker {
	if (masks.size === 0) return marker;
	const { key, error, ...rest } = marker;
	const masked = key && (maskedRow(key, { isSent: () => true, masks, maskKey }) as Key);
	return { ...rest, key: masked, ...(error === undefined ? {} : { error: MASK }) };
}

type Row = Record<string, Json>;

interface Masking {
	readonly isSent: (column: string) => boolean;
	readonly masks: TableShape['masks'];
	readonly maskKey: string;
}

function maskedRow(row: Readonly<Row>, { isSent, masks, maskKey }: Masking): Row {
	const sent = Object.entries(row).filter(([column]) => isSent(column));
	return Object.fromEntries(sent.map(([column, value]) => [column, maskedValue(value, masks.get(column), maskKey)]));
}

function maskedValue(value: Json, mask: MaskKind | undefined, maskKey: string): Json {
	if (mask === undefined || value === null) return value;
	if (mask !== 'hash') return MASK;
	return createHmac('sha256', maskKey).update(typeof value === 'string' ? value : canonicalJson(value)).digest('hex');
}
