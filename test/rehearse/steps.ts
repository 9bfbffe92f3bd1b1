import { z } from 'zod/v4';

import { CRASH_POINTS } from '../support/crash-points';
import { Patch } from '../support/rest-crm/customer';
import { duration } from './duration';
import { expectation } from './expectation';

/** A word for every system: `{ crm: …, billing: … }`. */
const perSystem = <Value extends z.ZodType>(value: Value) =>
	z
		.record(z.string(), value)
		.refine((entries) => Object.keys(entries).length > 0, 'must name a system');

const statements = z.union([
	z.string().transform((text) => [text]),
	z.array(z.string()).min(1),
]);
const times = z.number().int().min(1).default(1);
const json = z.json();

/** A record, or one of its fields. */
const record = {
	table: z.string(),
	key: z.record(z.string(), json),
	system: z.string(),
	field: z.string().optional(),
};
const answer = { ...record, token: z.enum(['current', 'first']).default('current'), times };

/** What somebody does who sits at a system that is an API. */
const userAct = z.union([
	z.strictObject({ patch: z.string(), with: Patch }),
	z.strictObject({ create: z.string(), with: Patch }),
	z.strictObject({ remove: z.string() }),
]);

/** Of an API; a refusal lasts for a time. */
const switches = z.strictObject({
	versions: z.enum(['conditional', 'informative', 'none']).optional(),
	history: z.boolean().optional(),
	idempotencyKeys: z.boolean().optional(),
	partialReplies: z.boolean().optional(),
	retryAfter: z.enum(['seconds', 'date']).optional(),
	refuse: z
		.strictObject({
			status: z.union([z.literal(401), z.literal(429), z.literal(503)]),
			retryAfterSeconds: z.number().nullable().default(null),
			forMs: duration,
		})
		.nullable()
		.optional(),
	webhooks: z.strictObject({ body: z.enum(['full', 'partial', 'id']).optional(), versioned: z.boolean().optional() }).optional(),
	faults: z.strictObject({ loseReply: z.number().optional(), fail: z.number().optional(), failAfter: z.number().optional() }).optional(),
});

export const CRASH_POINT_NAMES = Object.keys(CRASH_POINTS) as (keyof typeof CRASH_POINTS)[];

/** What may be done, by name; `null` where the word says it all. */
export const STEPS = {
	pump: z.strictObject({ only: z.string().optional(), for: duration.optional() }),
	sql: perSystem(statements),
	tx: perSystem(statements),
	user: perSystem(z.array(userAct).min(1)),
	switch: perSystem(switches),
	hold: z.string(),
	release: z.string(),
	redeliver: z.strictObject({ system: z.string(), times }),
	pause: z.strictObject({ system: z.string(), at: z.enum(['before-write', 'after-commit']) }),
	kill: z.strictObject({ at: z.enum(CRASH_POINT_NAMES), times }),
	clock: perSystem(duration),
	resolve: z
		.strictObject({ ...answer, apply: z.string().optional(), value: json.optional() })
		.refine(
			({ apply, value }) => (apply === undefined) !== (value === undefined),
			'must have either "apply" (whose value) or "value"',
		),
	dismiss: z.strictObject(answer),
	retry: z.strictObject(answer),
	same: z.strictObject(answer),
	different: z.strictObject(answer),
	approve: z.strictObject({}),
	policy: z.record(z.string(), json),
	freeze: z.strictObject(record),
	unfreeze: z.strictObject(record),
	reconcile: z.strictObject({ repair: z.boolean().default(false) }),
	rollback: z.strictObject({ run: z.enum(['first', 'last']) }),
	'drop-slot': z.string(),
	restore: z.strictObject({ system: z.string(), to: z.literal('start') }),
	store: z.strictObject({ restore: z.enum(['start', 'nothing']) }),
	wait: duration,
	expect: expectation,
} as const;

export type StepName = keyof typeof STEPS;

/** A step as it was read: its name and what it is given. */
export type Step = { [Name in StepName]: { readonly name: Name; readonly given: z.output<(typeof STEPS)[Name]> } }[StepName];

export type Given<Name extends StepName> = Extract<Step, { name: Name }>['given'];

/** Steps that may stand alone, as a word. */
export const BARE_STEPS: readonly StepName[] = ['pump', 'approve', 'reconcile'];

export const isStepName = (word: string): word is StepName => Object.hasOwn(STEPS, word);
