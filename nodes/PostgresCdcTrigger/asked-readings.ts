import { type ReadRequest, READ_PREFIX, parseReadRequest } from '../../src/core/read-request';
import type { EventTable } from '../../src/postgres/event-tables';
import { labelOf } from '../../src/postgres/snapshot-columns';
import type { SourceTransaction } from '../../src/postgres/source-transaction';
import { literal, ident } from '../../src/postgres/sql';
import type { TableReading } from '../../src/store/stream-record';
import type { Log } from './deliver';

/** Thrown when somebody asks for rows: the stream ends before the request, which is noted, and begins anew. */
export class RowsAsked extends Error {
	constructor(readonly requests: readonly ReadRequest[]) {
		super('Somebody has asked for rows to be read again');
	}
}

/** How many readings that are over are remembered: their requests may come once more. */
const REMEMBERED = 50;

export interface AskedParts {
	readonly slot: string;
	/** Null: there is no sync store, and nobody can tell who asks. */
	readonly macKey: string | null;
	/** What has been noted by now. */
	readonly known: readonly TableReading[];
	readonly log: Log;
}

/**
 * Looks for requests in a transaction. The request stands in the log, so it is neither lost nor carried out twice: it is noted
 * before the transaction is acknowledged, and known by its id when it comes again.
 *
 * @throws RowsAsked
 */
export function lookForRequests({ changes }: SourceTransaction, { slot, macKey, known, log }: AskedParts): void {
	const requests = changes.flatMap((change): ReadRequest[] => {
		if (change.kind !== 'message' || change.prefix !== READ_PREFIX) return [];
		const request = parseReadRequest(change.content, slot, macKey);
		if (request === 'forged') log.warn('Somebody who does not know the key of the sync store asked for rows to be read again; nothing is read');
		if (request === null || request === 'forged' || known.some(({ asked }) => asked === request.id)) return [];
		return [request];
	});
	if (requests.length > 0) throw new RowsAsked(requests);
}

/**
 * What has been noted, with what is asked for now. Tables that are not read here are over at once. Pure.
 *
 * @param phase - what a table of which all rows are wanted begins with
 */
export function withRequests(
	known: readonly TableReading[],
	requests: readonly ReadRequest[],
	{ tables, phase }: { readonly tables: readonly EventTable[]; readonly phase: 'known' | 'rows' },
): { readonly reading: readonly TableReading[]; readonly strange: readonly string[] } {
	const asked = requests.flatMap(({ id, tables: wanted }): TableReading[] =>
		wanted.map(({ table, from, to }) => {
			const found = tables.find((one) => labelOf(one) === table);
			const isRange = from !== null || to !== null;
			const begins = isRange ? 'rows' : phase;
			return {
				table,
				entity: found?.entity ?? '',
				hash: `asked ${id}`,
				phase: found ? begins : 'done',
				after: null,
				rows: 0,
				estimate: null,
				asked: id,
				...(isRange ? { range: { from, to } } : {}),
			};
		}),
	);
	const strange = asked.filter(({ entity }) => entity === '').map(({ table }) => table);
	return { reading: [...remembered(known), ...asked], strange };
}

/** Readings that are asked for and not over, and the last of those that are; none of the others. */
export const askedOf = (reading: readonly TableReading[] | null): readonly TableReading[] => remembered((reading ?? []).filter(({ asked }) => asked !== undefined));

function remembered(reading: readonly TableReading[]): readonly TableReading[] {
	const over = reading.filter(({ asked, phase }) => asked !== undefined && phase === 'done');
	const forgotten = new Set(over.slice(0, Math.max(0, over.length - REMEMBERED)));
	return reading.filter((one) => !forgotten.has(one));
}

/** The condition on the rows that are asked for; null: all are. A text that is no value of its column fails the read. */
export function conditionOf({ range }: TableReading, { key }: Pick<EventTable, 'key'>): string | null {
	if (!range) return null;
	const columns = `(${key.map((column) => `t.${ident(column)}`).join(', ')})`;
	const values = (texts: readonly string[]): string => `(${texts.map((text) => literal(text)).join(', ')})`;
	const { from, to } = range;
	return [from && `${columns} >= ${values(from)}`, to && `${columns} <= ${values(to)}`].filter(Boolean).join(' and ');
}
