import { equalJson, type Json } from './canonical-json';
import type { Codec } from './codecs/codec';
import { keyText, type Row } from './mapping';

/** How records of two lists are told to be the same, and what of them is compared. */
export interface ListRules {
	/** Properties that together identify a record, in A and in B. */
	readonly keys: readonly PairOfNames[];
	readonly fields: readonly ListField[];
}

export interface PairOfNames {
	readonly a: string;
	readonly b: string;
}

export interface ListField extends PairOfNames {
	readonly name: string;
	/** What makes values of both comparable. */
	readonly codecs: { readonly a: Codec; readonly b: Codec };
	/** Whose value counts; null: a person says. */
	readonly owner: 'a' | 'b' | null;
}

export interface ListFieldDifference {
	readonly field: string;
	/** Comparable values. A side without the property has none; null and '' are values. */
	readonly values: { readonly a?: Json; readonly b?: Json };
	/** A side whose value cannot be read, and why; absent: none. */
	readonly unreadable?: { readonly a?: string; readonly b?: string };
	readonly owner: 'a' | 'b' | null;
	readonly action: 'update a' | 'update b' | 'review';
}

/** Places are those in the lists. */
export interface ListComparison {
	readonly different: readonly { readonly a: number; readonly b: number; readonly fields: readonly ListFieldDifference[] }[];
	readonly onlyInA: readonly number[];
	readonly onlyInB: readonly number[];
	/** Records of one list with the same key. They are compared with nothing. */
	readonly duplicates: readonly { readonly side: 'a' | 'b'; readonly places: readonly number[] }[];
	/** Records without a whole key: null is none. */
	readonly withoutKey: readonly { readonly side: 'a' | 'b'; readonly place: number }[];
	readonly equal: number;
}

/** Compares two lists of records, pairing them by key. */
export function compareLists(a: readonly Row[], b: readonly Row[], { keys, fields }: ListRules): ListComparison {
	const [ofA, ofB] = [byKey(a, keys.map((key) => key.a)), byKey(b, keys.map((key) => key.b))];
	const duplicates = [...repeated('a', ofA.places), ...repeated('b', ofB.places)];
	const different: ListComparison['different'][number][] = [];
	const [onlyInA, onlyInB]: [number[], number[]] = [[], []];
	let equal = 0;
	for (const [key, [at = 0, ...more]] of ofA.places) {
		const others = ofB.places.get(key);
		if (others === undefined && more.length === 0) onlyInA.push(at);
		if (others?.length !== 1 || more.length > 0) continue;
		const [other = 0] = others;
		const found = fields.flatMap((field) => fieldDifference(a[at] ?? {}, b[other] ?? {}, field) ?? []);
		if (found.length === 0) equal += 1;
		else different.push({ a: at, b: other, fields: found });
	}
	for (const [key, [at = 0, ...more]] of ofB.places) {
		if (more.length === 0 && !ofA.places.has(key)) onlyInB.push(at);
	}
	const withoutKey = [...keyless('a', ofA.keyless), ...keyless('b', ofB.keyless)];
	return { different, onlyInA, onlyInB, duplicates, withoutKey, equal };
}

interface Keyed {
	readonly places: ReadonlyMap<string, readonly number[]>;
	readonly keyless: readonly number[];
}

function byKey(rows: readonly Row[], columns: readonly string[]): Keyed {
	const places = new Map<string, number[]>();
	const without: number[] = [];
	rows.forEach((row, place) => {
		const values = columns.map((column) => (Object.hasOwn(row, column) ? (row[column] ?? null) : null));
		if (values.includes(null)) {
			without.push(place);
			return;
		}
		const key = JSON.stringify(values.map(keyText));
		const known = places.get(key);
		if (known) known.push(place);
		else places.set(key, [place]);
	});
	return { places, keyless: without };
}

const repeated = (side: 'a' | 'b', places: Keyed['places']): ListComparison['duplicates'][number][] =>
	[...places.values()].filter(({ length }) => length > 1).map((of) => ({ side, places: of }));

const keyless = (side: 'a' | 'b', places: readonly number[]): ListComparison['withoutKey'][number][] =>
	places.map((place) => ({ side, place }));

/** What one side says: nothing, a value, or one that cannot be read. */
type Said = { readonly canon?: Json; readonly unreadable?: string };

function fieldDifference(a: Row, b: Row, field: ListField): ListFieldDifference | null {
	const [ofA, ofB] = [said(a, field.a, field.codecs.a), said(b, field.b, field.codecs.b)];
	if (isSame(ofA, ofB)) return null;
	const { name, owner } = field;
	const isReadable = ofA.unreadable === undefined && ofB.unreadable === undefined;
	const unreadable = { ...(ofA.unreadable ? { a: ofA.unreadable } : {}), ...(ofB.unreadable ? { b: ofB.unreadable } : {}) };
	return {
		field: name,
		values: { ...(ofA.canon === undefined ? {} : { a: ofA.canon }), ...(ofB.canon === undefined ? {} : { b: ofB.canon }) },
		...(isReadable ? {} : { unreadable }),
		owner,
		action: owner === null || !isReadable ? 'review' : owner === 'a' ? 'update b' : 'update a',
	};
}

function said(row: Row, column: string, codec: Codec): Said {
	const raw = Object.hasOwn(row, column) ? row[column] : undefined;
	if (raw === undefined) return {};
	const read = codec.toCanon(raw);
	return read.ok ? { canon: read.value } : { canon: raw, unreadable: read.reason };
}

function isSame(a: Said, b: Said): boolean {
	if (a.unreadable !== undefined || b.unreadable !== undefined) return false;
	if (a.canon === undefined || b.canon === undefined) return a.canon === b.canon;
	return equalJson(a.canon, b.canon);
}
