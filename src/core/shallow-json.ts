import { z } from 'zod/v4';
import type { Json } from './canonical-json';

/**
 * A JSON value, checked one level deep: what a trigger decoded or a node of this pack made is JSON,
 * and walking through it again at every node costs more than deciding.
 */
export const shallowJson = z.custom<Json>(
	isJsonAtFirstSight,
	'must be null, a boolean, a finite number, a text, a list or an object',
);

function isJsonAtFirstSight(value: unknown): boolean {
	if (typeof value === 'number') return Number.isFinite(value);
	return value === null || ['boolean', 'string', 'object'].includes(typeof value);
}
