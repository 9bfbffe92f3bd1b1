import { canonicalJson, type Json } from './canonical-json';
import type { LintFinding } from './lint-finding';
import type { ColumnBinding, FieldPolicy } from './policy';
import { listOf } from './suggest';
import type { ColumnFacts } from './table-facts';

/** A field's column in one system, with what is known of it. */
export interface Place {
	readonly system: string;
	readonly binding: ColumnBinding;
	readonly facts: ColumnFacts;
}

/** Values of one column on their way into another. */
export interface Direction {
	readonly source: Place;
	readonly target: Place;
	readonly path: string;
}

/** Values that the column admits and the field's map does not know. */
export function lintUnmapped(
	field: FieldPolicy,
	{ system, binding, facts }: Place,
	path: string,
): LintFinding[] {
	const unknown = (facts.values ?? []).filter((value) => !binding.codec.toCanon(value).ok);
	if (!field.map || unknown.length === 0) return [];
	const names = listOf(
		unknown.map((value) => `"${value}"`),
		'and',
	);
	return [
		{
			severity: 'warning',
			path: `${path}.map`,
			message: `The map lacks ${names}, which the column "${binding.column}" of ${system} admits; a record with it would wait for a person.`,
			fix: 'Add a pair for each to the map.',
		},
	];
}

/** Values that the one system has, by its column or the map, and the other does not admit. */
export function lintRefusedValues(
	canons: readonly Json[],
	{ source, target, path }: Direction,
): LintFinding {
	const texts = [
		...new Set(canons.map((canon) => (typeof canon === 'string' ? canon : canonicalJson(canon)))),
	];
	return {
		severity: 'error',
		path: `${path}.map`,
		message: `The column "${target.binding.column}" of ${target.system} has no value for ${listOf(
			texts.map((text) => `"${text}"`),
			'and',
		)} of ${source.system}.`,
		fix: `Map each to one of ${target.facts.values?.join(', ') ?? ''}.`,
	};
}

/** Free text on its way into a column that admits some values only. */
export function lintOpenValues({ source, target, path }: Direction): LintFinding {
	return {
		severity: 'warning',
		path: `${path}.map`,
		message: `The column "${target.binding.column}" of ${target.system} admits ${target.facts.values?.length ?? 0} values only, and ${source.system} may hold others, which would wait for a person.`,
		fix: `Give a map to ${target.facts.values?.join(', ') ?? ''}.`,
	};
}
