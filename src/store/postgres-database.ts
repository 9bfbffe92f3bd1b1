import type pg from 'pg';

import { SyncError } from '../core/errors';
import { codeOf, ident, toSyncError } from '../postgres/sql';

export interface DatabaseOptions {
	/** The schema's name as it is, unquoted. */
	readonly schema: string;
	/** Called before each statement that is sent. */
	readonly onRoundTrip?: (() => void) | undefined;
}

/** The sync store's schema in one database, and the one way to send statements to it. */
export class StoreDatabase {
	/** Quoted, for statements. */
	readonly schema: string;
	readonly schemaName: string;
	readonly #pool: pg.Pool;
	readonly #onRoundTrip: () => void;

	constructor(pool: pg.Pool, { schema, onRoundTrip = () => undefined }: DatabaseOptions) {
		this.#pool = pool;
		this.schemaName = schema;
		this.schema = ident(schema);
		this.#onRoundTrip = onRoundTrip;
		// An idle connection that breaks emits "error", and without a listener that would end the
		// process. Whoever needs a connection next gets a new one, or the error.
		pool.on('error', () => undefined);
	}

	/**
	 * Runs one statement: one round trip, one transaction.
	 *
	 * @throws SyncError STORE_UNREACHABLE, STORE_LOST, AUTH_FAILED, PRIVILEGE_MISSING …; a mistake in the SQL as it is
	 */
	async query<Row extends pg.QueryResultRow>(
		text: string,
		values: readonly unknown[] = [],
	): Promise<Row[]> {
		return await this.#send<Row>(this.#pool, text, values);
	}

	/** Runs statements in one transaction of one connection; rolled back when `work` throws. */
	async transaction<T>(work: (query: StoreDatabase['query']) => Promise<T>, isolation: 'read committed' | 'repeatable read' = 'read committed'): Promise<T> {
		const client = await this.#connect();
		const send: StoreDatabase['query'] = async (text, values = []) =>
			await this.#send(client, text, values);
		try {
			await send(`begin isolation level ${isolation}`);
			const result = await work(send);
			await send('commit');
			client.release();
			return result;
		} catch (error) {
			client.release(true); // Closing the connection rolls back, whatever state it is in.
			throw error;
		}
	}

	async close(): Promise<void> {
		if (!this.#pool.ending) await this.#pool.end();
	}

	async #connect(): Promise<pg.PoolClient> {
		try {
			return await this.#pool.connect();
		} catch (error) {
			throw this.#translated(error);
		}
	}

	async #send<Row extends pg.QueryResultRow>(
		connection: pg.Pool | pg.PoolClient,
		text: string,
		values: readonly unknown[],
	): Promise<Row[]> {
		this.#onRoundTrip();
		try {
			return (await connection.query<Row>({ text, values: [...values], types: TYPES })).rows;
		} catch (error) {
			throw this.#translated(error);
		}
	}

	#translated(error: unknown): Error {
		if (MISSING.has(codeOf(error) ?? '')) {
			const message = `The schema ${this.schema} of the sync store on ${this.#address()} is gone, or parts of it are, though this process has used it before`;
			return new SyncError('STORE_LOST', message, { cause: error });
		}
		const translated = toSyncError(error, `the sync store on ${this.#address()}`);
		if (!(translated instanceof SyncError) || translated.code !== 'DATABASE_UNREACHABLE')
			return translated;
		const { message, details } = translated;
		return new SyncError('STORE_UNREACHABLE', message, { cause: error, details });
	}

	#address(): string {
		const { host, port, database } = this.#pool.options;
		return `${host ?? 'localhost'}:${port ?? 5432}${database === undefined ? '' : `/${database}`}`;
	}
}

/** SQLSTATEs: a table, a function or a schema that is not there. */
const MISSING: ReadonlySet<string> = new Set(['42P01', '42883', '3F000']);

const PARSERS: Readonly<Record<number, (text: string) => unknown>> = {
	16: (text) => text === 't', // boolean
	23: Number, // integer
	114: (text) => JSON.parse(text) as unknown, // json
};

/**
 * Not the driver's global parsers: another package of the same process may have changed them.
 * Any other type comes as the server's text.
 */
const TYPES = {
	getTypeParser: (type: number) => PARSERS[type] ?? ((text: string) => text),
} as unknown as pg.CustomTypesConfig;
