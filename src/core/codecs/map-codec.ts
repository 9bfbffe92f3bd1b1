import type { Json } from '../canonical-json';
import type { Scalar } from '../policy';
import { readable, refused, type Codec, type CodecResult } from './codec';

/** The value pairs of a field's `map`: the first carrying system's text → the other one's value. */
export type ValueMap = ReadonlyMap<string, Scalar>;

const LISTED = 10;

/**
 * The codecs of a field's `map` for its two systems. Canonical is the text of the system that
 * stands first in the policy's `systems`. A value outside the map is refused: guessing one would
 * write a wrong status. Numbers and booleans are looked up by their text.
 */
export function mapCodecs(pairs: ValueMap): { readonly first: Codec; readonly second: Codec } {
	const firstValues = new Map([...pairs.keys()].map((key): [string, Scalar] => [key, key]));
	const canonOfSecond = new Map(
		[...pairs].map(([key, value]): [string, Scalar] => [String(value), key]),
	);
	return {
		first: lookupCodec(firstValues, firstValues),
		second: lookupCodec(canonOfSecond, pairs),
	};
}

/** The codec of one system whose values have names in common with others: its text → the name. */
export function namedCodec(names: ValueMap): Codec {
	const rawOfName = new Map([...names].map(([raw, name]): [string, Scalar] => [String(name), raw]));
	const nameOfRaw = new Map([...names].map(([raw, name]): [string, Scalar] => [raw, String(name)]));
	return lookupCodec(nameOfRaw, rawOfName);
}

function lookupCodec(canonOf: ValueMap, rawOf: ValueMap): Codec {
	return {
		name: 'map',
		toCanon: (raw) => lookUp(canonOf, raw),
		toRaw: (canon) => lookUp(rawOf, canon),
	};
}

function lookUp(values: ValueMap, value: Json): CodecResult {
	const found = typeof value === 'object' ? undefined : values.get(String(value));
	return found === undefined ? refused(notListed(values)) : readable(found);
}

function notListed(values: ValueMap): string {
	const names = [...values.keys()].slice(0, LISTED).join(', ');
	const more = values.size - LISTED;
	return `is not one of ${names}${more > 0 ? ` and ${more} more` : ''}`;
}
