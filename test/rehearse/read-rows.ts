import type pg from 'pg';

import type { Json } from '../../src/core/canonical-json';
import { asPart } from '../../src/core/record-parts';
import { keyOf } from '../../src/core/mapping';
import { passesAt } from '../../src/core/passing-date';
import type { EntityPolicy } from '../../src/core/policy';
import { isInScope, isSameScalar } from '../../src/core/row-scope';
import { readerOfType } from '../../src/postgres/column-values';
import type { SystemRows } from '../support/at-rest';
import { keyTextOf } from '../support/simulated-database';
import { quotedName, type TableName } from './table-name';

/** All rows that are records of an entity in a system, as its change stream would show them: none that is archived, or of another scope. */
export async function readSystemRows(pool: pg.Pool, entity: EntityPolicy, system: string): Promise<SystemRows> {
	const table = entity.tables.get(system);
	if (!table) return { rows: {} };
	const parts = await Promise.all(
		[...table.parts.values()].map(async (part) => ({ part, rows: await rowsIn(pool, part) })),
	);
	const soft = entity.deletes.as.get(system);
	const found = (await rowsIn(pool, table)).flatMap((main) => {
		const textOf = (row: Row, key: readonly string[]): string => key.map((column) => String(row[column])).join(' ');
		const columns: Row = { ...main };
		for (const { part, rows } of parts) {
			const own = rows.find((row) => textOf(row, part.key) === textOf(main, table.key));
			if (own) Object.assign(columns, asPart(part.name, own));
		}
		if (isInScope(table.where, columns) !== true) return [];
		const says = soft && (columns[soft.column] ?? null);
		if (soft && 'passed' in soft ? isPast(says ?? null) : soft && isSameScalar(says ?? null, soft.deleted)) return [];
		const key = keyOf(entity, system, columns);
		return [[keyTextOf(key), { key, columns }] as const];
	});
	return { rows: Object.fromEntries(found) };
}

/** What passes in this very moment is told a little later. */
function isPast(date: Json): boolean {
	const at = passesAt(date);
	return at !== null && at <= Date.now();
}

type Row = Record<string, Json>;

async function rowsIn(pool: pg.Pool, table: TableName): Promise<Row[]> {
	const asText = { getTypeParser: () => (text: string) => text } as unknown as pg.CustomTypesConfig;
	const { rows, fields } = await pool.query<Record<string, string | null>>({ text: `select * from ${quotedName(table)}`, types: asText });
	const readers = new Map(fields.map(({ name, dataTypeID }) => [name, readerOfType(dataTypeID)]));
	return rows.map((row) =>
		Object.fromEntries(Object.entries(row).map(([name, text]) => [name, text === null ? null : (readers.get(name)?.(text) ?? text)])),
	);
}
