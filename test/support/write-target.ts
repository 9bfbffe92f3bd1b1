import type pg from 'pg';

import type { Json } from '../../src/core/canonical-json';
import { type Key, type Operation, operationId } from '../../src/core/link';
import { isGenuine, type Marker, markerPrefix, parseMarker } from '../../src/core/marker';
import { policyOf } from '../../src/core/parse-policy';
import type { Policy } from '../../src/core/policy';
import { OUTPUT_SETTINGS } from '../../src/postgres/connect';
import { decodePgoutput, type PgoutputMessage } from '../../src/postgres/pgoutput';
import {
	type WriteRequest,
	type WriteResult,
	writeOperations,
} from '../../src/postgres/row-writer';
import type { PostgresVersion } from './postgres-binaries';
import { openTestDatabase, type TestDatabase } from './test-database';

const STORE_ID = 'teststore';
const MAC_KEY = 'a secret of the store';

/** A database that operations of the system `billing` are written to. */
export interface WriteTarget {
	readonly db: TestDatabase;
	readonly pool: pg.Pool;
	write(ops: readonly Operation[], options?: WriteOptions): Promise<readonly WriteResult[]>;
	/** Results in short: op id → outcome. */
	outcomes(ops: readonly Operation[], options?: WriteOptions): Promise<Record<string, string>>;
	/** What a reader of the log has got since the last call of this or the next one. */
	newMessages(): Promise<PgoutputMessage[]>;
	/** The genuine markers since that last call. */
	newMarkers(): Promise<Marker[]>;
	/** The rows of a statement. */
	rows(statement: string, values?: unknown[]): Promise<unknown[]>;
}

export interface WriteOptions extends Partial<Omit<WriteRequest, 'ops'>> {
	readonly pool?: pg.Pool;
}

/**
 * @param ddl - creates the tables of `policy`
 * @param test - sees the target; the database is dropped after it
 */
export async function withTarget(
	{ ddl, policy, version = 18 }: { ddl: string; policy: Policy; version?: PostgresVersion },
	test: (target: WriteTarget) => Promise<void>,
): Promise<void> {
	const db = await openTestDatabase('write target', { version });
	try {
		await db.pool.query(ddl);
		await db.pool.query('create publication p for all tables');
		const slot = `s_${db.settings.database}`;
		await db.pool.query(`select pg_create_logical_replication_slot($1, 'pgoutput')`, [slot]);
		await test(targetOf(db, policy, slot));
	} finally {
		await db.drop();
	}
}

function targetOf(db: TestDatabase, policy: Policy, slot: string): WriteTarget {
	const write = async (
		ops: readonly Operation[],
		{ pool = db.pool, ...options }: WriteOptions = {},
	) =>
		await writeOperations(pool, {
			ops,
			policy,
			storeId: STORE_ID,
			macKey: MAC_KEY,
			...options,
		});
	return {
		db,
		pool: db.pool,
		write,
		async outcomes(ops, options) {
			const results = await write(ops, options);
			return Object.fromEntries(results.map(({ op, outcome }) => [op, outcome]));
		},
		newMessages: async () => await readMessages(db.pool, slot),
		newMarkers: async () => markersIn(await readMessages(db.pool, slot), policy),
		rows: async (statement, values) => (await db.pool.query(statement, values)).rows as unknown[],
	};
}

async function readMessages(pool: pg.Pool, slot: string): Promise<PgoutputMessage[]> {
	const client = await pool.connect();
	try {
		for (const [name, value] of Object.entries(OUTPUT_SETTINGS)) {
			await client.query(`select set_config($1, $2, false)`, [name, value]);
		}
		const { rows } = await client.query<{ data: Buffer }>(
			`select data from pg_logical_slot_get_binary_changes($1, null, null,
				'proto_version', '1', 'publication_names', 'p', 'messages', 'true')`,
			[slot],
		);
		return rows.map(({ data }) => decodePgoutput(data));
	} finally {
		client.release(true); // With its settings: they are not what an application has.
	}
}

function markersIn(messages: readonly PgoutputMessage[], policy: Policy): Marker[] {
	return messages.flatMap((message) => {
		if (message.tag !== 'message' || message.prefix !== markerPrefix(STORE_ID, policy.name))
			return [];
		const marker = parseMarker(message.content);
		if (!marker || !isGenuine(marker, MAC_KEY))
			throw new Error(`no marker of ours: ${message.content}`);
		return [marker];
	});
}

/** A policy with one entity, `record`, whose fields are the columns of `public.record`; `id` is the key. */
export function policyOfColumns(
	columns: readonly string[],
	binding: Record<string, Json> = {},
): Policy {
	const table = { table: 'public.record', key: ['id'] };
	const fields = columns.map((column) => [column, { crm: column, billing: column, owner: 'crm' }]);
	const record = {
		crm: table,
		billing: { ...table, ...binding },
		fields: Object.fromEntries(fields) as Json,
	};
	return policyOf({ policy: 'test', systems: ['crm', 'billing'], entities: { record } });
}

interface OperationStart {
	readonly link?: string;
	readonly number?: number;
	readonly epoch?: number;
	readonly key?: Key;
	readonly guards?: Operation['guards'];
}

/** Changes fields from the first value of each pair to the second. */
export function updateOf(
	id: string,
	fields: Record<string, readonly [Json, Json]>,
	start: OperationStart = {},
): Operation {
	const changes = Object.entries(fields).map(([name, [expected, next]]) => [
		name,
		{ expected, next, ...KNOWN },
	]);
	return operation(
		'update',
		{ key: { id }, link: `link${id}`, ...start },
		Object.fromEntries(changes),
	);
}

export function deleteOf(
	id: string,
	expected: Record<string, Json>,
	start: OperationStart = {},
): Operation {
	const fields = Object.entries(expected).map(([name, value]) => [
		name,
		{ expected: value, ...KNOWN },
	]);
	return operation(
		'delete',
		{ key: { id }, link: `link${id}`, ...start },
		Object.fromEntries(fields),
	);
}

/** A field that is undefined is left to the column's default. */
export function insertOf(
	link: string,
	values: Record<string, Json | undefined>,
	number = 1,
): Operation {
	const fields = Object.entries(values).map(([name, next]) => {
		return [name, next === undefined ? KNOWN : { next, ...KNOWN }];
	});
	return operation('insert', { link, number }, Object.fromEntries(fields));
}

const KNOWN = { canon: null, vector: {} };

function operation(
	kind: Operation['kind'],
	{ link = '', number = 1, epoch = 1, key, guards = {} }: OperationStart,
	fields: Operation['fields'],
): Operation {
	return {
		id: operationId(link, 'billing', { epoch, number }),
		link,
		system: 'billing',
		entity: 'record',
		number,
		...(epoch === 1 ? {} : { epoch }),
		kind,
		key: key ?? null,
		fields,
		guards,
		existence: null,
	};
}
