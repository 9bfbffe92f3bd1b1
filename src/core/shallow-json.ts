import { z } from 'zod/v4';
import { isJsonObject, type Json } from './canonical-json';

const NOT_JSON = 'must be null, a boolean, a finite number, a text, a list or an object';

/**
 * A JSON value, checked one level deep: what a trigger decoded or a node of this pack made is JSON,
 * and walking through it again at every node costs more than deciding.
 */
export const shallowJson = z.custom<Json>(isJsonAtFirstSight, NOT_JSON);

/**
 * A record of JSON values, checked as deep as `shallowJson`. Not zod's own record: that one leaves out a
 * name such as `__proto__`, and a key that lost a column is the key of another row.
 */
export const shallowRecord = z
	.custom<Record<string, Json>>(isJsonObject, 'must be an object')
	.superRefine((record, context) => {
		for (const [name, value] of Object.entries(record)) {
			if (isJsonAtFirstSight(value)) continue;
			context.addIssue({ code: 'custom', path: [name], message: NOT_JSON });
		}
	});

function isJsonAtFirstSight(value: unknown): boolean {
	if (typeof value === 'number') return Number.isFinite(value);
	return value === null || ['boolean', 'string', 'object'].includes(typeof value);
}
