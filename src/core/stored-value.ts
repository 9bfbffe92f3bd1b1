import type { Json } from './canonical-json';
import { formatDecimal, readDecimal, rescale } from './exact-decimal';
import { boolean } from './codecs/text-codecs';
import { date, timestamp } from './codecs/time-codecs';
import type { ColumnFacts, ColumnKind } from './table-facts';

/**
 * What a column would send after `value` was written to it, as far as its facts tell.
 *
 * @returns undefined when the column would refuse the value
 */
export function storedValue(value: Json, column: ColumnFacts): Json | undefined {
	if (value === null) return column.notNull ? undefined : null;
	const kind = column.kind ?? 'other';
	if (kind === 'json' || kind === 'other') return value;
	if (kind === 'list') return Array.isArray(value) ? value : undefined;
	return STORE[kind](typeof value === 'string' ? value : JSON.stringify(value), column);
}

/** What the server makes of a text, by the column's type. */
const STORE: Readonly<
	Record<
		Exclude<ColumnKind, 'json' | 'list' | 'other'>,
		(text: string, column: ColumnFacts) => Json | undefined
	>
> = {
	integer: (text) => whole(text, 31, Number),
	bigint: (text) => whole(text, 63, String),
	numeric: (text, { scale = null }) => numeric(text, scale),
	float: (text) => (readDecimal(text).ok ? Number(text) : undefined),
	boolean: (text) => readBy(boolean, text),
	date: (text) => readBy(date, text),
	timestamp: (text) => moment(text, false),
	timestamptz: (text) => moment(text, true),
	text: (text, column) => (fits(text, column) ? padded(text, column) : undefined),
};

function whole(text: string, bits: number, make: (digits: string) => Json): Json | undefined {
	if (!/^\s*[+-]?\d+\s*$/.test(text)) return undefined;
	const number = BigInt(text.trim().replace(/^\+/, ''));
	return BigInt.asIntN(bits + 1, number) === number ? make(number.toString()) : undefined;
}

/** Postgres rounds to the column's scale; without one it keeps the digits as they came. */
function numeric(text: string, scale: number | null): Json | undefined {
	const read = readDecimal(text.trim());
	if (!read.ok) return undefined;
	const digits = scale ?? read.decimal.scale;
	const unscaled = rescale(read.decimal, digits, 'half-up');
	return unscaled === undefined ? undefined : formatDecimal(unscaled, digits);
}

/** A column without a zone drops the zone of a text; one with a zone takes a text without one as UTC. */
function moment(text: string, hasZone: boolean): Json | undefined {
	const local = hasZone ? text : text.replace(/(?:Z|[+-]\d\d(?::?\d\d)?)(?= BC$|$)(?<=:.*)/, '');
	const read = readBy(timestamp, local);
	return hasZone || typeof read !== 'string' ? read : read.replace('Z', '');
}

function fits(text: string, { maxLength = null, values = null }: ColumnFacts): boolean {
	if (values !== null) return values.includes(text);
	return maxLength === null || [...text].length <= maxLength;
}

function padded(text: string, { maxLength = null, isPadded = false }: ColumnFacts): string {
	return isPadded ? text.padEnd(maxLength ?? 1) : text;
}

function readBy(codec: typeof boolean, text: string): Json | undefined {
	const read = codec.toCanon(text);
	return read.ok ? read.value : undefined;
}
