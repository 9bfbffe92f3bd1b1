import {
	isSupportedCountry,
	parsePhoneNumberFromString,
	type CountryCode,
} from 'libphonenumber-js/min';
import type { Json } from '../canonical-json';
import { readable, refused, type Codec, type CodecResult } from './codec';

/**
 * A phone number in the international form E.164, '+12125550100'; an extension stays, as RFC 3966
 * writes it: '+12125550100;ext=12'. To drop it would lose it in every system but the one where
 * it was typed. The canonical form is also what is written.
 *
 * A number counts when it is as long as numbers of its country are. Whether it has been given out
 * is not asked: that answer changes with every release of the numbering plans, and a record that
 * could be synced yesterday must be one today.
 *
 * @param country - of numbers without a country code, `US`; left out, they are refused
 * @returns undefined when no numbers of that country are known
 */
export function phone(country?: string): Codec | undefined {
	if (country !== undefined && !isSupportedCountry(country)) return undefined;
	const convert = (value: Json): CodecResult => asPhone(value, country);
	const name = country === undefined ? 'phone' : `phone(${country})`;
	return { name, toCanon: convert, toRaw: convert };
}

function asPhone(value: Json, country: CountryCode | undefined): CodecResult {
	if (typeof value === 'object' || typeof value === 'boolean') return refused('is not text');
	const canon = international(String(value).trim(), country);
	// Some plans have a prefix that is taken off a second time; such a number would never settle.
	const isStable = canon !== undefined && international(canon, country) === canon;
	if (isStable) return readable(canon);
	const hint =
		country === undefined ? ' with a country code' : ` of ${country} or with a country code`;
	return refused(`is not a phone number${hint}`);
}

function international(text: string, country: CountryCode | undefined): string | undefined {
	const options = country === undefined ? {} : { defaultCountry: country };
	// Not searched for within other text: what stands around it would be lost.
	const parsed = parsePhoneNumberFromString(text, { ...options, extract: false });
	if (!parsed?.isPossible()) return undefined;
	return parsed.ext === undefined ? parsed.number : `${parsed.number};ext=${parsed.ext}`;
}
