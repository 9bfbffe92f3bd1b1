import { canonicalJson, type Json } from './canonical-json';
import { readable, refused, type Codec, type CodecResult } from './codecs/codec';
import { json, set } from './codecs/nested-codecs';
import { decimal, integer, minorUnits } from './codecs/number-codecs';
import { boolean, email, identity, lower, text, trim } from './codecs/text-codecs';
import { date, timestamp } from './codecs/time-codecs';
import { didYouMean } from './suggest';

/** A codec spec read, or what is wrong with it, as the end of a sentence. */
export type CodecReading =
	| { readonly ok: true; readonly codec: Codec }
	| { readonly ok: false; readonly problem: string };

/** Makes a codec of its arguments; undefined when they are not what `usage` says. */
interface CodecKind {
	readonly usage: string;
	make(args: readonly string[]): Codec | undefined;
}

const MAX_DIGITS = 30;

const CODECS: ReadonlyMap<string, CodecKind> = new Map([
	...[identity, trim, lower, email, text, boolean, integer, date, timestamp, json, set].map(
		(codec): [string, CodecKind] => [codec.name, withoutArguments(codec)],
	),
	['decimal', { usage: 'decimal(2) or decimal(2,round)', make: makeDecimal }],
	['minor-units', { usage: 'minor-units(2)', make: makeMinorUnits }],
]);

/** The names a policy may use, sorted. */
export const CODEC_NAMES: readonly string[] = [...CODECS.keys()].sort();

const SPEC = /^\s*([^\s()]+)\s*(?:\(([^()]*)\))?\s*$/;

/** Reads one codec spec, `name` or `name(arguments)`; arguments are separated by commas or spaces. */
export function readCodec(spec: string): CodecReading {
	const [, name, args] = SPEC.exec(spec) ?? [];
	if (name === undefined) {
		// Inside { }, YAML ends a value at a comma: decimal(2,round) arrives as "decimal(2".
		return { ok: false, problem: `"${spec}" is not of the form name(arguments); put it in quotes` };
	}
	const kind = CODECS.get(name);
	if (!kind) {
		const known = `unknown codec "${name}"; known codecs: ${CODEC_NAMES.join(', ')}`;
		return { ok: false, problem: known + didYouMean(name, CODEC_NAMES) };
	}
	const codec = kind.make((args ?? '').split(/[\s,]+/).filter((arg) => arg !== ''));
	return codec
		? { ok: true, codec }
		: { ok: false, problem: `"${spec}" has the wrong arguments; write ${kind.usage}` };
}

/**
 * One codec that applies `codecs` in order on reading and in reverse on writing, passes null
 * through, and refuses values that have no canonical JSON (nested too deep).
 */
export function chainCodecs(codecs: readonly Codec[]): Codec {
	const reversed = [...codecs].reverse();
	return {
		name: codecs.map(({ name }) => name).join(', ') || identity.name,
		toCanon: (raw) => pass(raw, codecs, 'toCanon'),
		toRaw: (canon) => pass(canon, reversed, 'toRaw'),
	};
}

function pass(start: Json, codecs: readonly Codec[], direction: 'toCanon' | 'toRaw'): CodecResult {
	if (!hasCanonicalJson(start)) return refused('is nested too deep');
	let value = start;
	for (const codec of codecs) {
		if (value === null) break; // Null stays null, and what one codec reads as null is null to the others.
		const result = codec[direction](value);
		if (!result.ok) return result;
		value = result.value;
	}
	if (value !== start && !hasCanonicalJson(value)) return refused('is nested too deep');
	return readable(value);
}

function hasCanonicalJson(value: Json): boolean {
	if (typeof value !== 'object') return true;
	try {
		canonicalJson(value);
		return true;
	} catch {
		return false; // Its only failure is the one asked about, which is an answer here.
	}
}

function withoutArguments(codec: Codec): CodecKind {
	return { usage: codec.name, make: (args) => (args.length === 0 ? codec : undefined) };
}

function makeDecimal([digits, rounding, ...more]: readonly string[]): Codec | undefined {
	const count = digitCount(digits);
	if (count === undefined || more.length > 0) return undefined;
	if (rounding === undefined) return decimal(count, 'exact');
	return rounding === 'round' ? decimal(count, 'half-up') : undefined;
}

function makeMinorUnits([digits, ...more]: readonly string[]): Codec | undefined {
	const count = digitCount(digits);
	return count === undefined || more.length > 0 ? undefined : minorUnits(count);
}

function digitCount(text: string | undefined): number | undefined {
	if (text === undefined || !/^\d{1,2}$/.test(text)) return undefined;
	return Number(text) <= MAX_DIGITS ? Number(text) : undefined;
}
