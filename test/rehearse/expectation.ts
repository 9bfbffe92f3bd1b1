import { z } from 'zod/v4';

import { pattern } from './pattern';
import { anyOf } from './scenario-error';

const count = z.number().int().min(0);

const reviewItem = z.strictObject({
	kind: z.enum(['conflict', 'failure', 'approval', 'identity']).optional(),
	field: z.string().optional(),
	reason: pattern.optional(),
});
export type ExpectedReview = z.output<typeof reviewItem>;

/** `{ customers: [{ id: 1, note: a }] }` */
const rows = z.record(z.string(), z.array(z.record(z.string(), z.json())));
export type ExpectedRows = z.output<typeof rows>;

/** What may be expected, beside the rows of a system by its name. */
export const EXPECTATIONS = {
	writes: z.record(z.string(), count),
	backlog: z.record(z.string(), count),
	conflicts: count,
	reviews: z.union([count, z.array(reviewItem)]),
	journal: z.array(pattern),
	duplicates: count,
	reverts: count,
	gaps: count,
	frozen: z.union([count, z.array(z.string())]),
	warnings: z.array(pattern),
	refused: z.union([z.literal(false), pattern]),
	differences: count,
	accepted: count,
	links: count,
	tombstones: count,
} as const;

/** What is left over are the systems' rows: whether these words name systems is for whoever knows the policy. */
export const expectation = z
	.object(Object.fromEntries(Object.entries(EXPECTATIONS).map(([name, schema]) => [name, schema.optional()])) as {
		[Name in keyof typeof EXPECTATIONS]: z.ZodOptional<(typeof EXPECTATIONS)[Name]>;
	})
	.catchall(z.unknown())
	.superRefine((given, context) => {
		for (const [word, value] of Object.entries(given)) {
			if (isExpectationName(word) || rows.safeParse(value).success) continue;
			const isRows = typeof value === 'object' && value !== null && !Array.isArray(value);
			const message = isRows
				? 'must be lists of rows by table, such as { customers: [{ id: 1 }] }'
				: `is no expectation; there are ${anyOf(Object.keys(EXPECTATIONS))}, and rows by the name of a system`;
			context.addIssue({ code: 'custom', path: [word], message });
		}
	});

export type Expectation = { readonly [Name in keyof typeof EXPECTATIONS]?: z.output<(typeof EXPECTATIONS)[Name]> | undefined };

export const isExpectationName = (word: string): word is keyof typeof EXPECTATIONS => Object.hasOwn(EXPECTATIONS, word);
