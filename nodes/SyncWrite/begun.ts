import { z } from 'zod/v4';

import { SyncError } from '../../src/core/errors';
import { shallowRecord } from '../../src/core/shallow-json';
import type { Begun } from '../../src/store/api-requests';

const begunSchema = z.object({
	op: z.string().min(1),
	link: z.string().min(1),
	system: z.string().min(1),
	entity: z.string().min(1),
	kind: z.enum(['insert', 'update', 'delete']),
	key: shallowRecord.nullable(),
	fields: shallowRecord,
	flat: shallowRecord,
	expected: shallowRecord,
	ifMatch: z.string().nullable(),
	version: z.string().nullable(),
	idempotencyKey: z.string(),
	attempt: z.int().min(1),
	ticket: z.string(),
	token: z.int(),
	readFirst: z.boolean(),
});

/** What an item says of the request that was begun with it, under `bisync.begin`. */
export type BegunFinding = z.infer<typeof begunSchema>;

export const BEGIN = 'begin';

export function begunFinding({ op, link, system, entity, kind, key, body, flat, expected, etag, version, attempt, ticket, token }: Begun, readFirst: boolean): BegunFinding {
	const [plainKey, fields] = [key && { ...key }, { ...body }];
	return {
		op,
		link,
		system,
		entity,
		kind,
		key: plainKey,
		fields,
		flat: { ...flat },
		expected: { ...expected },
		ifMatch: etag,
		version,
		idempotencyKey: op,
		attempt,
		ticket,
		token,
		readFirst,
	};
}

/** @throws SyncError NOT_BEGUN */
export function parseBegun(value: unknown): BegunFinding {
	const parsed = begunSchema.safeParse(typeof value === 'string' ? parsedJson(value) : value);
	if (parsed.success) return parsed.data;
	const [issue] = parsed.error.issues;
	throw new SyncError('NOT_BEGUN', `"Begun Request" is not what Sync Write (Begin) gave out${issue && issue.path.length > 0 ? ` (${issue.path.join('.')})` : ''}`);
}

function parsedJson(text: string): unknown {
	try {
		return JSON.parse(text);
	} catch {
		return null; // Not JSON, and refused as such.
	}
}
