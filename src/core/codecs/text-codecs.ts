import type { Json } from '../canonical-json';
import { readable, refused, type Codec, type CodecResult } from './codec';

/** The value as it is. */
export const identity: Codec = { name: 'identity', toCanon: readable, toRaw: readable };

/** Text without white space at its ends (Unicode white space, as ECMAScript's trim). Inner space and '' stay. */
export const trim = textCodec('trim', (text) => text.trim());

/** Lower-case text, by Unicode's rules for no language in particular. */
export const lower = textCodec('lower', (text) => text.toLowerCase());

/** A mail address: trimmed, lower case. The canonical form is also what is written. */
export const email = textCodec('email', (text) => text.trim().toLowerCase());

/** Texts, numbers and booleans as text, to compare a text column with an integer or boolean one. */
export const text: Codec = { name: 'text', toCanon: asText, toRaw: asText };

/** true or false; reads what Postgres reads as a boolean (in full), and the numbers 1 and 0. */
export const boolean: Codec = { name: 'boolean', toCanon: asBoolean, toRaw: asBoolean };

const TRUE = new Set(['true', 't', 'yes', 'y', 'on', '1']);
const FALSE = new Set(['false', 'f', 'no', 'n', 'off', '0']);

/** A codec whose canonical form is also a raw form: `normalise` must give the same when applied twice. */
function textCodec(name: string, normalise: (text: string) => string): Codec {
	const convert = (value: Json): CodecResult =>
		typeof value === 'string' ? readable(normalise(value)) : refused('is not text');
	return { name, toCanon: convert, toRaw: convert };
}

function asText(value: Json): CodecResult {
	if (typeof value === 'string') return readable(value);
	if (typeof value === 'number' || typeof value === 'boolean') return readable(String(value));
	return refused('is a list or an object, not text');
}

function asBoolean(value: Json): CodecResult {
	if (typeof value === 'boolean') return readable(value);
	if (typeof value === 'object') return refused('is a list or an object, not a boolean');
	const word = String(value).toLowerCase();
	if (TRUE.has(word)) return readable(true);
	return FALSE.has(word) ? readable(false) : refused('is neither true nor false');
}
