import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The systems that are kept equal. */
export const SYSTEMS = ['crm', 'billing'] as const;
export type System = (typeof SYSTEMS)[number];

/** Everything that can be killed beside the worker. */
export const SERVERS = [...SYSTEMS, 'store'] as const;
export type ServerName = (typeof SERVERS)[number];

/** The text of `crash.policy.yaml`. */
export const CRASH_POLICY = readFileSync(join(__dirname, 'crash.policy.yaml'), 'utf8');
export const POLICY = 'crm-billing';

/** Users, the sync and the witness all see whole rows before and after a change. */
const FULL = (...tables: readonly string[]): string =>
	tables.map((table) => `alter table ${table} replica identity full;`).join('\n');

/**
 * What is counted was there before the sync: of a record that was entered on both sides, nobody can say
 * what part of its two numbers is the same.
 *
 * Identities are generated, so that a key changes by `set … = default`, and no two users choose the same.
 */
export const TABLES: Readonly<Record<System, string>> = {
	crm: `
create table customers (id int generated always as identity primary key, full_name text, email text unique,
	billing_status text not null default 'Active', phone text, credit numeric(12,2), note text,
	stock int not null default 0, is_counted boolean not null default false);
create table items (id int generated always as identity primary key, code text unique, price int);
${FULL('customers', 'items')}`,
	billing: `
create table accounts (account_no int generated always as identity (start with 900000) primary key,
	external_id int unique, name text, contact_email text unique, status text not null default 'active', phone text,
	credit_cents bigint, memo text, in_stock int not null default 0,
	is_counted boolean not null default false);
create table parts (part_no int generated always as identity (start with 500000) primary key, code text unique, price int);
${FULL('accounts', 'parts')}`,
};

/** What stands in the systems before the sync first looks: some of it on one side only, some of it different. */
export function initialRows(system: System, items: number): string {
	return system === 'crm'
		? `insert into customers (full_name, email, note, is_counted) select 'Name ' || n, n || '@x', 'n0', true from generate_series(1, 10) n;
		insert into items (code, price) select 'code ' || n, n from generate_series(1, ${items}) n;`
		: `insert into accounts (name, contact_email, memo, is_counted) select 'Name ' || n, upper(n || '@x'), 'n0', true from generate_series(4, 12) n;
		insert into parts (code, price) select 'code ' || n, n from generate_series(1, ${items}) n;`;
}
