import type pg from 'pg';

import type { SyncError } from '../core/errors';
import type { Key } from '../core/link';
import type { Outcome } from '../core/marker';
import { isUniqueConflict, refusalText } from './write-fault';
import type { PlannedWrite, WriteGroup } from './write-plan';
import {
	deleteStatement,
	insertStatement,
	type Statement,
	updateStatement,
} from './write-statement';

/** What became of one write, so far as its transaction commits. */
export type Verdict =
	| { readonly outcome: Outcome; readonly key: Key | null; readonly error?: string }
	/** No outcome: nothing was written, and the operation may be tried again. */
	| { readonly outcome: 'none'; readonly error: SyncError };

/** By operation id. */
export type Verdicts = Map<string, Verdict>;

/** Inserts in one statement. More would save few round trips and make the planner slow. */
const MAX_INSERTS = 100;
/** The protocol counts a statement's parameters in 16 bits. */
const MAX_PARAMETERS = 65_535;

/**
 * Writes a group in as few statements as possible.
 *
 * @throws what the database says; nothing of the group counts then, and the transaction is over but
 * for a savepoint
 */
export async function writeGroup(client: pg.ClientBase, group: WriteGroup): Promise<Verdicts> {
	if (group.kind === 'insert') return await insertRows(client, group);
	// A delete that sets something leaves the row, and says in it that it is deleted.
	const leavesRow = group.writes[0].sets.length > 0 || group.writes[0].stampedNow.length > 0;
	const statement = leavesRow ? updateStatement(group.writes) : deleteStatement(group.writes);
	const written = new Set((await run<{ i: number }>(client, statement)).map(({ i }) => i));
	return new Map(
		group.writes.map(({ op }, index) => {
			const outcome = written.has(index) ? 'applied' : 'stale';
			return [op.id, { outcome, key: op.key }];
		}),
	);
}

/** Runs `work` so that an error undoes nothing before it. */
export async function atSavepoint<T>(client: pg.ClientBase, work: () => Promise<T>): Promise<T> {
	await client.query('savepoint bisync');
	try {
		const result = await work();
		await client.query('release savepoint bisync');
		return result;
	} catch (error) {
		await client.query('rollback to savepoint bisync; release savepoint bisync');
		throw error;
	}
}

async function insertRows(client: pg.ClientBase, { writes }: WriteGroup): Promise<Verdicts> {
	const verdicts: Verdicts = new Map();
	const [{ table }] = writes;
	// The server refuses "on conflict" on such a table, even where nothing conflicts.
	const alone = table.hasDeferrableUnique
		? [...writes]
		: await insertTogether(client, writes, verdicts);
	for (const write of alone) verdicts.set(write.op.id, await insertAlone(client, write));
	return verdicts;
}

/** @returns the writes of which no row came back */
async function insertTogether(
	client: pg.ClientBase,
	writes: readonly PlannedWrite[],
	verdicts: Verdicts,
): Promise<PlannedWrite[]> {
	const size = Math.min(MAX_INSERTS, Math.floor(MAX_PARAMETERS / widest(writes)));
	for (let start = 0; start < writes.length; start += size) {
		const [first, ...others] = writes.slice(start, start + size) as [
			PlannedWrite,
			...PlannedWrite[],
		];
		const chunk: WriteGroup['writes'] = [first, ...others];
		for (const { i, key } of await run<InsertedRow>(client, insertStatement(chunk, 'skip'))) {
			const write = chunk[i] as PlannedWrite;
			verdicts.set(write.op.id, { outcome: 'applied', key: keyOfTexts(write, key) });
		}
	}
	return writes.filter(({ op }) => !verdicts.has(op.id));
}

/**
 * Inserts one row without "on conflict": only so does the database say whether a row was in the way,
 * or a trigger kept ours out.
 */
async function insertAlone(client: pg.ClientBase, write: PlannedWrite): Promise<Verdict> {
	try {
		const [row] = await atSavepoint(client, async () => {
			const rows = await run<InsertedRow>(client, insertStatement([write], 'fail'));
			if (write.table.hasDeferrableUnique) await client.query('set constraints all immediate');
			return rows;
		});
		if (row) return { outcome: 'applied', key: keyOfTexts(write, row.key) };
		return {
			outcome: 'refused',
			key: null,
			error: 'A trigger or rule of the table leaves the row out',
		};
	} catch (error) {
		if (!isUniqueConflict(error)) throw error;
		return { outcome: 'exists', key: null, error: refusalText(error, write.op) };
	}
}

interface InsertedRow {
	/** Which of the statement's writes. */
	readonly i: number;
	readonly key: readonly string[];
}

function keyOfTexts({ keyColumns }: PlannedWrite, texts: readonly string[]): Key {
	return Object.fromEntries(keyColumns.map(({ column }, index) => [column, texts[index] ?? null]));
}

function widest(writes: readonly PlannedWrite[]): number {
	return Math.max(1, ...writes.map(({ sets, numbered }) => sets.length + numbered.length));
}

async function run<Row extends pg.QueryResultRow>(
	client: pg.ClientBase,
	{ text, values }: Statement,
): Promise<Row[]> {
	return (await client.query<Row>(text, [...values])).rows;
}
