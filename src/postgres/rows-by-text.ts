import type pg from 'pg';

import type { Tuple } from './pgoutput-reader';
import { readShape, type SnapshotColumn, type SnapshotTable } from './snapshot-columns';
import { AS_TEXT, ident, query, tableName } from './sql';

/** Rows in the order of their keys' texts, whatever the types and collations of the columns: two tables in the same order. */
export interface SortedRow {
	/** The key's columns as the server prints them; a row whose key is null is left out. */
	readonly key: readonly string[];
	readonly texts: Tuple;
}

export interface SortedPage {
	readonly columns: readonly SnapshotColumn[];
	readonly rows: readonly SortedRow[];
}

const PAGE = 500;

/**
 * Reads a table sorted by its server, in pages, in the transaction of the session.
 *
 * @throws SyncError TABLE_MISSING, PRIVILEGE_MISSING
 */
export async function* rowsByText(client: pg.ClientBase, table: SnapshotTable): AsyncGenerator<SortedPage, void, undefined> {
	const { columns, isPartitioned } = await readShape(client as pg.Client, table);
	const keys = table.key.map((column) => `concat(t.${ident(column)}) collate "C"`);
	const whole = table.key.map((column) => `t.${ident(column)} is not null`).join(' and ');
	const list = [...keys, ...columns.map(({ name }) => `t.${ident(name)}`)];
	const source = `${isPartitioned ? '' : 'only '}${tableName(table)} as t`;
	await query(client, `declare by_text no scroll cursor for select ${list.join(', ')} from ${source} where ${whole} order by ${keys.join(', ')}`);
	for (;;) {
		const { rows } = await client.query<(string | null)[]>({ text: `fetch ${PAGE} from by_text`, rowMode: 'array', types: AS_TEXT });
		if (rows.length > 0) yield { columns, rows: rows.map((row) => ({ key: row.slice(0, keys.length).map(String), texts: row.slice(keys.length) })) };
		if (rows.length < PAGE) break;
	}
	await query(client, 'close by_text');
}

/** By the bytes of the texts, as the server has sorted them. */
export function compareKeys(a: readonly string[], b: readonly string[]): number {
	for (const [at, text] of a.entries()) {
		const order = text === b[at] ? 0 : Buffer.compare(Buffer.from(text), Buffer.from(b[at] ?? ''));
		if (order !== 0) return order;
	}
	return 0;
}
