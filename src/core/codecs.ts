import { canonicalJson, type Json } from './canonical-json';
import { readable, refused, type Codec, type CodecResult } from './codecs/codec';
import { CODEC_KINDS } from './codecs/kinds';
import { identity } from './codecs/text-codecs';
import { didYouMean } from './suggest';

/** A codec spec read, or what is wrong with it, as the end of a sentence. */
export type CodecReading =
	| { readonly ok: true; readonly codec: Codec }
	| { readonly ok: false; readonly problem: string };

/** The names a policy may use, sorted. */
export const CODEC_NAMES: readonly string[] = [...CODEC_KINDS.keys()].sort();

const SPEC = /^\s*([^\s()]+)\s*(?:\(([^()]*)\))?\s*$/;

/** Reads one codec spec, `name` or `name(arguments)`; arguments are separated by commas or spaces. */
export function readCodec(spec: string): CodecReading {
	const [, name, args] = SPEC.exec(spec) ?? [];
	if (name === undefined) {
		// Inside { }, YAML ends a value at a comma: decimal(2,round) arrives as "decimal(2".
		return { ok: false, problem: `"${spec}" is not of the form name(arguments); put it in quotes` };
	}
	const kind = CODEC_KINDS.get(name);
	if (!kind) {
		const known = `unknown codec "${name}"; known codecs: ${CODEC_NAMES.join(', ')}`;
		return { ok: false, problem: known + didYouMean(name, CODEC_NAMES) };
	}
	const text = (args ?? '').trim();
	const words = text.split(/[\s,]+/).filter((word) => word !== '');
	const codec = kind.make({ words, text });
	return codec
		? { ok: true, codec }
		: { ok: false, problem: `"${spec}" has the wrong arguments; write ${kind.usage}` };
}

/**
 * One codec that applies `codecs` in order on reading and in reverse on writing, passes null
 * through where no codec speaks of nulls, and refuses values that have no canonical JSON (nested too deep).
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
		// Null stays null, and what one codec reads as null is null to the others.
		if (value === null && !codec.nulls) continue;
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
