import { createHmac, timingSafeEqual } from 'node:crypto';
import { z } from 'zod/v4';
import { canonicalJson } from './canonical-json';

/** The prefix of a message in a source's log that asks whoever reads a slot to read rows again. */
export const READ_PREFIX = 'bisync-read';

const key = z.array(z.string()).min(1).nullable();
const requestSchema = z.object({
	/** The slot whose reader is asked. */
	slot: z.string(),
	/** Of this request and no other: it is in the log until it is acknowledged, and may be read more than once. */
	id: z.string().min(1),
	tables: z.array(
		z.object({
			/** "public.customers". */
			table: z.string(),
			/** From this key to that one, both included, as texts in the order of the key's columns; null: no end. */
			from: key,
			to: key,
		}),
	),
});

/** A request to read rows of tables again. It can cause reading, and nothing else. */
export type ReadRequest = z.infer<typeof requestSchema>;
const messageSchema = requestSchema.extend({ mac: z.string().nullable() });

/** @param macKey - of the sync store; null: the trigger has none */
export function formatReadRequest(request: ReadRequest, macKey: string | null): string {
	return canonicalJson({ ...request, mac: macKey === null ? null : macOf(request, macKey) });
}

/**
 * The request in a message with our prefix, for the reader of this slot.
 *
 * @param macKey - the message must be made with it; null: there is none, and any role that may write messages can ask
 * @returns null when it is for somebody else, or no request; 'forged' when it was made by somebody without the key
 */
export function parseReadRequest(content: string, slot: string, macKey: string | null): ReadRequest | 'forged' | null {
	const parsed = messageSchema.safeParse(jsonOf(content));
	if (!parsed.success || parsed.data.slot !== slot) return null;
	const { mac, ...request } = parsed.data;
	if (macKey === null || isEqual(mac ?? '', macOf(request, macKey))) return request;
	return 'forged';
}

function jsonOf(content: string): unknown {
	try {
		return JSON.parse(content);
	} catch {
		return null; // Of somebody else who uses our prefix.
	}
}

const macOf = (request: ReadRequest, macKey: string): string => createHmac('sha256', macKey).update(canonicalJson(['read', request])).digest('base64url');

function isEqual(given: string, expected: string): boolean {
	const [a, b] = [Buffer.from(given), Buffer.from(expected)];
	return a.length === b.length && timingSafeEqual(a, b);
}
