import { type HashedBucket, keyHashIn, oneBucket } from '../core/hashed-bucket';
import type { KeptComparison } from '../core/kept-comparison';
import { type DigestShape, hashOfKey } from '../core/row-digest';
import { horizonOf } from '../postgres/written-since';
import { hashIn, isStale, keyIn } from './digest-columns';
import { indexable, keyText } from './identity-text';
import { type LinkDocument, unpackLink } from './link-document';
import type { StoreDatabase } from './postgres-database';
import type { ChangesOf, ChangesRequest, LinkChanges, StoreChanges } from './store-changes';
import type { RecordKey } from './sync-store';

/**
 * Migration 10: what comparisons leave for the next one, see `KeptComparison`, and the transaction that said a link's digests last, so that
 * those which were said since an earlier comparison are found by an index. All digests are in it: of links that take a kilobyte each, comparing
 * reads a tenth. No transaction is one of before this migration.
 */
export const COMPARISONS = /* sql */ `
create table {schema}.comparisons (
	policy  text collate "C" not null,
	entity  text collate "C" not null,
	systems text[] not null,
	at      timestamptz not null,
	kept    json not null,
	primary key (policy, entity, systems)
);

-- As all columns of an index: an operating system's new sort order cannot break it.
alter table {schema}.links alter column entity type text collate "C";
alter table {schema}.links add column written xid8;
create index links_digests on {schema}.links (policy, entity, written) include (id, digests, differs);

create or replace function {schema}.write_links(
	p_policy text, p_heads {schema}.commit_head[], p_states text, p_lost integer[], p_now timestamptz, p_grace interval
) returns void language plpgsql as $write$
begin
	insert into {schema}.links as l (policy, id, entity, generation, revision, keys, state, due, wake_at, digests, differs, written)
	select p_policy, h.id, h.entity, h.generation, h.expected + 1, h.keys, s.state::json, h.due, p_now + p_grace, h.digests, h.differs, pg_current_xact_id()
	from unnest(p_heads) h
	join string_to_table(p_states, e'\\n') with ordinality as s(state, line) on s.line = h.ord + 1
	where h.ord <> all (p_lost)
	on conflict (policy, id) do update set
		entity = excluded.entity, generation = excluded.generation, revision = excluded.revision,
		keys = excluded.keys, state = excluded.state, due = excluded.due, wake_at = excluded.wake_at,
		digests = excluded.digests, differs = excluded.differs, written = excluded.written, wakes = 0, unattempted = 0;
	if exists (select 1 from unnest(p_heads) h where h.date_systems is not null) then
		delete from {schema}.link_dates d using unnest(p_heads) h
		where d.policy = p_policy and d.link = h.id and h.date_systems is not null and h.ord <> all (p_lost);
		insert into {schema}.link_dates (policy, system, at_ms, link)
		select p_policy, t.system, t.at_ms, h.id
		from unnest(p_heads) h cross join unnest(h.date_systems, h.date_times) as t(system, at_ms)
		where h.ord <> all (p_lost) on conflict do nothing;
	end if;
end $write$;
`;

/** What has been written of the links in the schema of a Postgres store. */
export class PostgresChanges implements StoreChanges {
	constructor(private readonly db: StoreDatabase) {}

	async read({ policy, entity, systems }: ChangesOf): Promise<KeptComparison | null> {
		const [found] = await this.db.query<{ kept: KeptComparison }>(`select kept from ${this.#table} where ${THIS}`, [policy, entity, systems]);
		return found?.kept ?? null;
	}

	async keep({ policy, entity, systems }: ChangesOf, kept: KeptComparison | null): Promise<void> {
		const values = [policy, entity, systems];
		if (kept === null) await this.db.query(`delete from ${this.#table} where ${THIS}`, values);
		else await this.db.query(`insert into ${this.#table} (policy, entity, systems, at, kept) values ($1, $2, $3, now(), $4) ${OR_REPLACE}`, [...values, JSON.stringify(kept)]);
	}

	/** A server that was restored is another one, or on another timeline. */
	async seen(): ReturnType<StoreChanges['seen']> {
		return await this.db.transaction(async (query) => {
			const [found] = await query<{ identity: string; ms: string }>(
				`select concat_ws('/', (select system_identifier from pg_control_system()), left(pg_walfile_name(pg_current_wal_lsn()), 8),
					(select oid from pg_database where datname = current_database()), $1::regclass::oid, (select epoch from ${this.db.schema}.meta)) as identity, trunc(extract(epoch from now()) * 1000)::text as ms`,
				[`${this.db.schema}.links`],
			);
			return { identity: found?.identity ?? '', horizon: await horizonOf(query), nowMs: Number(found?.ms) };
		});
	}

	async since<T>(request: ChangesRequest, work: (changes: LinkChanges) => Promise<T>): Promise<T | null> {
		return await this.db.transaction(async (query) => {
			// Rows of the systems are looked up meanwhile.
			await query(`select set_config('idle_in_transaction_session_timeout', '0', true)`);
			const looked = await look(this.db.schema, query, request);
			if (looked === null) return null;
			return await work({
				...looked,
				keysOf: async (links) => await keysOf(this.db.schema, query, { policy: request.policy, links }),
				find: async (shape, keys) => await find(this.db.schema, query, { ...request, shape, keys }),
			});
		}, 'repeatable read');
	}

	get #table(): string {
		return `${this.db.schema}.comparisons`;
	}
}

const THIS = 'policy = $1 and entity = $2 and systems = $3';
const OR_REPLACE = 'on conflict (policy, entity, systems) do update set at = excluded.at, kept = excluded.kept';

type Query = StoreDatabase['query'];

/** One look at the digests of all links, and at those that were written since: the others have the digests that they had then. */
async function look(schema: string, query: Query, { policy, entity, shapes, horizon, most }: ChangesRequest): Promise<Omit<LinkChanges, 'keysOf' | 'find'> | null> {
	const changed = await query<{ id: string; is_stale: boolean }>(
		`select l.id, ${isStale(shapes)} as is_stale from ${schema}.links l where l.policy = $1 and l.entity = $2 and l.written >= $3::xid8 limit ${most + 1}`,
		[policy, entity, horizon],
	);
	if (changed.length > most) return null;
	const rows = shapes.map((shape, at) => `count(${keyIn(shape)})::text as rows${at}`);
	const [found = {}] = await query<Record<string, string | null>>(
		`select count(*)::text as links, count(*) filter (where l.differs)::text as differing, ${rows.join(', ')}
		from ${schema}.links l where l.policy = $1 and l.entity = $2`,
		[policy, entity],
	);
	return {
		links: Number(found['links']),
		differing: Number(found['differing']),
		rows: shapes.map((_, at) => Number(found[`rows${at}`])),
		changed: changed.map(({ id }) => id),
		isStale: changed.some((one) => one.is_stale),
	};
}

/** By the texts that stand beside the documents; a long one is only a hash, and the document has to be read. */
async function keysOf(schema: string, query: Query, { policy, links }: { policy: string; links: readonly string[] }): Promise<RecordKey[]> {
	const rows = await query<{ entity: string; keys: readonly string[]; state: LinkDocument | null }>(
		`select l.entity, array_to_json(l.keys) as keys, case when exists (select 1 from unnest(l.keys) k where k not like '[%') then l.state end as state
		from ${schema}.links l where l.policy = $1 and l.id = any ($2)`,
		[policy, links],
	);
	return rows.flatMap(({ entity, keys, state }) => {
		if (state !== null) return Object.entries(unpackLink(state).keys).map(([system, key]) => ({ system, entity, key }));
		return keys.map((text) => {
			const [system, , key] = JSON.parse(text) as [string, string, RecordKey['key']];
			return { system, entity, key };
		});
	});
}

async function find(schema: string, query: Query, { policy, entity, shape, keys }: Pick<ChangesRequest, 'policy' | 'entity'> & { shape: DigestShape; keys: readonly RecordKey[] }): Promise<HashedBucket[]> {
	const rows = await query<{ hash: string; id: string }>(
		`select ${hashIn(shape)} as hash, l.id
		from ${schema}.links l where l.policy = $1 and l.entity = $2 and ${keyIn(shape)} is not null
		and l.id in (select k.link from ${schema}.link_keys k where k.policy = $1 and k.key = any ($3::text[]))`,
		[policy, entity, keys.map((key) => indexable(keyText(key)))],
	);
	// Whoever took a key may have another one by now.
	const wanted = new Set(keys.map(({ key }) => String(hashOfKey(key, shape).value)));
	const found = rows.filter(({ hash }) => wanted.has(keyHashIn(hash)));
	return oneBucket(found.map(({ hash, id }) => [hash, id]));
}
