import { z } from 'zod/v4';
import { templateColumns } from './computed';
import type { ComputedBinding } from './policy';
import type { FieldContext } from './policy-codecs';
import type { PolicyPath, PolicyProblems } from './policy-problems';
import { columnName, scalar } from './policy-schema';

/** How one system carries a field: by a column, or by what is computed. */
export type Carrying =
	| { readonly kind: 'column'; readonly column: string }
	| ({ readonly kind: 'computed' } & Pick<ComputedBinding, 'from' | 'parts'>);

/** Reads a system's key of a field: a column name, `{ compute: '{a} {b}' }` or `{ constant: x }`. */
export function readCarrying(value: unknown, path: PolicyPath, problems: PolicyProblems): Carrying {
	if (typeof value !== 'object' || value === null || Array.isArray(value)) {
		return { kind: 'column', column: problems.read(columnName, value, path) ?? '' };
	}
	const shape = {
		compute: z.string("must be a text, '{first_name} {last_name}'").optional(),
		constant: z.unknown(),
	};
	const read = problems.readObject(value, shape, path);
	const isConstant = Object.hasOwn(value, 'constant');
	if (isConstant === Object.hasOwn(value, 'compute')) {
		problems.add(path, 'must be a column name, or have either compute or constant');
	} else if (isConstant) {
		const constant = problems.read(scalar, read.constant, [...path, 'constant']) ?? null;
		return { kind: 'computed', from: { kind: 'constant', value: constant }, parts: [] };
	}
	return readTemplate(read.compute, [...path, 'compute'], problems);
}

function readTemplate(
	template: string | undefined,
	path: PolicyPath,
	problems: PolicyProblems,
): Carrying {
	const parts = templateColumns(template ?? '');
	const rest = template?.replace(/\{[^{}]*\}/g, '') ?? '';
	if (template !== undefined && (parts.length === 0 || parts.includes('') || /[{}]/.test(rest))) {
		problems.add(path, "must name columns in braces, '{first_name} {last_name}'");
	}
	return { kind: 'computed', from: { kind: 'template', template: template ?? '' }, parts };
}

/** What is computed cannot be written, so its system must be the one that decides. */
export function checkComputed(
	computed: Iterable<string>,
	owner: string | undefined,
	{ problems, path }: FieldContext,
): void {
	for (const system of computed) {
		if (owner === system) continue;
		problems.add(
			[...path, system],
			`is computed there and can never be written; set owner: ${system}, or name a column`,
		);
	}
}
