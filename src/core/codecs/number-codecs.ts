import type { Json } from '../canonical-json';
import { readable, refused, type Codec, type CodecResult } from './codec';
import { formatDecimal, readDecimal, rescale } from '../exact-decimal';

/** A whole number as text without leading zeros; '5.00' is whole, '5.01' is refused. */
export const integer: Codec = {
	name: 'integer',
	toCanon: (raw) => toDecimal(raw, { digits: 0, rounding: 'exact' }),
	toRaw: (canon) => toDecimal(canon, { digits: 0, rounding: 'exact' }),
};

/**
 * An amount as text with exactly `digits` digits after the point. A value with more is refused,
 * because dropping digits would make the copy differ from the original for ever; `round` drops
 * them on reading, halves away from zero, as Postgres' numeric does.
 */
export function decimal(digits: number, rounding: 'exact' | 'half-up'): Codec {
	return {
		name: rounding === 'exact' ? `decimal(${digits})` : `decimal(${digits},round)`,
		toCanon: (raw) => toDecimal(raw, { digits, rounding }),
		toRaw: (canon) => toDecimal(canon, { digits, rounding: 'exact' }),
	};
}

/**
 * A whole number of minor units (cents) in the system, an amount with `digits` digits after the
 * point in between: raw '1250' is canonical '12.50' for `digits` 2.
 */
export function minorUnits(digits: number): Codec {
	return {
		name: `minor-units(${digits})`,
		toCanon: (raw) => {
			const read = readDecimal(raw);
			if (!read.ok) return refused(read.reason);
			const units = rescale(read.decimal, 0, 'exact');
			if (units === undefined) return refused('is not a whole number of minor units');
			return readable(formatDecimal(units, digits));
		},
		toRaw: (canon) => {
			const read = readDecimal(canon);
			if (!read.ok) return refused(read.reason);
			const units = rescale(read.decimal, digits, 'exact');
			return units === undefined ? refused(tooManyDigits(digits)) : readable(units.toString());
		},
	};
}

function toDecimal(
	value: Json,
	{ digits, rounding }: { digits: number; rounding: 'exact' | 'half-up' },
): CodecResult {
	const read = readDecimal(value);
	if (!read.ok) return refused(read.reason);
	const unscaled = rescale(read.decimal, digits, rounding);
	return unscaled === undefined
		? refused(tooManyDigits(digits))
		: readable(formatDecimal(unscaled, digits));
}

function tooManyDigits(digits: number): string {
	if (digits === 0) return 'is not a whole number';
	return `has more than ${digits} ${digits === 1 ? 'digit' : 'digits'} after the point`;
}
