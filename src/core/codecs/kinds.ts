import type { Codec } from './codec';
import { currency, currencyDigits, money } from './money-codecs';
import { json, set } from './nested-codecs';
import { defaultTo, emptyAsNull, nullAs, zeroAsNull } from './null-codecs';
import { decimal, integer, minorUnits } from './number-codecs';
import { phone } from './phone-codec';
import { COUNTRIES_WITH_STATES, country, state } from './place-codecs';
import {
	boolean,
	collapseSpace,
	digits,
	email,
	identity,
	lower,
	nfc,
	prefix,
	text,
	trim,
	upper,
} from './text-codecs';
import { date, timestamp } from './time-codecs';
import { datetime } from './zone-codec';

/** What stands between a spec's parentheses. */
export interface CodecArguments {
	/** Separated by commas or white space. */
	readonly words: readonly string[];
	/** As it is, without white space at its ends. */
	readonly text: string;
}

/** One name that a policy may use; makes a codec of its arguments, undefined when they are not what `usage` says. */
interface CodecKind {
	readonly usage: string;
	make(args: CodecArguments): Codec | undefined;
}

const MAX_DIGITS = 30;

const PLAIN = [
	...[identity, trim, collapseSpace, lower, upper, nfc, digits, email, text],
	...[boolean, integer, date, timestamp, json, set, currency, emptyAsNull, zeroAsNull],
];

const STATE_USAGE = `${COUNTRIES_WITH_STATES.map((code) => `state(${code})`).join(', ')} or state(US,name)`;

/** Every codec there is, by name. */
export const CODEC_KINDS: ReadonlyMap<string, CodecKind> = new Map([
	...PLAIN.map((codec): [string, CodecKind] => [codec.name, withoutArguments(codec)]),
	['decimal', { usage: 'decimal(2), decimal(2,round) or decimal(EUR)', make: makeDecimal }],
	['minor-units', withWords('minor-units(2) or minor-units(EUR)', [1, 1], makeMinorUnits)],
	['money', withWords('money(EUR), with a currency that has cents or the like', [1, 1], money)],
	['datetime', withWords('datetime(Europe/Berlin), with a known time zone', [1, 1], datetime)],
	['phone', withOption('phone, or phone(US) with the code of a country', phone)],
	['country', withOption('country, country(alpha-3) or country(name)', country)],
	['state', withWords(STATE_USAGE, [1, 2], state)],
	['prefix', withText('prefix(cus_)', (given) => (given === '' ? undefined : prefix(given)))],
	['null-as', withText('null-as(0), or null-as() for an empty text', nullAs)],
	['default', withText('default(0)', defaultTo)],
]);

function withoutArguments(codec: Codec): CodecKind {
	return { usage: codec.name, make: ({ words }) => (words.length === 0 ? codec : undefined) };
}

/** @param counts - how many words there may be: at least, at most */
function withWords(
	usage: string,
	[least, most]: readonly [number, number],
	make: (first: string, second?: string) => Codec | undefined,
): CodecKind {
	return {
		usage,
		make: ({ words }) => {
			if (words.length < least || words.length > most) return undefined;
			const [first, second] = words;
			return first === undefined ? undefined : make(first, second);
		},
	};
}

/** One word, or none. */
function withOption(usage: string, make: (word?: string) => Codec | undefined): CodecKind {
	return {
		usage,
		make: ({ words }) => (words.length > 1 ? undefined : make(...words)),
	};
}

function withText(usage: string, make: (text: string) => Codec | undefined): CodecKind {
	return { usage, make: ({ text: given }) => make(given) };
}

function makeDecimal({ words: [scale, rounding, ...more] }: CodecArguments): Codec | undefined {
	const count = digitCount(scale);
	if (count === undefined || more.length > 0) return undefined;
	if (rounding === undefined) return decimal(count, 'exact');
	return rounding === 'round' ? decimal(count, 'half-up') : undefined;
}

function makeMinorUnits(scale: string): Codec | undefined {
	const count = digitCount(scale);
	return count === undefined ? undefined : minorUnits(count);
}

/** A number of digits, or a currency that has that number. */
function digitCount(given = ''): number | undefined {
	if (!/^\d{1,2}$/.test(given)) return currencyDigits(given);
	return Number(given) <= MAX_DIGITS ? Number(given) : undefined;
}
