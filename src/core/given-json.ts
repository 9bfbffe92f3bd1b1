import { z } from 'zod/v4';

import type { Json } from './canonical-json';
import type { VersionVector } from './version-vector';

const fieldsSchema = z.record(z.string(), z.json());
const vectorSchema = z.record(z.string().min(1), z.int().min(0));

/** Reads a record of plain data, given as data or as its JSON text; null when it is none. */
export function parseFields(value: unknown): Readonly<Record<string, Json>> | null {
	return read(fieldsSchema, value);
}

/** Reads a version vector, given as data or as its JSON text; null when it is none. */
export function parseVector(value: unknown): VersionVector | null {
	return read(vectorSchema, value);
}

function read<T>(schema: z.ZodType<T>, value: unknown): T | null {
	const parsed = schema.safeParse(typeof value === 'string' ? jsonOf(value) : value);
	return parsed.success ? parsed.data : null;
}

function jsonOf(text: string): unknown {
	try {
		return JSON.parse(text);
	} catch {
		return undefined; // A text that is no JSON is refused by every schema; the caller names the field.
	}
}
