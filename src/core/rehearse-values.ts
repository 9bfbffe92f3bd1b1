import { canonicalJson, equalJson, type Json } from './canonical-json';
import type { Codec } from './codecs/codec';
import { readDecimal } from './exact-decimal';
import { samplesFor } from './lint-samples';
import { rawFor, readFields, type Row } from './mapping';
import type { EntityPolicy, FieldPolicy, Valid } from './policy';
import { invalidity } from './policy-valid';
import { keyOfReferred, REFERRED } from './rehearsed-record';
import { isInScope } from './row-scope';

/** Invented values of a field: what stands everywhere, and what users make of it. Absent: there is no other one. */
export interface RehearsedValues {
	readonly before: Json;
	readonly one: Json;
	readonly other?: Json;
}

/** Values that people recognise, three of each kind, before those that are there to try codecs with. */
const FAMILIAR: readonly Json[] = [
	...['Ann', 'Bob', 'Christine'],
	...['10', '12', '15', 10, 12, 15],
	...['2024-03-01', '2024-03-02', '2024-03-05'],
	...['2024-03-01T10:00:00Z', '2024-03-02T10:00:00Z', '2024-03-05T10:00:00Z'],
	...['ann@example.com', 'bob@example.com', 'christine@example.com'],
	...['+12125550100', '+12125550101', '+12125550102'],
	...['DE', 'FR', 'US', 'EUR', 'USD', 'GBP', '10.00 EUR', '12.00 EUR', '15.00 EUR'],
	...[true, false],
	...[['a'], ['a', 'b'], ['a', 'c']],
];

/** The raw values that a system would show for a canonical one; null: it cannot be said there. */
export function rawOf(entity: EntityPolicy, system: string, field: FieldPolicy, canon: Json): { readonly raw: Json } | null {
	if (field.references !== null) return { raw: canon === null ? null : keyOfReferred(String(canon)) };
	const written = rawFor(entity, system, field.name, canon);
	return written.ok ? { raw: written.value } : null;
}

/** Values that each of the systems with a column can hold and the policy lets through; null when two of the kind are not known. */
export function rehearsedValues(entity: EntityPolicy, field: FieldPolicy, given?: Json): RehearsedValues | null {
	const all = field.references === null ? candidates(field) : REFERRED;
	const usable = all.filter((canon) => isUsable(entity, field, canon));
	let found: RehearsedValues | null = null;
	for (const before of given === undefined ? usable : [given]) {
		const [one, other] = usable.filter((next) => mayFollow(field.valid, next, before));
		if (one !== undefined && other !== undefined) return { before, one, other };
		if (one !== undefined) found ??= { before, one };
	}
	return found;
}

function mayFollow(valid: Valid | null, next: Json, before: Json): boolean {
	return !equalJson(next, before) && (valid === null || invalidity(valid, next, before) === null);
}

function isUsable(entity: EntityPolicy, field: FieldPolicy, canon: Json): boolean {
	if (field.valid !== null && field.references === null && invalidity(field.valid, canon, undefined) !== null) return false;
	return [...field.columns].every(([system, { column }]) => {
		const said = rawOf(entity, system, field, canon);
		const allowed = entity.tables.get(system)?.where.get(column);
		return said !== null && said.raw !== null && (allowed === undefined || isInScope(new Map([[column, allowed]]), { [column]: said.raw }) === true);
	});
}

/** What might be a value of the field, each once; first what its rule is made for. */
function candidates(field: FieldPolicy): Json[] {
	const codecs = [...field.columns.values()].map(({ codec }) => codec);
	const named = namedBy(field.valid);
	const raws = [...named, ...FAMILIAR];
	const canons = [...named, ...codecs.flatMap((codec) => canonsOf(codec, raws)), ...codecs.flatMap((codec) => canonsOf(codec, samplesFor(codec, field)))];
	const unique = [...new Map(canons.filter((canon) => canon !== null && canon !== '').map((canon) => [canonicalJson(canon), canon])).values()];
	const suits = suitableFor(field);
	return [...unique.filter(suits), ...unique.filter((canon) => !suits(canon))];
}

function canonsOf(codec: Codec, raws: readonly Json[]): Json[] {
	return raws.flatMap((raw) => {
		const read = codec.toCanon(raw);
		return read.ok ? [read.value] : [];
	});
}

/** What the conditions of a field name, and for a pattern the texts in it that are meant as they are. */
function namedBy(valid: Valid | null): Json[] {
	if (valid === null) return [];
	const { oneOf, transitions, pattern } = valid;
	const literal = pattern === null ? [] : pattern.split(/[^\p{L}\p{N}=@.-]+/u);
	return [...(oneOf ?? []), ...[...(transitions ?? [])].flatMap(([from, to]) => [from, ...to]), ...literal];
}

function suitableFor({ authority, columns }: FieldPolicy): (canon: Json) => boolean {
	if ([...columns.values()].some(({ specs }) => specs.includes('email'))) return (canon) => String(canon).includes('@');
	switch (authority.kind === 'shared' ? authority.resolve.kind : 'owned') {
		case 'union':
			return (canon) => Array.isArray(canon);
		case 'max':
		case 'min':
		case 'delta':
			return (canon) => readDecimal(canon).ok;
		default:
			return (canon) => typeof canon !== 'object';
	}
}

/** Invented values of all fields, and the rows that hold what stands before. */
export interface RehearsedStart {
	readonly values: ReadonlyMap<string, RehearsedValues>;
	/** Raw values by system and column. */
	readonly rows: ReadonlyMap<string, Row>;
}

/** What a system computes follows from its other columns, so such fields come last. */
export function rehearsedStart(entity: EntityPolicy): RehearsedStart {
	const values = new Map<string, RehearsedValues>();
	const rows = new Map<string, Row>([...entity.tables.keys()].map((system) => [system, {}]));
	const all = [...entity.fields.values()];
	for (const field of all) if (field.computed.size === 0) take(field, rehearsedValues(entity, field));
	for (const field of all) {
		if (field.computed.size === 0) continue;
		for (const [system, { parts }] of field.computed) {
			rows.set(system, { ...Object.fromEntries(parts.map((column) => [column, 'Ann'])), ...rows.get(system) });
		}
		const said = computedValue(entity, field, rows);
		take(field, said === null ? null : rehearsedValues(entity, field, said));
	}
	return { values, rows };

	function take(field: FieldPolicy, found: RehearsedValues | null): void {
		if (found === null) return;
		values.set(field.name, found);
		for (const [system, { column }] of field.columns) {
			const said = rawOf(entity, system, field, found.before);
			if (said !== null) rows.set(system, { ...rows.get(system), [column]: said.raw });
		}
	}
}

/** What all systems that compute the field say, if they say the same, and the others can hold it. */
function computedValue(entity: EntityPolicy, field: FieldPolicy, rows: ReadonlyMap<string, Row>): Json {
	const said = [...field.computed.keys()].map((system) => {
		const reading = readFields(entity, system, rows.get(system) ?? {}, { names: [field.name] }).get(field.name);
		return reading?.state === 'value' ? reading.canon : null;
	});
	const [first = null] = said;
	return first !== null && said.every((one) => equalJson(one, first)) && isUsable(entity, field, first) ? first : null;
}
