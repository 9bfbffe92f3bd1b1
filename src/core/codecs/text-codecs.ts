import type { Json } from '../canonical-json';
import { readable, refused, type Codec, type CodecResult } from './codec';

/** The value as it is. */
export const identity: Codec = { name: 'identity', toCanon: readable, toRaw: readable };

/** Text without white space at its ends (Unicode white space, as ECMAScript's trim). Inner space and '' stay. */
export const trim = textCodec('trim', (text) => text.trim());

/** Lower-case text, by Unicode's rules for no language in particular. */
export const lower = textCodec('lower', (text) => text.toLowerCase());

/** Upper-case text, by Unicode's rules for no language in particular. */
export const upper = textCodec('upper', (text) => text.toUpperCase());

/** Text without white space at its ends, and with one space for each run of white space within. */
export const collapseSpace = textCodec('collapse-space', (text) =>
	text.trim().replace(/\s+/g, ' '),
);

/** Unicode's composed form (NFC): é as one character, however it was typed. */
export const nfc = textCodec('nfc', (text) => text.normalize('NFC'));

/** The digits 0 to 9 of a text, in order, for numbers with separators, such as tax numbers; '' stays. */
export const digits: Codec = { name: 'digits', toCanon: asDigits, toRaw: asDigits };

/** A mail address: trimmed, lower case. The canonical form is also what is written. */
export const email = textCodec('email', (text) => text.trim().toLowerCase());

/** Texts, numbers and booleans as text, to compare a text column with an integer or boolean one. */
export const text: Codec = { name: 'text', toCanon: asText, toRaw: asText };

/** true or false; reads what Postgres reads as a boolean (in full), and the numbers 1 and 0. */
export const boolean: Codec = { name: 'boolean', toCanon: asBoolean, toRaw: asBoolean };

/** Text that stands behind `text` in this system's column: 'cus_42' is canonical '42' for prefix(cus_). */
export function prefix(text: string): Codec {
	return {
		name: `prefix(${text})`,
		toCanon: (raw) => {
			if (typeof raw !== 'string') return refused('is not text');
			return raw.startsWith(text) ? readable(raw.slice(text.length)) : refused('lacks the prefix');
		},
		toRaw: (canon) => (typeof canon === 'string' ? readable(text + canon) : refused('is not text')),
	};
}

const TRUE = new Set(['true', 't', 'yes', 'y', 'on', '1']);
const FALSE = new Set(['false', 'f', 'no', 'n', 'off', '0']);

/** A codec whose canonical form is also a raw form: `normalise` must give the same when applied twice. */
function textCodec(name: string, normalise: (text: string) => string): Codec {
	const convert = (value: Json): CodecResult =>
		typeof value === 'string' ? readable(normalise(value)) : refused('is not text');
	return { name, toCanon: convert, toRaw: convert };
}

function asDigits(value: Json): CodecResult {
	if (typeof value !== 'string') return refused('is not text');
	const found = value.replace(/[^0-9]+/g, '');
	return found === '' && value !== '' ? refused('has no digit') : readable(found);
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
