import type pg from 'pg';

import type { SyncError } from '../core/errors';
import type { Key } from '../core/link';
import type { Outcome } from '../core/marker';
import type { RowWrite } from './write-cells';
import { isUniqueConflict, refusalText } from './write-fault';
import { insertStatement, type Statement } from './write-statement';

/** What became of one write, so far as its transaction commits. */
export type Verdict =
	| { readonly outcome: Outcome; readonly key: Key | null; readonly error?: string }
	/** No outcome: nothing was written, and the operation may be tried again. */
	| { readonly outcome: 'none'; readonly error: SyncError };

/**
 * Inserts one row without "on conflict": only so does the database say whether a row was in the way,
 * or a trigger kept ours out.
 */
export async function insertAlone(client: pg.ClientBase, write: RowWrite): Promise<Verdict> {
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

export interface InsertedRow {
	/** Which of the statement's writes. */
	readonly i: number;
	readonly key: readonly string[];
}

export function keyOfTexts({ keyColumns }: RowWrite, texts: readonly string[]): Key {
	return Object.fromEntries(keyColumns.map(({ column }, index) => [column, texts[index] ?? null]));
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

export async function run<Row extends pg.QueryResultRow>(
	client: pg.ClientBase,
	{ text, values }: Statement,
): Promise<Row[]> {
	return (await client.query<Row>(text, [...values])).rows;
}
