import type { Json } from './canonical-json';
import type { Codec } from './codecs/codec';
import type { LintFinding } from './lint-finding';
import { directionsOf, samplesFor, travel } from './lint-samples';
import type { ColumnBinding, FieldPolicy } from './policy';
import { listOf } from './suggest';

/**
 * Runs sample values through a field's codecs: what is read, written and read again must stay
 * the same, and what one system says the others must be able to say. Otherwise the field would
 * never come to rest.
 */
export function lintCodecs(field: FieldPolicy, path: string): LintFinding[] {
	const canonOf = new Map(
		[...field.columns, ...field.computed].map(
			([system, { codec }]) => [system, canonsOf(codec, field)] as const,
		),
	);
	const broken = [...field.columns].flatMap(([system, { codec }]) =>
		lintAlone({ system, codec, path }, canonOf.get(system) ?? []),
	);
	if (broken.length > 0) return broken; // Every direction with a broken codec would be found again.
	return directionsOf(field).flatMap(([from, to]) => {
		const source = field.columns.get(from) ?? field.computed.get(from);
		const target = field.columns.get(to);
		if (!source || !target) return [];
		return [
			...lintDirection({ from, to, target, path }, canonOf.get(from) ?? []),
			...lintNames({ from, to, field, path }),
			...(field.nulls === 'clear' ? lintNull({ from, to, source, target, path }) : []),
		];
	});
}

/** Names of a map that one system can say and another cannot. */
function lintNames({
	from,
	to,
	field,
	path,
}: {
	readonly from: string;
	readonly to: string;
	readonly field: FieldPolicy;
	readonly path: string;
}): LintFinding[] {
	if (field.map?.kind !== 'named') return [];
	const said = new Set([...(field.map.bySystem.get(to)?.values() ?? [])].map(String));
	const missing = [...(field.map.bySystem.get(from)?.values() ?? [])]
		.filter((name) => !said.has(String(name)))
		.map((name) => `"${String(name)}"`);
	if (missing.length === 0) return [];
	return [
		{
			severity: 'warning',
			path: `${path}.map.${to}`,
			message: `${listOf(missing, 'and')} of ${from} cannot be said in ${to}; a record with it would wait for a person.`,
			fix: `Add a value of ${to} for each.`,
		},
	];
}

/** Where null means a value in one column only, the others' null cannot be said in it. */
function lintNull({
	from,
	to,
	source,
	target,
	path,
}: {
	readonly from: string;
	readonly to: string;
	readonly source: Pick<ColumnBinding, 'codec'>;
	readonly target: ColumnBinding;
	readonly path: string;
}): LintFinding[] {
	const read = source.codec.toCanon(null);
	if (!read.ok || read.value !== null || target.codec.toRaw(null).ok) return [];
	return [
		{
			severity: 'warning',
			path: `${path}.codec`,
			message: `A null of ${from} cannot be written to ${to}, where ${target.codec.name} gives null another meaning.`,
			fix: `Say in the codec of ${from} what its null means.`,
		},
	];
}

function canonsOf(codec: Codec, field: FieldPolicy): Json[] {
	return samplesFor(codec, field).flatMap((sample) => {
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
