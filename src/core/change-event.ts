import { z } from 'zod/v4';
import { isPosition } from './position';
import { OUTCOMES } from './marker';
import { SyncError } from './errors';
import { shallowRecord } from './shallow-json';

/**
 * Terminology, used everywhere in this pack:
 *
 * - **system**: one participant, by name (`crm`, `billing`). **entity**: a kind of record (`customer`).
 * - **link**: the records in different systems that are the same thing.
 * - **foreign change**: a change not made by us. **echo**: our own write coming back in a change stream.
 *   **residual**: what differs between what we wrote and what the echo shows.
 * - **view**: the last value read from one system's ordered stream, with its version vector.
 * - **operation** (op): one intended write to one record of one system; single use.
 * - **marker**: the message an op leaves in the target's own log, with its outcome.
 *
 * A change event is one observed change, in the shape of Debezium's envelope with our fields
 * beside it. It is the `json` of every item from the trigger to the write; nodes add what they
 * found under `bisync.<node>` and never rewrite the rest.
 */
const position = z.string().refine(isPosition, 'must look like "00000000/01A2B3C4:00000002"');

const markerSchema = z.object({
	op: z.string(),
	link: z.string(),
	system: z.string(),
	entity: z.string(),
	outcome: z.enum(OUTCOMES),
	key: shallowRecord.nullable(),
	error: z.string().optional(),
	mac: z.string(),
});

const sourceSchema = z.looseObject({
	connector: z.string(),
	/** Of this event; null for a wake item, which stands in no stream. */
	position: position.nullable(),
	/** Of the event before it in the same stream; null when the trigger has no sync store. */
	prev: position.nullable(),
	/** Commit time by the source's clock, milliseconds since 1970. Shown, never compared (but by `latest`). */
	tsMs: z.number(),
	txId: z.string().nullable(),
	snapshot: z.boolean(),
	/** Of a transaction that comes in several executions: how many row events of this entity it has. */
	txRows: z.number().optional(),
	/** Of a row that is read: how many rows of the table have been read with it, and of about how many (null: nobody knows). `asked`: somebody asked for it, with this request. */
	reading: z.object({ rows: z.number(), of: z.number().nullable(), asked: z.string().optional() }).optional(),
	/** Of a row of a system that was put back to an older copy: the place up to which the copy holds what was observed. */
	restoredTo: position.optional(),
	/** Of a row that was read outside of the stream; see `FreshRead`. */
	fresh: z.object({ run: z.string(), systemId: z.string(), gone: z.number(), again: z.literal(true).optional() }).optional(),
});

export const changeEventSchema = z.looseObject({
	changeId: z.string().min(1),
	system: z.string().min(1),
	entity: z.string().min(1),
	part: z.string().optional(),
	op: z.enum(['c', 'r', 'u', 'd', 'p', 't', 'm', 'w']),
	key: shallowRecord,
	before: shallowRecord.nullable(),
	after: shallowRecord.nullable(),
	unchanged: z.array(z.string()),
	missing: z.array(z.string()).optional(),
	source: sourceSchema,
	marker: markerSchema.nullable(),
	bisync: shallowRecord,
});

/**
 * `op`: c create, r read (snapshot), u update, d delete, p a date has passed by which the row is deleted, t truncate, m marker without a row
 * change, w wake ("look at this link", stands in no stream).
 *
 * `part`: the row is of this part of the record, not the record's main row: `key` is the record's, the
 * columns are called `part.column`, and `op` says what became of the part's row.
 *
 * `missing`: parts that are known to have no row, where a whole record was read.
 *
 * `before`/`after`: canonical JSON values by column; bigint and numeric as strings. A column that
 * is missing was not sent; one listed in `unchanged` (TOAST) has the value it had before.
 */
export type ChangeEvent = z.infer<typeof changeEventSchema>;
export type EventSource = z.infer<typeof sourceSchema>;

/**
 * Checks that an item's json is a change event.
 *
 * @throws SyncError NOT_A_CHANGE_EVENT, naming the path that is wrong.
 */
export function parseChangeEvent(json: unknown): ChangeEvent {
	const parsed = changeEventSchema.safeParse(json);
	if (parsed.success) return parsed.data;
	const problems = parsed.error.issues
		.slice(0, 3)
		.map(({ path, message }) => `${path.length > 0 ? path.join('.') : 'the item'}: ${message}`);
	throw new SyncError('NOT_A_CHANGE_EVENT', `The item is not a change event (${problems.join('; ')})`);
}
