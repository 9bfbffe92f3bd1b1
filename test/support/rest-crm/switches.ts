import { z } from 'zod/v4';

/** A probability: 0 never, 1 always. */
const chance = z.number().min(0).max(1).default(0);

/** When and how often events reach the subscriber. */
const webhooks = z.strictObject({
	/** `partial`: the changed properties alone; `id`: a hint without any. */
	body: z.enum(['full', 'partial', 'id']).default('full'),
	/** Whether an event tells the record's version and the time of its change. */
	versioned: z.boolean().default(true),
	duplicate: chance,
	delay: chance,
	/** How long a delayed event is late, at most. Later events of the record overtake it. */
	delayMs: z.number().min(0).default(300),
	/** Whether events wait until they are asked for (see `Webhooks.deliver`). */
	hold: z.boolean().default(false),
});

const faults = z.strictObject({
	/** The connection is cut after the write was made, before the reply. */
	loseReply: chance,
	/** 500 before anything was written. */
	fail: chance,
	/** 500 although the write was made. */
	failAfter: chance,
	slow: chance,
	slowMs: z.number().min(0).default(200),
	/** A read shows the version before the last one, as a replica that lags behind does. */
	staleRead: chance,
});

/** Everything the API can be told to do, or not to do, while it runs. */
export const Switches = z.strictObject({
	/**
	 * What a version is good for. `conditional`: ETag, and If-Match is honoured; `informative`: an ETag, but
	 * If-Match is ignored, as many APIs do; `none`: neither ETag nor version nor time of change.
	 */
	versions: z.enum(['conditional', 'informative', 'none']).default('conditional'),
	/** Whether `?history=name,email` tells former values. */
	history: z.boolean().default(true),
	/** Whether a second POST with the same Idempotency-Key gives the first one's reply. */
	idempotencyKeys: z.boolean().default(true),
	/** Whether a PATCH answers with the changed properties only. */
	partialReplies: z.boolean().default(false),
	/** Requests allowed: a bucket of `capacity`, refilled so fast. */
	rate: z
		.strictObject({ capacity: z.number().positive(), refillPerSecond: z.number().positive() })
		.nullable()
		.default(null),
	/** Until then (milliseconds since 1970) every request is refused with this status. */
	refuse: z
		.strictObject({
			status: z.union([z.literal(401), z.literal(429), z.literal(503)]),
			retryAfterSeconds: z.number().nullable().default(null),
			untilMs: z.number(),
		})
		.nullable()
		.default(null),
	/** How Retry-After is written: RFC 9110 allows both. */
	retryAfter: z.enum(['seconds', 'date']).default('seconds'),
	webhooks: webhooks.prefault({}),
	faults: faults.prefault({}),
});
export type Switches = z.output<typeof Switches>;

type Changed<T> = { readonly [name in keyof T]?: T[name] | undefined };

/** Some of the switches; those that are not named, or undefined, stay as they are. */
export type SwitchChange = Changed<Omit<Switches, 'webhooks' | 'faults'>> & {
	readonly webhooks?: Changed<Switches['webhooks']> | undefined;
	readonly faults?: Changed<Switches['faults']> | undefined;
};

/** @throws ZodError naming the switch */
export function turned(switches: Switches, change: SwitchChange): Switches {
	const { webhooks: hooks = {}, faults: fault = {}, ...rest } = change;
	return Switches.parse({
		...switches,
		...named(rest),
		webhooks: { ...switches.webhooks, ...named(hooks) },
		faults: { ...switches.faults, ...named(fault) },
	});
}

function named(change: object): object {
	return Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined));
}
