import type { EventTable } from '../../src/postgres/event-tables';
import { openSnapshot, type SnapshotSession } from '../../src/postgres/snapshot';
import type { SnapshotChange } from '../../src/postgres/snapshot-events';
import { lastKey, rowsOf } from '../../src/postgres/snapshot-rows';
import type { PgSettings } from '../../src/postgres/connect';
import type { TableReading } from '../../src/store/stream-record';
import type { KnownPage } from './known-records';
import { isTransient } from './patience';
import { sideBySide } from './side-by-side';

/** What to deliver, and where the table stands then. */
export interface Step {
	readonly changes: readonly SnapshotChange[];
	readonly table: TableReading;
	/** Rows of the table before these. */
	readonly before: number;
	/** Why rows that somebody asked for cannot be read. Absent: they can. */
	readonly failure?: Error;
}

export interface StepsRequest {
	readonly connection: PgSettings;
	readonly snapshotName: string;
	readonly pageSize: number;
	/** How many tables are read at once, each by a session of its own. */
	readonly tablesAtOnce: number;
	readonly tables: readonly TableReading[];
	tableOf(reading: TableReading): EventTable;
	/** A condition on the rows that are wanted; null: all are. */
	whereOf(reading: TableReading): string | null;
	/** Tables of a lower rank are read to their end before those of a higher one. */
	rankOf(reading: TableReading): number;
	/** See `ReadingKeeper`. */
	known(session: SnapshotSession, reading: TableReading, after: string | null): Promise<KnownPage>;
}

/** Reads what is left of tables, all at the instant of one snapshot. Of one table, the steps come in the order of its keys. */
export async function* stepsOf(request: StepsRequest): AsyncGenerator<Step, void, undefined> {
	const open = request.tables.filter(({ phase }) => phase !== 'done');
	const ranks = [...new Set(open.map((table) => request.rankOf(table)))].sort((a, b) => a - b);
	for (const rank of ranks) {
		const together = open.filter((table) => request.rankOf(table) === rank);
		yield* sideBySide(together.map((table) => (table.asked === undefined ? stepsOfTable(request, table) : stepsOfAsked(request, table))), request.tablesAtOnce);
	}
}

/** Nothing else halts because somebody asked for what cannot be read. */
async function* stepsOfAsked(request: StepsRequest, table: TableReading): AsyncGenerator<Step, void, undefined> {
	try {
		yield* stepsOfTable(request, table);
	} catch (error) {
		yield failedStep(error, table);
	}
}

function failedStep(error: unknown, table: TableReading): Step {
	if (!(error instanceof Error) || isTransient(error)) throw error;
	return { changes: [], table: done(table), before: table.rows, failure: error };
}

async function* stepsOfTable(request: StepsRequest, table: TableReading): AsyncGenerator<Step, void, undefined> {
	const session = await openSnapshot(request.connection, request.snapshotName);
	try {
		let reading = table;
		while (reading.phase === 'known') {
			const step = await known(session, request, reading);
			reading = step.table;
			yield step;
		}
		yield* rows(session, request, reading);
	} finally {
		await session.close();
	}
}

async function known(session: SnapshotSession, request: StepsRequest, reading: TableReading): Promise<Step> {
	const after = typeof reading.after === 'string' ? reading.after : null;
	const page = await request.known(session, reading, after);
	const phase = page.after === null ? 'rows' : 'known';
	return { changes: page.changes, table: { ...reading, phase, after: page.after }, before: reading.rows };
}

async function* rows(session: SnapshotSession, request: StepsRequest, begun: TableReading): AsyncGenerator<Step, void, undefined> {
	const table = request.tableOf(begun);
	const { pageSize } = request;
	let reading = { ...begun, estimate: await session.estimate(table) };
	const from = typeof reading.after === 'string' ? null : reading.after;
	let isOpen = true;
	for await (const page of session.pages(table, { pageSize, from, where: request.whereOf(begun) })) {
		const after = lastKey(page, table) ?? reading.after;
		const before = reading.rows;
		reading = { ...reading, after, rows: before + page.rows.length };
		isOpen = page.rows.length === pageSize;
		yield { changes: rowsOf(page, table), table: isOpen ? reading : done(reading), before };
	}
	// The last page was a full one, or there was none.
	if (isOpen) yield { changes: [], table: done(reading), before: reading.rows };
}

const done = (reading: TableReading): TableReading => ({ ...reading, phase: 'done', after: null });
