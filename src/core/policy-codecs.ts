import { chainCodecs, readCodec } from './codecs';
import type { Codec } from './codecs/codec';
import { mapCodecs } from './codecs/map-codec';
import { identity } from './codecs/text-codecs';
import type { ColumnBinding, Scalar } from './policy';
import type { PolicyPath, PolicyProblems } from './policy-problems';
import { mapValue } from './policy-schema';

/** What the readers of one field share. */
export interface FieldContext {
	readonly problems: PolicyProblems;
	readonly path: PolicyPath;
	/** Systems that the field names, in the order of the policy's `systems`. */
	readonly carriers: readonly string[];
}

type ColumnCodec = Pick<ColumnBinding, 'specs' | 'codec'>;

/** A field's `codec` and `map`, made into one codec for each carrying system, in their order. */
export function readFieldCodecs(
	value: { readonly codec: unknown; readonly map: unknown },
	context: FieldContext,
): {
	readonly codecs: ReadonlyMap<string, ColumnCodec>;
	readonly map: ReadonlyMap<string, Scalar> | null;
} {
	const specs = readSpecs(value.codec, context);
	const map = readMap(value.map, context);
	if (map) checkMapUnderCodecs(map, specs, context);
	const ofMap = map ? mapCodecs(map) : undefined;
	const codecs = context.carriers.map((system, index): [string, ColumnCodec] => {
		const own = specs.get(system) ?? [];
		const last = ofMap ? [index === 0 ? ofMap.first : ofMap.second] : [];
		return [system, { specs: own.map(({ name }) => name), codec: chainCodecs([...own, ...last]) }];
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

function readMap(value: unknown, context: FieldContext): ReadonlyMap<string, Scalar> | null {
	const { problems, carriers } = context;
	const path = [...context.path, 'map'];
	if (value === undefined) return null;
	if (carriers.length !== 2)
		problems.add(path, 'needs a field with columns in exactly two systems');
	const entries = problems.readEntries(value, path, 'must have at least one pair of values');
	const keyOf = new Map<string, string>();
	const pairs = entries.flatMap(([key, other]): [string, Scalar][] => {
		const read = problems.read(mapValue, other, [...path, key]);
		if (read === undefined) return [];
		const earlier = keyOf.get(String(read));
		if (earlier !== undefined) {
			const message = `has the same value as "${earlier}"; the way back would be a guess`;
			problems.add([...path, key], message);
		}
		keyOf.set(String(read), key);
		return [[key, read]];
	});
	return new Map(pairs);
}

/** A value that the column's codecs change before the map sees it could never be found in the map. */
function checkMapUnderCodecs(
	map: ReadonlyMap<string, Scalar>,
	specs: ReadonlyMap<string, readonly Codec[]>,
	{ problems, path, carriers }: FieldContext,
): void {
	carriers.forEach((system, index) => {
		const codec = chainCodecs(specs.get(system) ?? []);
		for (const [key, other] of map) {
			const value = index === 0 ? key : other;
			const read = codec.toCanon(value);
			if (read.ok && String(read.value) === String(value)) continue;
			const message = `can never match in ${system}, where ${codec.name} comes before the map`;
			problems.add([...path, 'map', key], message);
		}
	});
}
