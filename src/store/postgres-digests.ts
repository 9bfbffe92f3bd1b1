import type { HashedBucket } from '../core/hashed-bucket';
import type { LinkState } from '../core/link';
import type { EntityPolicy } from '../core/policy';
import { digestShapes, type LinkDigest, linkDigest } from '../core/row-digest';
import { parseSums } from '../postgres/row-hashes';
import { hashIn, isStale, keyIn, rowIn } from './digest-columns';
import { type LinkDocument, unpackLink } from './link-document';
import { PostgresChanges } from './postgres-changes';
import type { StoreDatabase } from './postgres-database';
import { scanLinks } from './postgres-load';
import type { BucketsRequest, DigestsRequest, DigestSums, StoreDigests } from './store-digests';

/**
 * Migration 9: what rows hash to by what the streams have shown, beside the documents, so that reconcile compares a table
 * with the store by sums. `digests` has three numbers per system: the shape's tag, the hash of the key, the hash of
 * the row (null where there is none). A link that an older process has committed has none, and neither has any link at
 * first: reconcile works them out.
 */
export const DIGESTS = /* sql */ `
alter table {schema}.links add column digests bigint[];
alter table {schema}.links add column differs boolean;

alter type {schema}.commit_head add attribute digests bigint[];
alter type {schema}.commit_head add attribute differs boolean;

create or replace function {schema}.write_links(
	p_policy text, p_heads {schema}.commit_head[], p_states text, p_lost integer[], p_now timestamptz, p_grace interval
) returns void language plpgsql as $write$
begin
	insert into {schema}.links as l (policy, id, entity, generation, revision, keys, state, due, wake_at, digests, differs)
	select p_policy, h.id, h.entity, h.generation, h.expected + 1, h.keys, s.state::json, h.due, p_now + p_grace, h.digests, h.differs
	from unnest(p_heads) h
	join string_to_table(p_states, e'\\n') with ordinality as s(state, line) on s.line = h.ord + 1
	where h.ord <> all (p_lost)
	on conflict (policy, id) do update set
		entity = excluded.entity, generation = excluded.generation, revision = excluded.revision,
		keys = excluded.keys, state = excluded.state, due = excluded.due, wake_at = excluded.wake_at,
		digests = excluded.digests, differs = excluded.differs, wakes = 0, unattempted = 0;
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

/** What a commit says of a link; nothing where the policy is not known, or has no such entity any more. */
export function digestColumns(state: LinkState, entity: EntityPolicy | undefined): { digests?: (string | null)[]; differs?: boolean } {
	if (entity === undefined) return {};
	const digest = linkDigest(state, entity);
	return { digests: numbersOf(digest), differs: digest.differs };
}

const numbersOf = ({ rows }: LinkDigest): (string | null)[] =>
	rows.flatMap((row) => [row?.tag, row?.digest?.key, row?.digest?.row].map((hash) => (hash == null ? null : String(hash))));

/** The digests in the schema of a Postgres store, summed there. */
export class PostgresDigests implements StoreDigests {
	readonly changes: PostgresChanges;

	constructor(private readonly db: StoreDatabase) {
		this.changes = new PostgresChanges(db);
	}

	/**
	 * In one look, so that all of it is seen at one moment. Links without a row are in bucket -1: they are counted, too.
	 * `offset 0` keeps the planner from taking each key's hash for a group of its own, and then for too many to be hashed.
	 */
	async sums({ policy, entity, shapes, mask }: DigestsRequest): Promise<DigestSums> {
		const hashes = shapes.map((shape, at) => `coalesce(${keyIn(shape)} & $3::bigint, -1) as b${at}, coalesce(${rowIn(shape)}, 0) as r${at}`);
		const each = (text: (at: number) => string, between: string): string => shapes.map((_, at) => text(at)).join(between);
		const found = await this.db.transaction(async (query) => {
			await query(`select set_config('work_mem', '128MB', true)`);
			return await query<SumsRow>(
				`with links as (
					select ${hashes.join(', ')}, ${isStale(shapes)} as is_stale, l.differs
					from ${this.db.schema}.links l where l.policy = $1 and l.entity = $2 offset 0
				), sums as (
					select case ${each((at) => `when grouping(b${at}) = 0 then ${at}`, ' ')} end as side,
						coalesce(${each((at) => `b${at}`, ', ')}) as bucket, count(*) as n,
						case ${each((at) => `when grouping(b${at}) = 0 then sum(r${at})`, ' ')} end as total,
						count(*) filter (where is_stale) as stale, count(*) filter (where differs) as differing
					from links group by grouping sets (${each((at) => `(b${at})`, ', ')})
				)
				select side, sum(n) filter (where bucket >= 0)::text as rows, string_agg(bucket || ':' || total, ',') filter (where bucket >= 0) as sums,
					sum(n)::text as links, sum(stale)::text as stale, sum(differing)::text as differing
				from sums group by side`,
				[policy, entity, mask],
			);
		});
		const bySide = new Map(found.map((row) => [row.side, row]));
		const { links, stale, differing } = bySide.get(0) ?? NOTHING;
		return { links: Number(links), stale: Number(stale), differing: Number(differing), sides: shapes.map((_, at) => parseSums(bySide.get(at) ?? NOTHING)) };
	}

	async inBuckets({ policy, entity, shape, mask, buckets }: BucketsRequest): Promise<readonly HashedBucket[]> {
		return await this.db.query<HashedBucket & { [column: string]: unknown }>(
			`select bucket::int as bucket, string_agg(hash, ',') as hashes, string_agg(link, ' ') as ids from (
				select ${keyIn(shape)} & $3::bigint as bucket, ${hashIn(shape)} as hash, l.id as link
				from ${this.db.schema}.links l
				where l.policy = $1 and l.entity = $2 and (${keyIn(shape)} & $3::bigint) in (select unnest($4::bigint[]))
			) as listed group by 1`,
			[policy, entity, mask, buckets],
		);
	}

	async differing(request: Parameters<StoreDigests['differing']>[0]): ReturnType<StoreDigests['differing']> {
		return await scanLinks(this.db, request, 'l.differs');
	}

	async refresh(policy: string, entity: EntityPolicy): Promise<void> {
		const shapes = digestShapes(entity).flatMap((shape) => shape ?? []);
		let after: string | undefined = shapes.length === 0 ? undefined : '';
		while (after !== undefined) {
			const links: LinkRow[] = await this.db.query<LinkRow>(
				`select l.id, l.revision, l.state from ${this.db.schema}.links l
				where l.policy = $1 and l.entity = $2 and l.id > $3 and (${isStale(shapes)}) order by l.id limit ${PAGE}`,
				[policy, entity.name, after],
			);
			await this.#keep(policy, links, entity);
			after = links.length < PAGE ? undefined : links.at(-1)?.id;
		}
	}

	/** Of a link that has been committed meanwhile, the commit has said it. The order of locks is that of all commits. */
	async #keep(policy: string, links: readonly LinkRow[], entity: EntityPolicy): Promise<void> {
		if (links.length === 0) return;
		const rows = links.map(({ id, revision, state }) => ({ id, revision, ...digestColumns(unpackLink(state), entity) }));
		await this.db.query(
			`with wanted as (
				select * from json_to_recordset($2::json) as w(id text, revision integer, digests bigint[], differs boolean)
			), locked as materialized (
				select l.id from ${this.db.schema}.links l
				where l.policy = $1 and l.id = any (array(select w.id from wanted w)) order by l.id for update
			)
			update ${this.db.schema}.links l set digests = w.digests, differs = w.differs, written = pg_current_xact_id()
			from wanted w, locked where l.policy = $1 and l.id = locked.id and l.id = w.id collate "C" and l.revision = w.revision`,
			[policy, JSON.stringify(rows)],
		);
	}
}

interface LinkRow {
	readonly id: string;
	readonly revision: number;
	readonly state: LinkDocument;
	readonly [column: string]: unknown;
}

const PAGE = 1_000;

interface SumsRow {
	readonly side: number;
	readonly rows: string | null;
	readonly sums: string | null;
	readonly links: string;
	readonly stale: string;
	readonly differing: string;
	readonly [column: string]: unknown;
}

const NOTHING: SumsRow = { side: 0, rows: null, sums: null, links: '0', stale: '0', differing: '0' };
