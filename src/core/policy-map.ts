import { chainCodecs } from './codecs';
import type { Codec } from './codecs/codec';
import { mapCodecs, namedCodec } from './codecs/map-codec';
import type { FieldMap, Scalar } from './policy';
import type { FieldContext } from './policy-codecs';
import type { PolicyPath, PolicyProblems } from './policy-problems';
import { mapValue } from './policy-schema';

/**
 * Reads a field's `map`: pairs of values of its two systems, or for any number of systems an
 * object for each, from its own values to the names that they have in common.
 */
export function readMap(
	value: unknown,
	specs: ReadonlyMap<string, readonly Codec[]>,
	context: FieldContext,
): FieldMap | null {
	if (value === undefined) return null;
	const { problems, carriers } = context;
	const path = [...context.path, 'map'];
	const entries = problems.readEntries(value, path, 'must have at least one pair of values');
	const isNamed = entries.some(([, other]) => typeof other === 'object' && other !== null);
	if (isNamed) return readNamed(entries, specs, context);
	if (carriers.length !== 2) {
		const message = 'needs a field of exactly two systems, or an object with the values of each';
		problems.add(path, message);
	}
	const pairs = readPairs(entries, path, problems);
	const [first = '', second = ''] = carriers;
	const valuesOf = (index: 0 | 1) =>
		[...pairs].map((pair) => [[...path, pair[0]], pair[index]] as const);
	checkUnderCodecs({ system: first, values: valuesOf(0) }, specs, context);
	checkUnderCodecs({ system: second, values: valuesOf(1) }, specs, context);
	return { kind: 'pairs', pairs };
}

/** The map's codec for each system: the last one on the way from its column. */
export function mapCodecOf(
	map: FieldMap,
	[firstCarrier]: readonly string[],
): (system: string) => Codec | undefined {
	if (map.kind === 'pairs') {
		const { first, second } = mapCodecs(map.pairs);
		return (system) => (system === firstCarrier ? first : second);
	}
	return (system) => {
		const values = map.bySystem.get(system);
		return values && namedCodec(values);
	};
}

function readNamed(
	entries: readonly (readonly [string, unknown])[],
	specs: ReadonlyMap<string, readonly Codec[]>,
	context: FieldContext,
): FieldMap {
	const { problems, carriers } = context;
	const path = [...context.path, 'map'];
	const known = entries.filter(([system]) => {
		const isCarrier = carriers.includes(system);
		if (!isCarrier) problems.add([...path, system], 'is not a system with a column for this field');
		return isCarrier;
	});
	const read = known.map(([system, values]): [string, ReadonlyMap<string, Scalar>] => {
		const place = [...path, system];
		const pairs = problems.readEntries(values, place, 'must have at least one pair of values');
		return [system, readPairs(pairs, place, problems)];
	});
	for (const [system, pairs] of read) {
		const values = [...pairs.keys()].map((key) => [[...path, system, key], key] as const);
		checkUnderCodecs({ system, values }, specs, context);
	}
	for (const system of carriers.filter((other) => !known.some(([one]) => one === other))) {
		problems.add([...path, system], 'is missing; each system of the field needs its values');
	}
	return { kind: 'named', bySystem: new Map(read) };
}

function readPairs(
	entries: readonly (readonly [string, unknown])[],
	path: PolicyPath,
	problems: PolicyProblems,
): ReadonlyMap<string, Scalar> {
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
function checkUnderCodecs(
	{ system, values }: { system: string; values: Iterable<readonly [PolicyPath, Scalar]> },
	specs: ReadonlyMap<string, readonly Codec[]>,
	{ problems }: FieldContext,
): void {
	const codec = chainCodecs(specs.get(system) ?? []);
	for (const [path, value] of values) {
		const read = codec.toCanon(value);
		if (read.ok && String(read.value) === String(value)) continue;
		problems.add(path, `can never match in ${system}, where ${codec.name} comes before the map`);
	}
}
