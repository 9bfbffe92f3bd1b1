import { z } from 'zod/v4';

import { anyOf } from './scenario-error';

type Issue = z.core.$ZodIssue;

/** What is wrong with a value, one sentence per problem, each with the place and the words that are allowed there. */
export function problemsOf(error: z.ZodError, schema: z.ZodType): string[] {
	return error.issues.flatMap((issue) => problemsOfIssue(issue, schema));
}

function problemsOfIssue(issue: Issue, schema: z.ZodType): string[] {
	const place = issue.path.length === 0 ? '' : `"${issue.path.join('.')}" `;
	if (issue.code === 'unrecognized_keys') {
		const allowed = allowedAt(schema, issue.path);
		const instead = allowed.length > 0 ? `; it may have ${anyOf(allowed)}` : '';
		return issue.keys.map((key) => `${place}has the unknown key "${key}"${instead}`);
	}
	if (issue.code === 'invalid_union') {
		const nested = issue.errors.flat().map((inner) => ({ ...inner, path: [...issue.path, ...inner.path] }));
		// The branch that came furthest knows best what was meant.
		const depth = Math.max(...nested.map(({ path }) => path.length));
		return nested.filter(({ path }) => path.length === depth).flatMap((inner) => problemsOfIssue(inner, schema));
	}
	const message = issue.message.replace(/^Invalid input: /, 'is wrong: ').replace(/^Invalid option: /, '');
	return [`${place}${message}`];
}

/** The keys of the object at a path, as far as the schema tells. */
function allowedAt(schema: z.ZodType, path: readonly PropertyKey[]): string[] {
	let here: unknown = schema;
	for (const key of path) here = stepInto(unwrapped(here), key);
	const end = unwrapped(here);
	return end instanceof z.ZodObject ? Object.keys(end.shape) : [];
}

function stepInto(schema: unknown, key: PropertyKey): unknown {
	if (schema instanceof z.ZodObject) return (schema.shape as Record<PropertyKey, unknown>)[key];
	if (schema instanceof z.ZodArray) return schema.element;
	if (schema instanceof z.ZodRecord) return schema.valueType;
	return undefined;
}

function unwrapped(schema: unknown): unknown {
	if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault) return unwrapped(schema.unwrap());
	if (schema instanceof z.ZodPipe) return unwrapped(schema.in);
	if (schema instanceof z.ZodUnion) return schema.options.map(unwrapped).find((option) => option instanceof z.ZodArray) ?? schema;
	return schema;
}
