import { z } from 'zod/v4';

import type { Observed } from './observe-batch';

const observedSchema = z.object({
	link: z.string().nullable(),
	disposition: z.enum([
		'foreign',
		'echo',
		'residual',
		'outcome',
		'unchanged',
		'duplicate',
		'wake',
		'truncate',
		'stale',
		'doubtful',
		'overtaken',
	]),
	due: z.boolean(),
	concurrentFields: z.array(z.string()),
	mode: z.enum(['first-contact', 'shadow', 'stopped']).optional(),
});

/** Reads what an observation left on an item; null when there is none, or somebody changed it. */
export function parseObserved(value: unknown): Observed | null {
	const parsed = observedSchema.safeParse(value);
	if (!parsed.success) return null;
	const { mode, ...found } = parsed.data;
	return mode === undefined ? found : { ...found, mode };
}
