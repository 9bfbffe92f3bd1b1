import pg from 'pg';

import { OUTPUT_SETTINGS } from '../../src/postgres/connect';
import { creation, type Step, type Subject, SUBJECT_TYPES } from './random-subject';

/** Notes what the server itself says of each row: the text of every column, and the row as JSON. */
export const AUDIT = `
create schema audit;
create table audit.images (
	nr bigint generated always as identity primary key, of text not null, op text not null,
	old_texts jsonb, new_texts jsonb, old_image jsonb, new_image jsonb);
create function audit.note() returns trigger language plpgsql as $$
begin
	insert into audit.images (of, op, old_texts, new_texts, old_image, new_image) values (
		regexp_replace(tg_table_name, '_(low|high)$', ''), lower(left(tg_op, 1)),
		case when tg_op in ('UPDATE', 'DELETE') then hstore_to_jsonb(hstore(old)) end,
		case when tg_op in ('UPDATE', 'INSERT') then hstore_to_jsonb(hstore(new)) end,
		case when tg_op in ('UPDATE', 'DELETE') then to_jsonb(old) end,
		case when tg_op in ('UPDATE', 'INSERT') then to_jsonb(new) end);
	return null;
end $$;
`;

/** A row change as the database itself noted it. */
export interface Noted {
	readonly op: 'i' | 'u' | 'd' | 't';
	readonly old_texts: Readonly<Record<string, string | null>> | null;
	readonly new_texts: Readonly<Record<string, string | null>> | null;
	/** Of the new version, `to_jsonb` as text: its numbers are exact. */
	readonly new_image: string | null;
	readonly old_image: string | null;
}

/** The one session of the users, which prints values as the reader asks the server to. */
export async function openUser(pool: pg.Pool): Promise<pg.PoolClient> {
	const client = await pool.connect();
	for (const [name, value] of Object.entries(OUTPUT_SETTINGS)) await client.query(`set ${name} = '${value}'`);
	return client;
}

const ident = (name: string): string => pg.escapeIdentifier(name);

/** Makes the table and does the steps; one that the server refuses leaves no trace, as a rolled back sub-transaction. */
export async function runSubject(client: pg.ClientBase, table: string, subject: Subject): Promise<void> {
	await client.query(creation(table, subject));
	const columns: (string | null)[] = subject.columns.map(({ name }) => name);
	await client.query('begin');
	let depth = 0;
	for (const [at, step] of subject.steps.entries()) {
		if (step.do === 'commit') {
			await client.query('commit; begin');
			depth = 0;
		} else if (step.do === 'savepoint') {
			depth += 1;
			await client.query(`savepoint s${depth}`);
		} else if (step.do === 'rollback to savepoint' || step.do === 'release savepoint') {
			if (depth > 0) await client.query(`${step.do} s${depth}`);
			if (step.do === 'release savepoint') depth = Math.max(0, depth - 1);
		} else {
			const isDone = await attempt(client, statement(table, step, { columns, at, isEnd: depth === 0 }));
			if (isDone) follow(columns, step, at);
		}
	}
	await client.query('commit');
}

/** @returns whether the server took it */
async function attempt(client: pg.ClientBase, sql: string | null): Promise<boolean> {
	if (sql === null) return false;
	await client.query('savepoint attempt');
	const isTaken = await client.query(sql).then(
		() => true,
		() => false,
	);
	await client.query(isTaken ? 'release savepoint attempt' : 'rollback to savepoint attempt');
	return isTaken;
}

/** Keeps the columns' names as the table has them. */
function follow(columns: (string | null)[], step: Step, at: number): void {
	if (step.do === 'drop') columns[step.at % columns.length] = null;
	if (step.do === 'rename') columns[step.at % columns.length] = `renamed_${at}`;
}

interface Shape {
	/** As they are called now; null for one that is gone. */
	readonly columns: readonly (string | null)[];
	readonly at: number;
	/** Outside of savepoints: what a rollback would take back, this list would not. */
	readonly isEnd: boolean;
}

function statement(table: string, step: Step, shape: Shape): string | null {
	switch (step.do) {
		case 'insert':
			return insertSql(table, step, shape);
		case 'update':
			return updateSql(table, step, shape);
		case 'delete':
			return `delete from ${table} where id = ${step.key}`;
		case 'truncate':
			return `truncate ${table}`;
		case 'add':
		case 'drop':
		case 'rename':
		case 'retype':
			return shape.isEnd ? alterSql(table, step, shape) : null;
		default:
			return null;
	}
}

function insertSql(table: string, { key, values }: Extract<Step, { do: 'insert' }>, { columns }: Shape): string {
	const there = columns.flatMap((name, at) => (name === null ? [] : [[ident(name), values[at] ?? 'null'] as const]));
	const names = ['id', 'twin', ...there.map(([name]) => name)];
	return `insert into ${table} (${names.join(', ')}) values (${[key, key, ...there.map(([, sql]) => sql)].join(', ')})`;
}

function updateSql(table: string, { key, values, moveTo }: Extract<Step, { do: 'update' }>, { columns }: Shape): string {
	const set = columns.flatMap((name, at) => (name === null || typeof values[at] !== 'string' ? [] : [`${ident(name)} = ${values[at]}`]));
	const first = moveTo === null ? 'twin = twin' : `id = ${moveTo}`;
	return `update ${table} set ${[first, ...set].join(', ')} where id = ${key}`;
}

function alterSql(table: string, step: Extract<Step, { at: number }>, { columns, at }: Shape): string | null {
	if (step.do === 'add') {
		const { type } = SUBJECT_TYPES[(step.at * 7) % SUBJECT_TYPES.length]!;
		return `alter table ${table} add column added_${at} ${type}`;
	}
	const name = columns[step.at % columns.length];
	if (typeof name !== 'string') return null;
	if (step.do === 'drop') return `alter table ${table} drop column ${ident(name)}`;
	if (step.do === 'retype') return `alter table ${table} alter ${ident(name)} type text using 'retyped ' || id`;
	return `alter table ${table} rename column ${ident(name)} to renamed_${at}`;
}

export async function readNoted(client: pg.ClientBase, table: string): Promise<Noted[]> {
	const { rows } = await client.query<Noted>(
		`select op, old_texts, new_texts, old_image::text, new_image::text from audit.images where of = $1 order by nr`,
		[table],
	);
	return rows;
}
