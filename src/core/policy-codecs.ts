import { chainCodecs, readCodec } from './codecs';
import type { Codec } from './codecs/codec';
import { identity } from './codecs/text-codecs';
import type { ColumnBinding, FieldMap } from './policy';
import { mapCodecOf, readMap } from './policy-map';
import type { PolicyPath, PolicyProblems } from './policy-problems';

/** What the readers of one field share. */
export interface FieldContext {
	readonly problems: PolicyProblems;
	readonly path: PolicyPath;
	/** Systems that the field names, in the order of the policy's `systems`. */
	readonly carriers: readonly string[];
}

/** What a field says of one column. */
export type ColumnCodec = Pick<ColumnBinding, 'specs' | 'codec'>;

/** A field's `codec` and `map`, made into one codec for each carrying system, in their order. */
export function readFieldCodecs(
	value: { readonly codec: unknown; readonly map: unknown },
	context: FieldContext,
): {
	readonly codecs: ReadonlyMap<string, ColumnCodec>;
	readonly map: FieldMap | null;
} {
	const specs = readSpecs(value.codec, context);
	const map = readMap(value.map, specs, context);
	const codecOf = map ? mapCodecOf(map, context.carriers) : () => undefined;
	const codecs = context.carriers.map((system): [string, ColumnCodec] => {
		const own = specs.get(system) ?? [];
		const last = codecOf(system);
		const codec = chainCodecs(last ? [...own, last] : own);
		return [system, { specs: own.map(({ name }) => name), codec }];
	});
	return { codecs: new Map(codecs), map };
}

/** `codec` is one spec or a list of specs for all systems, or an object with either for each system. */
function readSpecs(value: unknown, context: FieldContext): ReadonlyMap<string, readonly Codec[]> {
	const { problems, carriers } = context;
	const path = [...context.path, 'codec'];
	if (value === undefined) return new Map();
	if (typeof value === 'string' || Array.isArray(value)) {
		const codecs = readSpecList(value, path, context);
		return new Map(carriers.map((system) => [system, codecs]));
	}
	const entries = problems.readEntries(value, path);
	for (const [system] of entries) {
		if (!carriers.includes(system)) {
			problems.add([...path, system], 'is not a system with a column for this field');
		}
	}
	return new Map(
		entries.map(([system, spec]) => [system, readSpecList(spec, [...path, system], context)]),
	);
}

function readSpecList(
	value: unknown,
	path: PolicyPath,
	{ problems }: FieldContext,
): readonly Codec[] {
	const specs: readonly unknown[] = Array.isArray(value) ? value : [value];
	return specs.flatMap((spec, index) => {
		const place = Array.isArray(value) ? [...path, index] : path;
		if (typeof spec !== 'string') {
			problems.add(place, 'must be a codec, such as trim or decimal(2)');
			return [];
		}
		const read = readCodec(spec);
		if (!read.ok) problems.add(place, read.problem);
		// identity says nothing; without it "no codec" and "identity" are the same policy.
		return read.ok && read.codec !== identity ? [read.codec] : [];
	});
}
