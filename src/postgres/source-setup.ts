import { SyncError } from '../core/errors';
import { answeringSoon, connect, connectForReplication, type PgSettings } from './connect';
import { ensurePublication, type PublishedOperation, type TableName, type TableToPublish } from './publication';
import { dropSlot, identifySystem, readSlot, readTimelines, type SlotState, type SystemIdentity } from './slot';
import { query } from './sql';

/** What a server says about itself and about one slot. */
export interface SourceState {
	readonly system: SystemIdentity;
	readonly slot: SlotState | null;
}

/**
 * @throws SyncError SERVER_IS_STANDBY (its log is that of the primary, up to wherever it has got: it would look as if the
 * server had gone back), and as `connectForReplication`
 */
export async function readSourceState(settings: PgSettings, slot: string): Promise<SourceState> {
	const client = await connectForReplication(answeringSoon(settings));
	try {
		const [server] = await query<{ isStandby: boolean }>(client, 'select pg_is_in_recovery() as "isStandby"');
		if (server?.isStandby) throw new SyncError('SERVER_IS_STANDBY', `The server at ${settings.host}:${settings.port} is a standby, which has not taken over`);
		const system = await identifySystem(client);
		const leftAt = await readTimelines(client, system.timeline);
		return { system: { ...system, leftAt }, slot: await readSlot(client, slot) };
	} finally {
		await client.end();
	}
}

/**
 * Makes or extends the publication, and drops a slot that is of no use any more.
 *
 * @param staleSlot - null: there is none
 * @throws SyncError SLOT_BUSY while somebody reads from the slot; those of `ensurePublication`
 */
export async function clearTheWay(
	settings: PgSettings,
	wanted: {
		readonly publication: string;
		readonly tables: readonly TableToPublish[];
		readonly staleSlot: string | null;
		/** Default: all. */
		readonly operations?: readonly PublishedOperation[];
	},
): Promise<void> {
	const client = await connect(settings);
	try {
		await ensurePublication(client, wanted.publication, wanted.tables, wanted.operations);
		if (wanted.staleSlot !== null) await dropSlot(client, wanted.staleSlot);
	} finally {
		await client.end();
	}
}

/** A table and the columns of its primary key. */
export interface KeyedTable extends TableName {
	readonly key: readonly string[];
}

/**
 * Looks up primary keys.
 *
 * @throws SyncError TABLE_MISSING for the first table that is not there or has no primary key
 */
export async function readPrimaryKeys(
	settings: PgSettings,
	tables: readonly TableName[],
): Promise<readonly KeyedTable[]> {
	const client = await connect(settings);
	try {
		const rows = await query<{ key: string[] | null }>(
			client,
			`select (select jsonb_agg(a.attname order by a.attnum)
			         from pg_index i
			         join pg_attribute a on a.attrelid = i.indrelid and a.attnum = any (i.indkey)
			         where i.indrelid = c.oid and i.indisprimary) as key
			 from unnest($1::text[], $2::text[]) with ordinality as w (schema, name, place)
			 left join pg_namespace n on n.nspname = w.schema
			 left join pg_class c on c.relnamespace = n.oid and c.relname = w.name
			 order by w.place`,
			[tables.map(({ schema }) => schema), tables.map(({ table }) => table)],
		);
		return tables.map(({ schema, table }, index) => {
			const key = rows[index]?.key;
			if (key) return { schema, table, key };
			throw new SyncError(
				'TABLE_MISSING',
				`There is no table ${schema}.${table} with a primary key`,
			);
		});
	} finally {
		await client.end();
	}
}
