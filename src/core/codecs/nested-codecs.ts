import { canonicalJson, type Json } from '../canonical-json';
import { parseExactJson } from '../exact-json';
import { readable, refused, type Codec, type CodecResult } from './codec';

/**
 * JSON text in the system's column, the value it stands for in between; for a text column that
 * holds what another system keeps as json. Lists and objects that arrive parsed are taken as they
 * are. The JSON text `null` reads as null. (Two json columns need no codec.)
 */
export const json: Codec = {
	name: 'json',
	toCanon: (raw) => {
		if (typeof raw !== 'string') return readable(raw);
		const value = parseExactJson(raw);
		return value === undefined
			? refused('is not JSON text, or holds a number that cannot be kept exactly')
			: readable(value);
	},
	toRaw: (canon) => readable(canonicalJson(canon)),
};

/** A list whose order and repetitions mean nothing: sorted by the elements' canonical JSON, each once. */
export const set: Codec = { name: 'set', toCanon: asSet, toRaw: asSet };

function asSet(value: Json): CodecResult {
	if (!Array.isArray(value)) return refused('is not a list');
	const elements = new Map(value.map((element) => [canonicalJson(element), element]));
	const sorted = [...elements].sort(([a], [b]) => (a < b ? -1 : 1));
	return readable(sorted.map(([, element]) => element));
}
