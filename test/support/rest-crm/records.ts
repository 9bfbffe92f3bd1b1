import type pg from 'pg';

import { changedBetween, type Customer, type Patch, patched, whole } from './customer';

/** One committed version of one record: the CRM's own truth, which no switch distorts. */
export interface Version {
	/** Grows with every version of any record. */
	readonly seq: number;
	readonly id: string;
	/** 1, 2, 3 … per record. */
	readonly version: number;
	/** ISO 8601, by the database. */
	readonly at: string;
	/** {@link CLIENT}, or the user's name. */
	readonly by: string;
	/** The client's Idempotency-Key, when it sent one. */
	readonly request: string | null;
	readonly changed: readonly string[];
	/** What the client had been shown of the record when it asked for this: versions by property. */
	readonly seen: Readonly<Record<string, number>>;
	/** Null: deleted. */
	readonly customer: Customer | null;
}

/** The author of what came over the API. */
export const CLIENT = 'api';

export interface Author {
	readonly by: string;
	readonly request?: string | null;
	readonly seen?: Readonly<Record<string, number>>;
}

export interface Condition {
	/** The version that must be the present one. */
	readonly ifVersion?: number | null;
}

export type Written =
	| { readonly kind: 'written'; readonly version: Version; readonly before: Version | null }
	/** Nothing differs: no version, no event. */
	| { readonly kind: 'same'; readonly version: Version }
	| { readonly kind: 'missing' | 'precondition' | 'duplicate' };

interface Draft {
	readonly id: string;
	readonly before: Version | null;
	readonly customer: Customer | null;
	readonly author: Author;
}

const TABLES = /* sql */ `
create schema if not exists rest_crm;
create table if not exists rest_crm.versions (
	seq bigint generated always as identity primary key,
	id text not null, version integer not null, at timestamptz not null default clock_timestamp(),
	made_by text not null, request text, changed text[] not null, seen json not null, customer json,
	unique (id, version)
);
create table if not exists rest_crm.customers (
	id text primary key, external_id text unique, seq bigint not null
);
create table if not exists rest_crm.replies (key text primary key, id text not null);
create sequence if not exists rest_crm.ids start 1001;`;

/** The records and all their versions; each write is one transaction under the record's row lock. */
export class Records {
	constructor(readonly pool: pg.Pool) {}

	async createTables(): Promise<void> {
		await this.pool.query(TABLES);
	}

	/** @returns null when there is no such record, or none any more */
	async read(id: string): Promise<Version | null> {
		const [last] = await this.history(id);
		return last?.customer ? last : null;
	}

	/** All versions of a record, the last one first. */
	async history(id: string): Promise<Version[]> {
		return await versions(this.pool, 'where v.id = $1 order by v.version desc', [id]);
	}

	/** Every version of every record, in the order in which they were committed. */
	async log(): Promise<Version[]> {
		return await versions(this.pool, 'order by v.seq', []);
	}

	/** A page of the records that have these values, in the order of their ids. */
	async list(page: { after: string; limit: number; where?: Patch }): Promise<Version[]> {
		const where = Object.entries(page.where ?? {});
		const conditions = where.map((_, n) => `and v.customer ->> $${2 * n + 3} = $${2 * n + 4}`);
		return await versions(
			this.pool,
			`join rest_crm.customers c on c.seq = v.seq
			 where v.id > $1 ${conditions.join(' ')} order by v.id limit $2`,
			[page.after, page.limit, ...where.flat()],
		);
	}

	/** @param wish - `key`: an Idempotency-Key; a second request with it gets the record that the first one made. `id`: for records that are there to begin with */
	async create(customer: Customer, author: Author, wish: { key?: string | null; id?: string } = {}): Promise<Written> {
		const { key = null } = wish;
		return await this.#transaction(async (client) => {
			const id = wish.id ?? (await newId(client));
			if (key !== null) {
				const earlier = await replyTo(client, key, id);
				if (earlier !== id) return { kind: 'same', version: (await last(client, earlier))! };
			}
			return await write(client, { id, before: null, customer, author });
		});
	}

	async patch(id: string, patch: Patch, request: Author & Condition): Promise<Written> {
		return await this.#change(id, request, (before) => patched(before, patch));
	}

	async replace(id: string, customer: Patch, request: Author & Condition): Promise<Written> {
		return await this.#change(id, request, () => whole(customer));
	}

	async remove(id: string, request: Author & Condition): Promise<Written> {
		return await this.#change(id, request, () => null);
	}

	async #change(
		id: string,
		{ ifVersion, ...author }: Author & Condition,
		change: (before: Customer) => Customer | null,
	): Promise<Written> {
		return await this.#transaction(async (client) => {
			await client.query('select 1 from rest_crm.customers where id = $1 for update', [id]);
			const before = await last(client, id);
			if (!before?.customer) return { kind: 'missing' };
			if (ifVersion != null && ifVersion !== before.version) return { kind: 'precondition' };
			return await write(client, { id, before, customer: change(before.customer), author });
		});
	}

	async #transaction(work: (client: pg.PoolClient) => Promise<Written>): Promise<Written> {
		const client = await this.pool.connect();
		try {
			await client.query('begin');
			const written = await work(client);
			await client.query('commit');
			return written;
		} catch (error) {
			await client.query('rollback');
			// The external id is another record's.
			if ((error as { code?: string }).code === '23505') return { kind: 'duplicate' };
			throw error;
		} finally {
			client.release();
		}
	}
}

async function write(client: pg.PoolClient, draft: Draft): Promise<Written> {
	const { id, before, customer, author } = draft;
	const changed = changedBetween(before?.customer ?? null, customer);
	if (before && customer && changed.length === 0) return { kind: 'same', version: before };
	const { by, request = null, seen = {} } = author;
	const number = (before?.version ?? 0) + 1;
	const { rows } = await client.query<{ seq: string; at: Date }>(
		`insert into rest_crm.versions (id, version, made_by, request, changed, seen, customer)
		 values ($1, $2, $3, $4, $5, $6, $7) returning seq, at`,
		[id, number, by, request, changed, JSON.stringify(seen), customer && JSON.stringify(customer)],
	);
	const { seq, at } = rows[0]!;
	await keepCurrent(client, { id, seq, customer });
	return {
		kind: 'written',
		before,
		version: { seq: Number(seq), id, version: number, at: at.toISOString(), by, request, changed, seen, customer },
	};
}

async function keepCurrent(
	client: pg.PoolClient,
	{ id, seq, customer }: { id: string; seq: string; customer: Customer | null },
): Promise<void> {
	if (!customer) {
		await client.query('delete from rest_crm.customers where id = $1', [id]);
		return;
	}
	await client.query(
		`insert into rest_crm.customers (id, external_id, seq) values ($1, $2, $3)
		 on conflict (id) do update set external_id = $2, seq = $3`,
		[id, customer.external_id, seq],
	);
}

/** @returns the id of the record that the first request with this key made; a second one waits for it */
async function replyTo(client: pg.PoolClient, key: string, id: string): Promise<string> {
	const { rows } = await client.query<{ id: string }>(
		`insert into rest_crm.replies (key, id) values ($1, $2)
		 on conflict (key) do update set key = $1 returning id`,
		[key, id],
	);
	return rows[0]!.id;
}

async function newId(client: pg.PoolClient): Promise<string> {
	const { rows } = await client.query<{ id: string }>(
		`select 'cus_' || nextval('rest_crm.ids') as id`,
	);
	return rows[0]!.id;
}

async function last(client: pg.PoolClient, id: string): Promise<Version | null> {
	const [found] = await versions(client, 'where v.id = $1 order by v.version desc limit 1', [id]);
	return found ?? null;
}

async function versions(
	db: Pick<pg.PoolClient, 'query'>,
	clauses: string,
	values: readonly unknown[],
): Promise<Version[]> {
	const { rows } = await db.query<Omit<Version, 'seq' | 'at'> & { seq: string; at: Date }>(
		`select v.seq, v.id, v.version, v.at, v.made_by as by, v.request, v.changed, v.seen, v.customer
		 from rest_crm.versions v ${clauses}`,
		[...values],
	);
	return rows.map((row) => ({ ...row, seq: Number(row.seq), at: row.at.toISOString() }));
}
