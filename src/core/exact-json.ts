import type { Json } from './canonical-json';
import { equalDecimals, readDecimal } from './exact-decimal';

/**
 * Parses JSON text if nothing is lost by it.
 *
 * @returns undefined when the text is not JSON, or holds a number that ECMAScript's numbers cannot
 * (12345678901234567890, 1e400): the caller keeps the text then.
 */
export function parseExactJson(text: string): Json | undefined {
	let value: Json;
	try {
		value = JSON.parse(text) as Json; // JSON.parse gives nothing but JSON.
	} catch {
		return undefined; // Not JSON, which is an answer here, not a failure.
	}
	if (text.length <= SHORT ? !mayBeInexact(text) : !MAY_BE_INEXACT.test(text)) return value;
	return numbersOf(text).every(isExact) ? value : undefined;
}

/** 16 digits in a row, or an exponent: the quick answer for most documents, which have neither. */
const MAY_BE_INEXACT = /\d[\d.]{15}|\d[eE]/;

/** Of a text of so many characters at most a loop says it before an expression has begun to. */
const SHORT = 48;

/** As `MAY_BE_INEXACT`, and of more texts. */
function mayBeInexact(text: string): boolean {
	let run = 0;
	for (let at = 0; at < text.length; at++) {
		const code = text.charCodeAt(at);
		if ((code >= DIGIT_0 && code <= DIGIT_9) || code === DOT) {
			if (++run === 16) return true;
		} else if (run > 0 && (code === UPPER_E || code === LOWER_E)) return true;
		else run = 0;
	}
	return false;
}

const [DIGIT_0, DIGIT_9, DOT, UPPER_E, LOWER_E] = [0x30, 0x39, 0x2e, 0x45, 0x65];

/** The number literals of a valid JSON text. Scans by hand: a regular expression over long strings overflows. */
function numbersOf(json: string): string[] {
	const numbers: string[] = [];
	let at = 0;
	while (at < json.length) {
		const character = json.charAt(at);
		if (character === '"') {
			at = endOfString(json, at);
		} else if (/[-\d]/.test(character)) {
			const start = at;
			while (at < json.length && /[-+.\deE]/.test(json.charAt(at))) at++;
			numbers.push(json.slice(start, at));
		} else {
			at++;
		}
	}
	return numbers;
}

function endOfString(json: string, start: number): number {
	let at = start + 1;
	while (json.charAt(at) !== '"') at += json.charAt(at) === '\\' ? 2 : 1;
	return at + 1;
}

function isExact(literal: string): boolean {
	// 15 significant digits always survive; nearly every number takes this way.
	if (literal.length <= 15 && !/[eE]/.test(literal)) return true;
	const written = readDecimal(literal);
	const kept = readDecimal(String(Number(literal)));
	return written.ok && kept.ok && equalDecimals(written.decimal, kept.decimal);
}
