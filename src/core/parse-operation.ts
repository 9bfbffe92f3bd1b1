import { z } from 'zod/v4';
import type { Json } from './canonical-json';
import { SyncError } from './errors';
import type { Operation, OperationField } from './link';
import { shallowJson, shallowRecord } from './shallow-json';

const vector = z.record(z.string(), z.int().min(0));

const fieldSchema = z.object({
	expected: shallowJson.optional(),
	next: shallowJson.optional(),
	canon: shallowJson,
	vector,
});

const operationSchema = z.object({
	id: z.string().min(1),
	link: z.string().min(1),
	system: z.string().min(1),
	entity: z.string().min(1),
	number: z.int().min(1),
	epoch: z.int().min(1).optional(),
	kind: z.enum(['insert', 'update', 'delete']),
	key: shallowRecord.nullable(),
	fields: z.record(z.string(), fieldSchema),
	guards: shallowRecord,
	existence: vector.nullable(),
});

/**
 * Checks that a value is an operation, as Field Authority Merge makes them. A value that is
 * missing from a field stays missing: absent is not null.
 *
 * @throws SyncError NOT_AN_OPERATION, naming the path that is wrong
 */
export function parseOperation(value: unknown): Operation {
	const parsed = operationSchema.safeParse(value);
	if (!parsed.success) throw notAnOperation(parsed.error.issues);
	const { fields, epoch, ...operation } = parsed.data;
	const entries = Object.entries(fields).map(
		([name, field]) => [name, operationField(field)] as const,
	);
	return { ...operation, ...(epoch === undefined ? {} : { epoch }), fields: Object.fromEntries(entries) };
}

function operationField({ expected, next, ...field }: z.infer<typeof fieldSchema>): OperationField {
	return { ...given('expected', expected), ...given('next', next), ...field };
}

function given(
	name: 'expected' | 'next',
	value: Json | undefined,
): Partial<Record<typeof name, Json>> {
	return value === undefined ? {} : { [name]: value };
}

function notAnOperation(issues: readonly z.core.$ZodIssue[]): SyncError {
	const problems = issues
		.slice(0, 3)
		.map(({ path, message }) => `${path.length > 0 ? path.join('.') : 'it'}: ${message}`);
	return new SyncError(
		'NOT_AN_OPERATION',
		`What the item says is to be written is not an operation (${problems.join('; ')})`,
	);
}
