import { randomUUID } from 'node:crypto';

import type { IDataObject } from 'n8n-workflow';

import { SyncError } from '../../src/core/errors';
import type { Policy } from '../../src/core/policy';
import { formatReadRequest, READ_PREFIX, type ReadRequest } from '../../src/core/read-request';
import { askServer, type PgSettings } from '../../src/postgres/connect';
import { policyTables } from '../../src/postgres/event-tables';
import { readSlot } from '../../src/postgres/slot';
import { labelOf } from '../../src/postgres/snapshot-columns';
import { query, type Queryable } from '../../src/postgres/sql';
import { policyInForce, requirePublished } from '../../src/store/published-policy';
import { POLLED } from '../../src/store/stream-record';
import type { SyncStore } from '../../src/store/sync-store';
import { invalid, nameList, optionalText, text } from '../shared/settings';

type Read = (name: string) => unknown;
type Asked = Pick<ReadRequest, 'slot' | 'tables'>;

/**
 * Asks the trigger of a system to read rows again, while it goes on with changes.
 *
 * @throws SyncError INVALID_SETTING, POLICY_UNPUBLISHED, SLOT_MISSING, and those of `connect`
 */
export async function readAgain(store: Pick<SyncStore, 'load'>, read: Read, { policy, connection }: { policy: string; connection: PgSettings }): Promise<IDataObject> {
	const system = text('System', read('system'));
	const loaded = await store.load({ policy });
	const published = requirePublished(loaded, policy);
	const rules = policyInForce(published).policy;
	if (!rules.systems.includes(system)) throw invalid('System', `must be one of ${rules.systems.join(', ')}: the policy "${policy}" knows no "${system}"`);
	const stream = loaded.streams[system];
	if (!stream) throw invalid('System', `is "${system}", which no trigger has read yet: activate the workflow with it, and all rows are read`);
	if (stream.slot === POLLED) throw invalid('System', `is "${system}", which is polled: activate its workflow anew, and all rows are compared`);
	const tables = ranged(tablesOf(rules, system, optionalText('Entities', read('entities'))), read);
	return await askServer(connection, async (db) => {
		const [server] = await query<{ systemId: string }>(db, 'select system_identifier::text as "systemId" from pg_control_system()');
		if (server?.systemId !== stream.systemId) throw invalid('Connect With', `leads to another server than the one that the trigger of ${system} reads from`);
		return { policy, system, ...(await ask(db, { slot: stream.slot, tables }, { macKey: published.macKey, connection })) };
	});
}

/** The same of a trigger without a sync store. */
export async function readTables(read: Read, connection: PgSettings): Promise<IDataObject> {
	const slot = text('Replication Slot', read('slot'));
	const tables = nameList('Tables', read('tables')).map((name) => (name.includes('.') ? name : `public.${name}`));
	return await askServer(connection, async (db) => await ask(db, { slot, tables: ranged(tables, read) }, { macKey: null, connection }));
}

function tablesOf(policy: Policy, system: string, entities: string): string[] {
	const wanted = entities === '' ? null : nameList('Entities', entities);
	const tables = policyTables(policy, system).all;
	const strange = wanted?.filter((name) => !tables.some(({ entity }) => entity === name)) ?? [];
	if (strange.length > 0) throw invalid('Entities', `names what has no table in ${system}: ${strange.join(', ')}`);
	return tables.filter(({ entity }) => wanted === null || wanted.includes(entity)).map(labelOf);
}

function ranged(tables: readonly string[], read: Read): ReadRequest['tables'] {
	const { from, to } = (read('range') ?? {}) as Readonly<Record<string, unknown>>;
	const ends = { from: keyOf('From Key', from), to: keyOf('To Key', to) };
	if (tables.length > 1 && (ends.from ?? ends.to) !== null) throw invalid('From Key', 'and "To Key" are keys of one table, but several are named');
	return tables.map((table) => ({ table, ...ends }));
}

function keyOf(label: string, given: unknown): string[] | null {
	const value = typeof given === 'number' ? String(given) : optionalText(label, given);
	return value === '' ? null : value.split(',').map((part) => part.trim());
}

async function ask(db: Queryable, { slot, tables }: Asked, { macKey, connection }: { macKey: string | null; connection: PgSettings }): Promise<IDataObject> {
	const state = await readSlot(db, slot);
	if (!state) throw new SyncError('SLOT_MISSING', `There is no replication slot "${slot}" on this server`);
	if (state.database !== connection.database) throw invalid('Connect With', `leads to the database "${connection.database}", but slot "${slot}" belongs to "${state.database}"`);
	const id = randomUUID();
	const [row] = await query<{ lsn: string }>(db, 'select pg_logical_emit_message(true, $1, $2::text)::text as lsn', [READ_PREFIX, formatReadRequest({ slot, id, tables }, macKey)]);
	const note = state.activePid === null ? 'Nobody reads from the slot now: the rows are read once the workflow is active' : 'The rows come as items with op: r, source.reading.asked is this request';
	return { request: id, slot, tables: tables.map(({ table }) => table), lsn: row?.lsn ?? null, note };
}
