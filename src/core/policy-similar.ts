import type { Json } from './canonical-json';
import { carriersOf, type FieldPolicy, type SimilarRule } from './policy';
import type { PolicyPath, PolicyProblems } from './policy-problems';
import { similarShape } from './policy-schema';
import { didYouMean } from './suggest';

const DEFAULT_ABOVE = 0.85;

/** Reads an entity's `similar`; null when it says nothing. */
export function readSimilar(
	value: unknown,
	{ fields, ...context }: { readonly problems: PolicyProblems; readonly path: PolicyPath; readonly fields: ReadonlyMap<string, FieldPolicy> },
): SimilarRule | null {
	if (value === undefined) return null;
	const { problems } = context;
	const path = [...context.path, 'similar'];
	const read = problems.readObject(value, similarShape, path);
	const names = read.fields ?? [];
	names.forEach((name, at) => {
		const problem = problemOf(name, fields);
		if (problem !== null) problems.add([...path, 'fields', at], problem);
	});
	return { fields: names, above: read.above ?? DEFAULT_ABOVE };
}

function problemOf(name: string, fields: ReadonlyMap<string, FieldPolicy>): string | null {
	const field = fields.get(name);
	if (!field) return `"${name}" is not a field of this entity${didYouMean(name, fields.keys())}`;
	if (field.references !== null) return `"${name}" names another record: compare its texts there`;
	return carriersOf(field).length < 2 ? `"${name}" is in one system only, and can resemble nothing` : null;
}

/** The rule as the document writes it. */
export function documentOfSimilar(similar: SimilarRule | null): { [key: string]: Json } {
	return similar === null ? {} : { similar: { fields: [...similar.fields], above: similar.above } };
}
