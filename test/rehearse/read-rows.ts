import type pg from 'pg';

import type { Json } from '../../src/core/canonical-json';
import { keyOf } from '../../src/core/mapping';
import type { EntityPolicy } from '../../src/core/policy';
import { isInScope, isSameScalar } from '../../src/core/row-scope';
import { readerOfType } from '../../src/postgres/column-values';
import type { SystemRows } from '../support/at-rest';
import { keyTextOf } from '../support/simulated-database';
import { quotedName } from './table-name';

/** All rows that are records of an entity in a system, as its change stream would show them: none that is archived, or of another scope. */
export async function readSystemRows(pool: pg.Pool, entity: EntityPolicy, system: string): Promise<SystemRows> {
	const table = entity.tables.get(system);
	if (!table) return { rows: {} };
	const asText = { getTypeParser: () => (text: string) => text } as unknown as pg.CustomTypesConfig;
	const { rows, fields } = await pool.query<Record<string, string | null>>({
		text: `select * from ${quotedName(table)}`,
		types: asText,
	});
	const readers = new Map(fields.map(({ name, dataTypeID }) => [name, readerOfType(dataTypeID)]));
	const soft = entity.deletes.as.get(system);
	const found = rows.flatMap((row) => {
		const columns: Record<string, Json> = Object.fromEntries(
			Object.entries(row).map(([name, text]) => [name, text === null ? null : (readers.get(name)?.(text) ?? text)]),
		);
		if (isInScope(table.where, columns) !== true) return [];
		if (soft && isSameScalar(columns[soft.column] ?? null, soft.deleted)) return [];
		const key = keyOf(entity, system, columns);
		return [[keyTextOf(key), { key, columns }] as const];
	});
	return { rows: Object.fromEntries(found) };
}
