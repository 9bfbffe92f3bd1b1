import type pg from 'pg';

import { ident } from '../../src/postgres/sql';
import type { GivenRows, Scenario } from './scenario';
import { ScenarioError } from './scenario-error';
import { quotedName, tableNameOf } from './table-name';

/** Makes the tables of one system and puts its first rows there. */
export async function setUpSystem(pool: pg.Pool, { setup, given }: Pick<Scenario, 'setup' | 'given'>, system: string): Promise<void> {
	const statements = setup[system] ?? [];
	try {
		for (const text of statements) await pool.query(text);
		await sendWholeRows(pool, statements.join('\n'));
		await insertRows(pool, given[system] ?? {});
	} catch (error) {
		throw new ScenarioError(`The setup of ${system} failed: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
	}
}

/** Updates then show all columns as they were; tables for which the setup chose something else are left alone. */
async function sendWholeRows(pool: pg.Pool, setup: string): Promise<void> {
	const { rows } = await pool.query<{ name: string; table: string }>(
		`select c.oid::regclass::text as name, c.relname as table from pg_class c join pg_namespace n on n.oid = c.relnamespace
		 where c.relkind in ('r', 'p') and c.relreplident = 'd' and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'`,
	);
	for (const { name, table } of rows) {
		const chosen = new RegExp(`alter\\s+table\\s+(only\\s+)?("?\\w+"?\\.)?"?${table}"?\\s+replica\\s+identity`, 'i');
		if (!chosen.test(setup)) await pool.query(`alter table ${name} replica identity full`);
	}
}

async function insertRows(pool: pg.Pool, tables: GivenRows): Promise<void> {
	for (const [name, rows] of Object.entries(tables)) {
		const table = quotedName(tableNameOf(name));
		for (const row of rows) {
			const columns = Object.keys(row).map(ident).join(', ');
			await pool.query(
				`insert into ${table} (${columns}) overriding system value
				 select ${columns} from json_populate_record(null::${table}, $1::json)`,
				[JSON.stringify(row)],
			);
		}
		await moveSequences(pool, table);
	}
}

/** Or the next row that the database numbers itself would get a number that is taken. */
async function moveSequences(pool: pg.Pool, table: string): Promise<void> {
	const { rows } = await pool.query<{ column: string; sequence: string }>(
		`select attname as column, pg_get_serial_sequence($1, attname) as sequence from pg_attribute
		 where attrelid = $1::regclass and attnum > 0 and not attisdropped and pg_get_serial_sequence($1, attname) is not null`,
		[table],
	);
	for (const { column, sequence } of rows) {
		await pool.query(
			`select setval($1, greatest((select max(${ident(column)}) from ${table}), nextval($1) - 1, 1))`,
			[sequence],
		);
	}
}
