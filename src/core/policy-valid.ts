import type { Json } from './canonical-json';
import { canonicalJson, equalJson } from './canonical-json';
import type { FieldContext } from './policy-codecs';
import type { Scalar, Valid } from './policy';
import { followers, validShape } from './policy-schema';

/** Reads a field's `valid`; null when it says nothing. */
export function readValid(value: unknown, context: Pick<FieldContext, 'problems' | 'path'>): Valid | null {
	if (value === undefined) return null;
	const { problems } = context;
	const path = [...context.path, 'valid'];
	const read = problems.readObject(value, validShape, path);
	const valid: Valid = {
		pattern: read.pattern ?? null,
		oneOf: read.oneOf ?? null,
		transitions: readTransitions(read.transitions, { problems, path: [...path, 'transitions'] }),
		required: read.required ?? false,
	};
	const says = valid.pattern !== null || valid.oneOf !== null || valid.transitions !== null;
	if (!says && !valid.required) problems.add(path, 'must have a pattern, oneOf, transitions or required: true');
	return valid;
}

function readTransitions(
	value: unknown,
	{ problems, path }: Pick<FieldContext, 'problems' | 'path'>,
): Valid['transitions'] {
	if (value === undefined) return null;
	const entries = problems.readEntries(value, path, 'must have at least one value with its followers');
	return new Map(
		entries.map(([from, to]) => [from, problems.read(followers, to, [...path, from]) ?? []]),
	);
}

/** The conditions as the document writes them. */
export function documentOfValid({ pattern, oneOf, transitions, required }: Valid): Json {
	return {
		...(pattern === null ? {} : { pattern }),
		...(oneOf === null ? {} : { oneOf: [...oneOf] }),
		...(transitions === null
			? {}
			: { transitions: Object.fromEntries([...transitions].map(([from, to]) => [from, [...to]])) }),
		...(required ? { required } : {}),
	};
}

/**
 * Why a canonical value may not replace another one, as the end of "The new value …"; null when it
 * may. Names no value: the words end in the queue.
 *
 * @param before - what stood there; undefined for a first value, which comes from nowhere
 */
export function invalidity(
	{ pattern, oneOf, transitions, required }: Valid,
	canon: Json,
	before: Json | undefined,
): string | null {
	if (canon === null) return required ? 'is empty, and the field is required' : null;
	if (pattern !== null && !new RegExp(pattern, 'u').test(textOf(canon))) {
		return `does not match the pattern ${pattern}`;
	}
	if (oneOf !== null && !includes(oneOf, canon)) return 'is none of the values that the policy allows';
	const next = before === undefined ? undefined : transitions?.get(textOf(before));
	if (next === undefined || before === undefined || equalJson(before, canon)) return null;
	return includes(next, canon) ? null : 'is no allowed successor of the one before';
}

/** A number from one system and its text from another are the same value here, as they are in a `map`. */
function includes(values: readonly Scalar[], canon: Json): boolean {
	return values.some((value) => textOf(value) === textOf(canon));
}

function textOf(value: Json): string {
	return typeof value === 'string' ? value : canonicalJson(value);
}
