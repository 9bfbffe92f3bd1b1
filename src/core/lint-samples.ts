import { equalJson, type Json } from './canonical-json';
import type { Codec } from './codecs/codec';
import type { FieldMap, FieldPolicy } from './policy';

const TEXTS = ['', 'a', ' Ann  Lee ', 'ÉCLAIR', ' Ann@Example.COM ', 'İ', 'e\u0301', 't', 'no'];
const NUMBERS = ['0', '1', '-1', '007', '+5', '1.5', '12.50', '-0.01', '0.005', '12.3456', '1e3'];
const LARGE_NUMBERS = ['3000000000', '12345678901234567890', '12345678901234567890.12'];
const TIMES = [
	'2024-02-29',
	'2024-01-31T10:00:00',
	'2024-01-31T10:00:00.123456',
	'2024-07-01T10:00:00Z',
	'2024-01-31T23:30-05:00',
	'0044-03-15 BC',
	'infinity',
];
const PHONES = ['+12125550100', '(212) 555-0100 x12', '+442079460958', '030 901820'];
const PLACES = ['DE', 'USA', 'United Kingdom', 'NY', 'Ontario', 'EUR', 'usd', '12.50 EUR'];
const IDENTIFIERS = ['6f9619ff-8b86-4d11-b42d-00c04fc964ff', '12-345'];
const JSON_TEXTS = ['{"b":1,"a":[2]}', '[]', 'null'];
const OTHERS = [
	true,
	false,
	0,
	1,
	-7,
	12.5,
	1e21,
	[],
	['b', 'a', 'b'],
	[null, 1],
	{ b: 1, a: [2] },
];

const SAMPLES: readonly Json[] = [
	...TEXTS,
	...NUMBERS,
	...LARGE_NUMBERS,
	...TIMES,
	...PHONES,
	...PLACES,
	...IDENTIFIERS,
	...JSON_TEXTS,
	...OTHERS,
];

/**
 * Raw values of many kinds; each codec reads some of them. What the field's codec writes is among
 * them, because some (prefix, map) read little else.
 */
export function samplesFor(codec: Codec, { map }: Pick<FieldPolicy, 'map'>): readonly Json[] {
	const known = [...SAMPLES, ...(map ? valuesIn(map) : [])];
	const written = known.flatMap((sample) => {
		const raw = codec.toRaw(sample);
		return raw.ok && raw.value !== null ? [raw.value] : [];
	});
	return [...known, ...written];
}

function valuesIn(map: FieldMap): Json[] {
	const maps = map.kind === 'pairs' ? [map.pairs] : [...map.bySystem.values()];
	return maps.flatMap((pairs) => [...pairs].flat());
}

/** From whom to whom values can travel: from the owner to all others with a column, or between all of these. */
export function directionsOf({ columns, authority }: FieldPolicy): [string, string][] {
	const systems = [...columns.keys()];
	const sources = authority.kind === 'owned' ? [authority.owner] : systems;
	return sources.flatMap((from) =>
		systems.filter((to) => to !== from).map((to): [string, string] => [from, to]),
	);
}

/**
 * What becomes of a canonical value that is written with `codec` and read back.
 *
 * @param stored - what the column makes of a written value; undefined when it refuses it
 */
export function travel(
	canon: Json,
	codec: Codec,
	stored: (raw: Json) => Json | undefined = (raw) => raw,
): 'same' | 'different' | 'refused' {
	const written = codec.toRaw(canon);
	const kept = written.ok ? stored(written.value) : undefined;
	if (kept === undefined) return 'refused';
	const read = codec.toCanon(kept);
	if (!read.ok) return 'different';
	return equalJson(read.value, canon) ? 'same' : 'different';
}
