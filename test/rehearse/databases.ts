import { randomBytes } from 'node:crypto';

import pg from 'pg';

import { ident } from '../../src/postgres/sql';
import { PostgresStore } from '../../src/store/postgres-store';
import type { ConnectionSettings, PostgresServer } from '../support/embedded-postgres';
import { waitUntil } from '../support/wait-until';

/** Where scenarios run: one server per system, as far as there are any; the others share them. */
export interface Servers {
	readonly all: readonly [PostgresServer, ...PostgresServer[]];
}

/** A database that one scenario has to itself. */
export class ScenarioDatabase {
	#pool: pg.Pool;

	private constructor(
		readonly server: PostgresServer,
		/** The superuser's. */
		readonly settings: ConnectionSettings,
	) {
		this.#pool = openPool(settings);
	}

	/** @param template - a database to copy, on the same server */
	static async create(server: PostgresServer, name: string, template?: string): Promise<ScenarioDatabase> {
		const database = `rehearse_${name.replaceAll(/\W/g, '_').slice(0, 30)}_${randomBytes(4).toString('hex')}`;
		await asSuperuser(server, (client) => client.query(creation(database, template)));
		return new ScenarioDatabase(server, { ...server.superuser, database });
	}

	get pool(): pg.Pool {
		return this.#pool;
	}

	get name(): string {
		return this.settings.database;
	}

	/** Keeps a copy of it as it is now. Nobody else may be connected. @returns the copy's name */
	async keepCopy(): Promise<string> {
		const copy = `${this.name}_start`;
		await this.#pool.end();
		await asSuperuser(this.server, (client) => client.query(creation(copy, this.name)));
		this.#pool = openPool(this.settings);
		return copy;
	}

	/** Becomes again what it was when the copy was made. Its slots are gone with it. */
	async goBackTo(copy: string): Promise<void> {
		await this.#pool.end();
		await asSuperuser(this.server, async (client) => {
			await dropDatabase(client, this.name);
			await client.query(creation(this.name, copy));
		});
		this.#pool = openPool(this.settings);
	}

	async drop(): Promise<void> {
		if (!this.#pool.ending) await this.#pool.end();
		await asSuperuser(this.server, async (client) => {
			await dropDatabase(client, this.name);
			await dropDatabase(client, `${this.name}_start`);
		});
	}
}

/** An empty database with the tables of a sync store: copying it is quicker than making them. */
export async function makeStoreTemplate(server: PostgresServer): Promise<ScenarioDatabase> {
	const template = await ScenarioDatabase.create(server, 'store_template');
	const store = new PostgresStore(openPool(template.settings));
	await store.migrate();
	await store.close();
	await template.pool.end();
	return template;
}

function creation(database: string, template: string | undefined): string {
	const from = template === undefined ? '' : ` template ${ident(template)}`;
	return `create database ${ident(database)}${from}`;
}

function openPool(settings: ConnectionSettings): pg.Pool {
	const pool = new pg.Pool({ ...settings, max: 4 });
	// Sessions end when their database is dropped; without a listener that would end the process.
	pool.on('error', () => undefined);
	return pool;
}

async function asSuperuser<T>(server: PostgresServer, work: (client: pg.Client) => Promise<T>): Promise<T> {
	const client = new pg.Client(server.superuser);
	client.on('error', () => undefined); // As with the pool; whatever is under way fails by itself.
	await client.connect();
	try {
		return await work(client);
	} finally {
		await client.end();
	}
}

async function dropDatabase(client: pg.Client, database: string): Promise<void> {
	await waitUntil(`the slots of ${database} to be dropped`, async () => await dropSlots(client, database));
	await client.query(`drop database if exists ${ident(database)} with (force)`);
}

/** @returns true when none is left; a slot can be dropped only after its reader's session has ended */
async function dropSlots(client: pg.Client, database: string): Promise<boolean> {
	await client.query(
		`select pg_terminate_backend(active_pid) from pg_replication_slots where database = $1 and active_pid is not null`,
		[database],
	);
	await client.query(
		`select pg_drop_replication_slot(slot_name) from pg_replication_slots
		 where database = $1 and active_pid is null and not temporary`,
		[database],
	);
	const { rowCount } = await client.query('select 1 from pg_replication_slots where database = $1', [database]);
	return rowCount === 0;
}
