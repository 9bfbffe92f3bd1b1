import { equalJson, type Json } from './canonical-json';
import type { Codec } from './codecs/codec';
import type { LintFinding } from './lint-finding';
import type { ColumnBinding, FieldPolicy } from './policy';

const TEXTS = ['', 'a', ' Ann  Lee ', 'ÉCLAIR', ' Ann@Example.COM ', 'İ', 't', 'no', 'infinity'];
const NUMBERS = ['0', '1', '-1', '007', '+5', '1.5', '12.50', '-0.01', '0.005', '1e3'];
const LARGE_NUMBERS = ['12345678901234567890', '12345678901234567890.12'];
const TIMES = [
	'2024-02-29',
	'2024-01-31T10:00:00.123456',
	'2024-01-31T23:30-05:00',
	'0044-03-15 BC',
];
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

/** Raw values of many kinds; each codec reads some of them. The values of a field's `map` come beside them. */
const SAMPLES: readonly Json[] = [
	...TEXTS,
	...NUMBERS,
	...LARGE_NUMBERS,
	...TIMES,
	...JSON_TEXTS,
	...OTHERS,
];

/**
 * Runs sample values through a field's codecs: what is read, written and read again must stay
 * the same, and what one system says the others must be able to say. Otherwise the field would
 * never come to rest.
 */
export function lintCodecs(field: FieldPolicy, path: string): LintFinding[] {
	const samples = [...SAMPLES, ...(field.map?.keys() ?? []), ...(field.map?.values() ?? [])];
	const canonOf = new Map(
		[...field.columns].map(([system, { codec }]) => [system, canonsOf(codec, samples)] as const),
	);
	const broken = [...field.columns].flatMap(([system, { codec }]) =>
		lintAlone({ system, codec, path }, canonOf.get(system) ?? []),
	);
	if (broken.length > 0) return broken; // Every direction with a broken codec would be found again.
	return directionsOf(field).flatMap(([from, to]) => {
		const target = field.columns.get(to);
		return target ? lintDirection({ from, to, target, path }, canonOf.get(from) ?? []) : [];
	});
}

function canonsOf(codec: Codec, samples: readonly Json[]): Json[] {
	return samples.flatMap((sample) => {
		const read = codec.toCanon(sample);
		return read.ok && read.value !== null ? [read.value] : [];
	});
}

function lintAlone(
	{ system, codec, path }: { system: string; codec: Codec; path: string },
	canons: readonly Json[],
): LintFinding[] {
	if (canons.length === 0) {
		return [
			{
				severity: 'error',
				path: `${path}.codec`,
				message: `No sample value can be read in ${system} with ${codec.name}, so probably no value can.`,
				fix: 'Change the order of the codecs, or leave one out.',
			},
		];
	}
	if (canons.every((canon) => travel(canon, codec) === 'same')) return [];
	return [
		{
			severity: 'error',
			path: `${path}.codec`,
			message: `What ${system} writes with ${codec.name} does not read back as the same value, so the field would never come to rest.`,
			fix: 'Change the order of the codecs, or leave one out.',
		},
	];
}

/** From whom to whom values can travel: from the owner to all others, or between all. */
function directionsOf({ columns, authority }: FieldPolicy): [string, string][] {
	const systems = [...columns.keys()];
	const sources = authority.kind === 'owned' ? [authority.owner] : systems;
	return sources.flatMap((from) =>
		systems.filter((to) => to !== from).map((to): [string, string] => [from, to]),
	);
}

function lintDirection(
	{ from, to, target, path }: { from: string; to: string; target: ColumnBinding; path: string },
	canons: readonly Json[],
): LintFinding[] {
	const arrivals = canons.map((canon) => travel(canon, target.codec));
	if (!arrivals.includes('different') && arrivals.includes('same')) return [];
	const isHopeless = !arrivals.includes('same');
	return [
		{
			severity: isHopeless ? 'error' : 'warning',
			path: `${path}.codec`,
			message: `${isHopeless ? 'No value' : 'Not every value'} of ${from} can be written to ${to}, where ${target.codec.name} reads it as another one.`,
			fix: `Give ${from} and ${to} codecs with the same canonical values (the same codec, or decimal(n) beside minor-units(n)).`,
		},
	];
}

/** What becomes of a canonical value that is written with `codec` and read back. */
function travel(canon: Json, codec: Codec): 'same' | 'different' | 'refused' {
	const written = codec.toRaw(canon);
	if (!written.ok) return 'refused';
	const read = codec.toCanon(written.value);
	if (!read.ok) return 'different';
	return equalJson(read.value, canon) ? 'same' : 'different';
}
