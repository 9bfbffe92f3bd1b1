import type { Json } from './canonical-json';

/** A value as it is hashed: what it is, and a text. */
export interface DigestText {
	/** Joins the seed of the hash: a text that looks like another kind of value is not that value. */
	readonly kind: number;
	readonly text: string;
}

export const TEXT_KIND = 0;
/** A number, true or false, a list or an object. */
export const VALUE_KIND = 1;
export const NULL_KIND = 2;

const NULL: DigestText = { kind: NULL_KIND, text: '' };

/**
 * The text that a column of the value is hashed by. Of two different values of one column it is never the same; a server
 * gives the same text for nearly all values (see `row-hashes.ts`), and for the others one that no value has here.
 */
export function digestText(raw: Json): DigestText {
	if (raw === null) return NULL;
	if (typeof raw === 'string') return { kind: TEXT_KIND, text: raw };
	if (typeof raw === 'number') return { kind: VALUE_KIND, text: floatText(raw) };
	return { kind: VALUE_KIND, text: typeof raw === 'boolean' ? String(raw) : documentText(raw) };
}

/** Above it a double precision number is printed with an exponent. */
const FIXED_BELOW = 15;
const FIXED_FROM = -4;

/** As the server prints a double precision number (`extra_float_digits` 1); whole numbers below 10^15 as it prints an integer. */
function floatText(value: number): string {
	const [mantissa = '', exponentText = '0'] = value.toExponential().split('e');
	const exponent = Number(exponentText);
	if (exponent >= FIXED_FROM && exponent < FIXED_BELOW) return plainText(value);
	const digits = String(Math.abs(exponent)).padStart(2, '0');
	return `${mantissa}e${exponent < 0 ? '-' : '+'}${digits}`;
}

/** All digits, without an exponent. */
function plainText(value: number): string {
	const text = String(value);
	const [mantissa = '', exponentText] = text.split('e');
	if (exponentText === undefined) return text;
	const sign = mantissa.startsWith('-') ? '-' : '';
	const [whole = '', fraction = ''] = mantissa.slice(sign.length).split('.');
	const exponent = Number(exponentText);
	if (exponent < 0) return `${sign}0.${'0'.repeat(-exponent - 1)}${whole}${fraction}`;
	return `${sign}${whole}${fraction.padEnd(exponent, '0')}`;
}

/** As the server prints jsonb. A number that it prints with zeros at its end (`1.50`) has none here. */
function documentText(value: Json): string {
	if (value === null) return 'null';
	if (typeof value === 'string') return quoted(value);
	if (typeof value === 'number') return plainText(value);
	if (typeof value === 'boolean') return String(value);
	if (Array.isArray(value)) return `[${value.map(documentText).join(', ')}]`;
	const names = Object.keys(value).map((name) => ({ name, bytes: Buffer.from(name, 'utf8') }));
	names.sort((a, b) => a.bytes.length - b.bytes.length || Buffer.compare(a.bytes, b.bytes));
	return `{${names.map(({ name }) => `${quoted(name)}: ${documentText(value[name] ?? null)}`).join(', ')}}`;
}

/** JSON.stringify escapes what the server escapes, but for half surrogate pairs, which no server can hold. */
const quoted = (text: string): string => JSON.stringify(text);
