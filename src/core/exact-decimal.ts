import type { Json } from './canonical-json';

/** An exact decimal number, `unscaled` / 10^`scale`. JavaScript's own numbers cannot hold numeric(12,2). */
export interface ExactDecimal {
	readonly unscaled: bigint;
	/** Digits after the point, 0 or more. */
	readonly scale: number;
}

export type DecimalReading =
	| { readonly ok: true; readonly decimal: ExactDecimal }
	| { readonly ok: false; readonly reason: string };

const DECIMAL = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/;
/** Ten to a higher power would be built digit by digit: "1e999999999" must not stop the server. */
const MAX_EXPONENT = 5_000;
/** Above what numeric can hold (131,072 digits before the point, 16,383 after it); longer ones take seconds. */
const MAX_LENGTH = 150_000;

/**
 * Reads a number, or the text of one ("-12.50", "+.5", "1e-7"), without losing a digit.
 * NaN and the infinities, which numeric and float columns can hold, are refused.
 */
export function readDecimal(value: Json): DecimalReading {
	if (typeof value === 'number') return readNumber(value);
	if (typeof value !== 'string' || value.length > MAX_LENGTH) {
		return { ok: false, reason: 'is not a decimal number' };
	}
	const [, sign = '', whole = '', fraction = '', exponent = '0'] = DECIMAL.exec(value) ?? [];
	if (whole + fraction === '') return { ok: false, reason: 'is not a decimal number' };
	const power = Number(exponent);
	if (Math.abs(power) > MAX_EXPONENT) {
		return { ok: false, reason: `has an exponent beyond ${MAX_EXPONENT}` };
	}
	const unscaled = BigInt(`${sign === '-' ? '-' : ''}${whole}${fraction}`);
	const scale = fraction.length - power;
	if (scale >= 0) return { ok: true, decimal: { unscaled, scale } };
	return { ok: true, decimal: { unscaled: unscaled * 10n ** BigInt(-scale), scale: 0 } };
}

function readNumber(value: number): DecimalReading {
	if (!Number.isFinite(value)) return { ok: false, reason: 'is not a finite number' };
	if (Math.abs(value) > Number.MAX_SAFE_INTEGER) {
		return {
			ok: false,
			reason: 'is a number beyond 2^53, whose last digits may be lost: send it as text',
		};
	}
	return readDecimal(String(value));
}

/**
 * The number with exactly `scale` digits after the point, as its unscaled integer.
 *
 * @param rounding - `exact` refuses to drop a digit that is not 0; `half-up` rounds halves away from zero, as numeric does
 * @returns undefined when a digit would be lost
 */
export function rescale(
	{ unscaled, scale }: ExactDecimal,
	target: number,
	rounding: 'exact' | 'half-up',
): bigint | undefined {
	if (scale <= target) return unscaled * 10n ** BigInt(target - scale);
	const divisor = 10n ** BigInt(scale - target);
	const quotient = unscaled / divisor;
	const rest = unscaled % divisor;
	if (rest === 0n) return quotient;
	if (rounding === 'exact') return undefined;
	const isHalfOrMore = (rest < 0n ? -rest : rest) * 2n >= divisor;
	if (!isHalfOrMore) return quotient;
	return unscaled < 0n ? quotient - 1n : quotient + 1n;
}

/** The plain text of `unscaled` / 10^`scale`, always with `scale` digits after the point; zero has no sign. */
export function formatDecimal(unscaled: bigint, scale: number): string {
	if (scale === 0) return unscaled.toString();
	const isNegative = unscaled < 0n;
	const digits = (isNegative ? -unscaled : unscaled).toString().padStart(scale + 1, '0');
	return `${isNegative ? '-' : ''}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}

/** Whether both are the same number, 1.50 and 1.5 for example. */
export function equalDecimals(a: ExactDecimal, b: ExactDecimal): boolean {
	const scale = Math.max(a.scale, b.scale);
	return rescale(a, scale, 'exact') === rescale(b, scale, 'exact');
}
