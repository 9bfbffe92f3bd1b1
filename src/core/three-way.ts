import { equalJson, type Json } from './canonical-json';

/** A record as plain data. A field that is missing says nothing: it is not null, and not a deletion. */
export type Fields = Readonly<Record<string, Json>>;

/**
 * What decides a field.
 *
 * - `owner`: that side's value stands; what another side made of it is overwritten.
 * - `prefer`: that side wins when both changed the field.
 * - `review`: a person decides when both changed it.
 */
export type FieldRule =
	| { readonly kind: 'owner' | 'prefer'; readonly side: Side }
	| { readonly kind: 'review' };

export type Side = 'a' | 'b';

export interface ThreeWayInput {
	/** What both sides held when they last agreed. */
	readonly base: Fields;
	readonly a: Fields;
	readonly b: Fields;
	/** By field name. */
	readonly rules: ReadonlyMap<string, FieldRule>;
	/** For fields without a rule of their own. */
	readonly otherwise: FieldRule;
}

export interface ThreeWayResult {
	/** All fields as both sides should hold them; a field that waits for a person is not among them. */
	readonly merged: Fields;
	/** What each side lacks of `merged`. */
	readonly writes: Readonly<Record<Side, Fields>>;
	readonly conflicts: readonly FieldConflict[];
}

/** A field that both sides changed differently. `base` is missing when there was none. */
export interface FieldConflict {
	readonly field: string;
	readonly base?: Json;
	readonly a: Json;
	readonly b: Json;
}

/**
 * Merges two versions of a record, field by field, against what they had in common. Stateless:
 * it cannot know which change had seen which, so a field that both changed is always a conflict.
 */
export function mergeThreeWay({ base, a, b, rules, otherwise }: ThreeWayInput): ThreeWayResult {
	const merged: [string, Json][] = [];
	const lacking: Record<Side, [string, Json][]> = { a: [], b: [] };
	const conflicts: FieldConflict[] = [];
	for (const field of fieldNames(base, a, b)) {
		const sides = { base: at(base, field), a: at(a, field), b: at(b, field) };
		const value = mergedValue(sides, rules.get(field) ?? otherwise);
		if (value === CONFLICT) {
			conflicts.push({
				field,
				...(sides.base === undefined ? {} : { base: sides.base }),
				a: sides.a ?? null,
				b: sides.b ?? null,
			});
			continue;
		}
		merged.push([field, value]);
		for (const side of ['a', 'b'] as const) {
			// Not `??`: a null that the side holds is a value.
			const held = sides[side] === undefined ? sides.base : sides[side];
			if (held === undefined || !equalJson(held, value)) lacking[side].push([field, value]);
		}
	}
	// Not `merged[field] = …`, which loses a name like __proto__.
	const writes = { a: Object.fromEntries(lacking.a), b: Object.fromEntries(lacking.b) };
	return { merged: Object.fromEntries(merged), writes, conflicts };
}

const CONFLICT = Symbol('both sides changed the field');

interface FieldSides {
	readonly base: Json | undefined;
	readonly a: Json | undefined;
	readonly b: Json | undefined;
}

function mergedValue({ base, a, b }: FieldSides, rule: FieldRule): Json | typeof CONFLICT {
	const owned = rule.kind === 'owner' ? { a, b }[rule.side] : undefined;
	if (owned !== undefined) return owned;
	const changed = { a: isChanged(a, base), b: isChanged(b, base) };
	if (!changed.a || !changed.b) return (changed.a ? a : changed.b ? b : base) ?? null;
	if (a === undefined || b === undefined || equalJson(a, b)) return a ?? null; // Both changed, so both are there.
	return rule.kind === 'review' ? CONFLICT : { a, b }[rule.side];
}

function isChanged(value: Json | undefined, base: Json | undefined): boolean {
	return value !== undefined && (base === undefined || !equalJson(value, base));
}

function fieldNames(...records: readonly Fields[]): string[] {
	return [...new Set(records.flatMap((record) => Object.keys(record)))];
}

function at(record: Fields, field: string): Json | undefined {
	return Object.hasOwn(record, field) ? record[field] : undefined;
}
