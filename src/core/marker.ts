import { createHmac, timingSafeEqual } from 'node:crypto';
import { z } from 'zod/v4';
import { canonicalJson, type Json } from './canonical-json';
import { shallowRecord } from './shallow-json';

/**
 * The message an operation leaves in the target's own log, in the transaction of its write,
 * with its outcome. It is the only proof of what became of the operation: a reply can be lost.
 *
 * Any role that can connect may emit such a message, so it carries an HMAC over everything
 * that decides (not over the key of an insert, which only the database knows; a row with that
 * key must stand in the same transaction instead).
 */
export interface Marker {
	readonly op: string;
	readonly link: string;
	readonly system: string;
	readonly entity: string;
	readonly outcome: Outcome;
	/** The row's key; for an insert the one the database returned, null when no row was written. */
	readonly key: Readonly<Record<string, Json>> | null;
	/** The database's words when it refused the value. */
	readonly error?: string | undefined;
	readonly mac: string;
}

/**
 * - `applied`: the row held what was expected and now holds the new values.
 * - `stale`: it did not; nothing was written.
 * - `exists`: an insert found a row with the same unique key; nothing was written.
 * - `refused`: the database rejects the value (constraint, type, trigger).
 * - `void`: a person gave the operation up.
 */
export const OUTCOMES = ['applied', 'stale', 'exists', 'refused', 'void'] as const;
export type Outcome = (typeof OUTCOMES)[number];

export function isOutcome(value: unknown): value is Outcome {
	return OUTCOMES.some((outcome) => outcome === value);
}

const MARKER_VERSION = 1;
const markerSchema = z.object({
	v: z.literal(MARKER_VERSION),
	op: z.string(),
	link: z.string(),
	system: z.string(),
	entity: z.string(),
	outcome: z.enum(OUTCOMES),
	key: shallowRecord.nullable(),
	error: z.string().optional(),
	mac: z.string(),
});

/** What `mac` covers. */
export type MarkerClaim = Pick<Marker, 'op' | 'link' | 'system' | 'entity' | 'outcome'>;

/** The logical message prefix of one policy in one store; other prefixes are somebody else's traffic. */
export function markerPrefix(storeId: string, policy: string): string {
	return `bisync:${storeId}:${policy}`;
}

/** The message content that `parseMarker` reads. */
export function formatMarker(marker: Omit<Marker, 'mac'>, macKey: string): string {
	const { op, link, system, entity, outcome, key, error } = marker;
	const mac = markerMac({ op, link, system, entity, outcome }, macKey);
	return canonicalJson({
		v: MARKER_VERSION,
		op,
		link,
		system,
		entity,
		outcome,
		key,
		mac,
		...(error === undefined ? {} : { error }),
	});
}

/** The marker in a message with our prefix, or null when it is not one. Does not check the MAC. */
export function parseMarker(content: string): Marker | null {
	try {
		const parsed = markerSchema.safeParse(JSON.parse(content));
		if (!parsed.success) return null;
		const { v: _version, ...marker } = parsed.data;
		return marker;
	} catch {
		return null; // Not JSON: a message of somebody who uses our prefix. It is not ours.
	}
}

/** Whether the marker was made by someone who holds the store's MAC key. Constant-time. */
export function isGenuine(marker: Marker, macKey: string): boolean {
	const expected = Buffer.from(markerMac(marker, macKey));
	const actual = Buffer.from(marker.mac);
	return expected.length === actual.length && timingSafeEqual(expected, actual);
}

function markerMac(claim: MarkerClaim, macKey: string): string {
	const { op, link, system, entity, outcome } = claim;
	return createHmac('sha256', macKey)
		.update(canonicalJson([MARKER_VERSION, op, link, system, entity, outcome]))
		.digest('base64url');
}
