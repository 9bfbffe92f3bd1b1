import { formatDecimal, readDecimal, rescale } from '../exact-decimal';
import { readable, refused, type Codec, type CodecResult } from './codec';
import type { Json } from '../canonical-json';
import { CURRENCIES } from './currency-table';

/** A currency by its ISO 4217 code in capitals, 'EUR'; small letters and white space around it are read too. */
export const currency: Codec = { name: 'currency', toCanon: asCurrency, toRaw: asCurrency };

/** A number with at most one unit before or after it; signs such as $ are not read, for they mean several currencies. */
const AMOUNT = /^(?:([A-Za-z]{3})\s{0,3})?([+-]?[\d.]+)(?:\s{0,3}([A-Za-z]{3}))?$/;

/**
 * An amount with its currency in one text column, '12.50 EUR' or 'EUR 12.5'; the amount with the
 * currency's digits in between, as `decimal` and `minor-units` have it. Without a currency it is
 * taken for `code`, with another one it is refused. Separators of thousands are refused: '1.250'
 * and '1,250' are different amounts in different countries.
 *
 * @returns undefined when the currency is unknown or has no fixed digits
 */
export function money(code: string): Codec | undefined {
	const digits = currencyDigits(code);
	if (digits === undefined) return undefined;
	const amountOf = (value: Json): CodecResult => {
		const read = readDecimal(value);
		const unscaled = read.ok ? rescale(read.decimal, digits, 'exact') : undefined;
		if (unscaled !== undefined) return readable(formatDecimal(unscaled, digits));
		return refused(read.ok ? `has more digits after the point than ${code}` : read.reason);
	};
	return {
		name: `money(${code})`,
		toCanon: (raw) => {
			if (typeof raw !== 'string') return amountOf(raw);
			const [, before, amount, after] = AMOUNT.exec(raw.trim()) ?? [];
			const units = [before, after].filter((unit) => unit !== undefined);
			if (amount === undefined || units.length > 1) return refused('is not an amount of money');
			const isOther = units.some((unit) => unit.toUpperCase() !== code);
			return isOther ? refused(`is in another currency than ${code}`) : amountOf(amount);
		},
		toRaw: (canon) => {
			const amount = amountOf(canon);
			return amount.ok ? readable(`${String(amount.value)} ${code}`) : amount;
		},
	};
}

/** The digits of a currency's amounts, or undefined when there is no such currency or it has no minor unit. */
export function currencyDigits(code: string): number | undefined {
	return CURRENCIES.get(code) ?? undefined;
}

function asCurrency(value: Json): CodecResult {
	const code = typeof value === 'string' ? value.trim().toUpperCase() : '';
	return CURRENCIES.has(code) ? readable(code) : refused('is not a currency code of ISO 4217');
}
