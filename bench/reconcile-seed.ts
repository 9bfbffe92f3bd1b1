import { emptyLink, EXISTENCE, type FieldState, type Key, linkId, type LinkState } from '../src/core/link';
import { readFields } from '../src/core/mapping';
import { parsePolicy } from '../src/core/parse-policy';
import type { EntityPolicy, Policy } from '../src/core/policy';
import { positionOf } from '../src/core/position';
import { readHash } from '../src/core/scopes';
import { openPool } from '../src/postgres/open-pool';
import { connectForReplication } from '../src/postgres/connect';
import { policyTables } from '../src/postgres/event-tables';
import { identifySystem } from '../src/postgres/slot';
import { openSnapshot } from '../src/postgres/snapshot';
import { rowsOf } from '../src/postgres/snapshot-rows';
import { indexable, keyText } from '../src/store/identity-text';
import { packLink } from '../src/store/link-document';
import { digestColumns } from '../src/store/postgres-digests';
import { PostgresStore } from '../src/store/postgres-store';
import type { ConnectionSettings } from '../test/support/embedded-postgres';
import { COLUMNS, withClient } from './wide-table';

export const POLICY = 'bench';
export const ENTITY = 'record';
export const SYSTEMS = ['crm', 'billing'];
export const TABLE = 'records';

/** All 15 columns but the key are fields. */
export function benchPolicy(): Policy {
	const fields = Object.keys(COLUMNS).filter((name) => name !== 'id').map((name) => `      ${name}: { crm: ${name}, billing: ${name}, owner: crm }`);
	const lines = [`policy: ${POLICY}`, 'systems: [crm, billing]', 'entities:', `  ${ENTITY}:`, ...SYSTEMS.map((system) => `    ${system}: { table: public.${TABLE}, key: [id] }`), '    match: [[code]]', '    fields:', ...fields];
	return parsePolicy(`${lines.join('\n')}\n`);
}

const SEEN = positionOf(1n, 1);
const BATCH = 1_000;

/** A store that has observed all rows of both systems, and found them equal: what a sync at rest has. Its streams have passed every place. */
export async function seedStore(store: ConnectionSettings, systems: Readonly<Record<string, ConnectionSettings>>): Promise<void> {
	const policy = benchPolicy();
	const db = new PostgresStore(openPool(store, 4));
	try {
		await db.migrate();
		await db.publishPolicy({ name: POLICY, document: policy.document, hash: 'bench', by: 'bench', initialMode: 'live' });
		for (const [system, settings] of Object.entries(systems)) await registerStream(db, { system, settings, policy });
		await eachPage({ store, settings: systems['crm'] ?? store, where: null }, INSERT);
	} finally {
		await db.close();
	}
}

async function registerStream(store: PostgresStore, { system, settings, policy }: { system: string; settings: ConnectionSettings; policy: Policy }): Promise<void> {
	const client = await connectForReplication(settings);
	try {
		const { systemId, timeline } = await identifySystem(client);
		const place = { policy: POLICY, system, slot: `bench_${system}`, systemId, timeline };
		await store.registerStream({ ...place, filterHash: readHash(policy, system), start: positionOf(2n ** 55n, 0), snapshot: 'done' });
	} finally {
		await client.end();
	}
}

/** What a sync has observed that has carried changes of these rows from one system to the other. */
export async function observeRows(store: ConnectionSettings, settings: ConnectionSettings, where: string): Promise<void> {
	await eachPage({ store, settings, where }, UPDATE);
}

/** Sends a statement for each page of rows, with what the store is to know of them. */
async function eachPage({ store, settings, where }: { store: ConnectionSettings; settings: ConnectionSettings; where: string | null }, statement: string): Promise<void> {
	const policy = benchPolicy();
	const [table] = policyTables(policy, 'crm').all;
	const entity = policy.entities.get(ENTITY);
	if (!table || !entity) throw new Error('the policy has no table');
	const session = await openSnapshot(settings);
	await withClient(store, async (client) => {
		let writing: Promise<unknown> = Promise.resolve();
		for await (const page of session.pages(table, { pageSize: BATCH, where })) {
			const rows = rowsOf(page, table).map(({ values }) => rowOf(stateOf(values, table.keyOf(values), entity), entity));
			await writing;
			writing = client.query(statement, [POLICY, ENTITY, JSON.stringify(rows)]);
		}
		await writing;
	});
	await session.close();
}

const UPDATE = `with given as materialized (
		select * from json_to_recordset($3::json) as g(id text, state text, digests bigint[], differs boolean)
	)
	update n8n_bisync.links l set revision = l.revision + 1, state = g.state::json, digests = g.digests, differs = g.differs, written = pg_current_xact_id()
	from given g where l.policy = $1 and l.entity = $2 and l.id = g.id`;

/** Not by commits, which take several times as long; what is written is what they would write. */
const INSERT = `with given as materialized (
		select * from json_to_recordset($3::json) as g(id text, keys text[], state text, digests bigint[], differs boolean)
	), keyed as (
		insert into n8n_bisync.link_keys (policy, key, link, generation) select $1, k, g.id, 1 from given g cross join unnest(g.keys) as k
	)
	insert into n8n_bisync.links (policy, id, entity, generation, revision, keys, state, due, wake_at, digests, differs)
	select $1, g.id, $2, 1, 1, g.keys, g.state::json, false, now(), g.digests, g.differs from given g`;

function rowOf(state: LinkState, entity: EntityPolicy) {
	const keys = SYSTEMS.map((system) => indexable(keyText({ system, entity: ENTITY, key: state.keys[system] ?? {} })));
	return { id: state.id, keys: keys.sort(), state: JSON.stringify(packLink(state)), ...digestColumns(state, entity) };
}

function stateOf(values: Parameters<typeof readFields>[2], key: Key, entity: EntityPolicy): LinkState {
	const id = linkId({ policy: POLICY, entity: ENTITY, system: 'crm', key, generation: 1, position: SEEN });
	const vector = { crm: 1, billing: 1 };
	const fields: [string, FieldState][] = [[EXISTENCE, fieldOf(true, true, vector)]];
	for (const [name, reading] of readFields(entity, 'crm', values)) {
		if (reading.state !== 'value') throw new Error(`${name} is ${reading.state}`);
		fields.push([name, fieldOf(reading.raw, reading.canon, vector)]);
	}
	return { ...emptyLink(id, ENTITY, 1), keys: Object.fromEntries(SYSTEMS.map((system) => [system, key])), seen: { crm: SEEN, billing: SEEN }, fields: Object.fromEntries(fields) };
}

function fieldOf(raw: FieldState['views'][string]['raw'], canon: FieldState['views'][string]['canon'], vector: Readonly<Record<string, number>>): FieldState {
	const views = Object.fromEntries(SYSTEMS.map((system) => [system, { raw, canon, vector, base: canon }]));
	return { merged: { canon, vector, from: 'crm' }, views, frozen: null };
}
