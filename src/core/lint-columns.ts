import type { Json } from './canonical-json';
import { INFINITIES } from './codecs/time-codecs';
import {
	lintOpenValues,
	lintRefusedValues,
	lintUnmapped,
	type Direction,
	type Place,
} from './lint-admitted';
import type { LintFinding } from './lint-finding';
import { directionsOf, samplesFor, travel } from './lint-samples';
import type { ColumnBinding, FieldPolicy } from './policy';
import { storedValue } from './stored-value';
import type { ColumnFacts } from './table-facts';

/**
 * Holds a field's codecs and map against the types of its columns: what one column holds must fit
 * into the others and come back as it was.
 *
 * @param factsOf - of the field's column in a system; undefined when nothing is known of it
 */
export function lintColumns(
	field: FieldPolicy,
	path: string,
	factsOf: (system: string) => ColumnFacts | undefined,
): LintFinding[] {
	const places = new Map(
		[...field.columns].flatMap(([system, binding]): [string, Place][] => {
			const facts = factsOf(system);
			return facts?.kind === undefined ? [] : [[system, { system, binding, facts }]];
		}),
	);
	const unread = [...places.values()].flatMap((place) => lintReading(field, place, path));
	if (unread.length > 0) return unread; // Of a codec that reads nothing, no direction needs to be told.
	const unmapped = [...places.values()].flatMap((place) => lintUnmapped(field, place, path));
	const travelling = directionsOf(field).flatMap(([from, to]) => {
		const source = places.get(from);
		const target = places.get(to);
		if (!source || !target) return [];
		return [
			...lintValues(field, { source, target, path }),
			...lintLength({ source, target, path }),
		];
	});
	return [...unmapped, ...travelling];
}

function lintReading(
	field: FieldPolicy,
	{ system, binding, facts }: Place,
	path: string,
): LintFinding[] {
	const samples = heldSamples(field, { binding, facts });
	if (samples.some((sample) => binding.codec.toCanon(sample).ok)) return [];
	return [
		{
			severity: 'error',
			path: `${path}.codec`,
			message: `${binding.codec.name} can read no value of the column "${binding.column}" of ${system}, which is ${kindOf(facts)}.`,
			fix: 'Leave the codec out for this system, or map a column of another type.',
		},
	];
}

/** Values travel as they are read from one column, and have to come back from the other. */
function lintValues(field: FieldPolicy, { source, target, path }: Direction): LintFinding[] {
	const results = canonsHeld(field, source).map((canon) => ({
		canon,
		result: travel(canon, target.binding.codec, (raw) => storedValue(raw, target.facts)),
	}));
	const isEnumerated = target.facts.values != null;
	const refused = results.filter(({ result }) => result === 'refused');
	if (isEnumerated && refused.length > 0 && (source.facts.values != null || field.map)) {
		return [
			lintRefusedValues(
				refused.map(({ canon }) => canon),
				{ source, target, path },
			),
		];
	}
	const kept = results.filter(({ result }) => result === 'same');
	const isHopeless = kept.length === 0;
	if (!isHopeless && !results.some(({ result }) => result === 'different')) {
		return isEnumerated && refused.length > 0 ? [lintOpenValues({ source, target, path })] : [];
	}
	const [one, other] = [source, target].map(nameOf);
	return [
		{
			severity: isHopeless ? 'error' : 'warning',
			path: `${path}.codec`,
			message: `${isHopeless ? 'No value' : 'Not every value'} of ${one} stays the same in ${other}.`,
			fix: fixFor(source.facts, target.facts),
		},
	];
}

/** Codecs that may change how long a text is cannot be judged by the columns' lengths. */
const KEEPS_LENGTH = new Set(['trim', 'lower', 'collapse-space', 'email', 'empty-as-null', 'nfc']);

function lintLength({ source, target, path }: Direction): LintFinding[] {
	const limit = target.facts.maxLength ?? null;
	const isText = source.facts.kind === 'text' && source.facts.values == null;
	const { specs } = target.binding;
	if (limit === null || !isText || source.facts.maxLength === undefined) return [];
	if (![...specs, ...source.binding.specs].every((spec) => KEEPS_LENGTH.has(spec))) return [];
	const longest = source.facts.maxLength;
	if (longest !== null && longest <= limit) return [];
	const length = longest === null ? 'texts of any length' : `texts of up to ${longest} characters`;
	return [
		{
			severity: longest === null ? 'info' : 'warning',
			path: `${path}.${target.system}`,
			message: `${source.system} has ${length}, and the column "${target.binding.column}" of ${target.system} refuses those of more than ${limit}; they would wait for a person.`,
			fix: `Make the column of ${target.system} longer, or limit the one of ${source.system}.`,
		},
	];
}

/** Sample values that the column can hold, in the form in which it sends them. */
function heldSamples(
	field: FieldPolicy,
	{ binding, facts }: Pick<Place, 'binding' | 'facts'>,
): Json[] {
	return [...(facts.values ?? []), ...samplesFor(binding.codec, field)].flatMap((sample) => {
		const held = storedValue(sample, facts);
		return held === undefined || held === null ? [] : [held];
	});
}

function canonsHeld(field: FieldPolicy, { binding, facts }: Place): Json[] {
	return heldSamples(field, { binding, facts }).flatMap((held) => {
		const read = binding.codec.toCanon(held);
		// Infinity is the same in all of them and says nothing about the others.
		const isTelling = read.ok && read.value !== null && !INFINITIES.includes(read.value);
		return isTelling ? [read.value] : [];
	});
}

const NUMBERS: readonly unknown[] = ['integer', 'bigint', 'numeric', 'float'];
const TIMES: readonly unknown[] = ['date', 'timestamp', 'timestamptz'];

function fixFor(source: ColumnFacts, target: ColumnFacts): string {
	const kinds = [source.kind, target.kind];
	if (source.isPadded || target.isPadded)
		return 'Set codec: trim; a char(n) column sends blanks after shorter texts.';
	if (kinds.every((kind) => kind === 'integer' || kind === 'bigint')) return 'Set codec: integer.';
	if (kinds.every((kind) => NUMBERS.includes(kind))) {
		return 'Set codec: decimal(n) for both, with no more digits than either column keeps (minor-units(n) where it holds cents).';
	}
	if (kinds.includes('timestamp') && kinds.every((kind) => TIMES.includes(kind))) {
		return 'Set codec: timestamp, or datetime(Zone/City) for the system whose column has no time zone.';
	}
	if (kinds.every((kind) => TIMES.includes(kind)))
		return 'Set codec: timestamp, or date where both hold days.';
	if (kinds.includes('text'))
		return 'Set a codec for both that reads either type, such as text, integer, date or json.';
	return 'Set a codec for both that reads either type, or map columns of the same type.';
}

const nameOf = ({ system, binding, facts }: Place): string =>
	`"${binding.column}" of ${system} (${facts.kind ?? 'other'}${specsOf(binding)})`;

const specsOf = ({ codec }: ColumnBinding): string =>
	codec.name === 'identity' ? '' : `, read by ${codec.name}`;

function kindOf({ kind }: ColumnFacts): string {
	return kind === undefined || kind === 'other' ? 'of another type' : `of type ${kind}`;
}
