import { EPOCHS_BEGAN_MS } from './epoch';
import type { Json } from '../core/canonical-json';
import type { StoredMode } from '../core/journal';
import type { StoreDatabase } from './postgres-database';
import { policyUnpublished } from './stream-errors';
import { MAX_SIGNATURES, type PolicyVersion, type PublishedPolicy, type PublishRequest } from './sync-store';

/** A published policy as a JSON object, from the aliases `p`, `v` (its version) and `m` (meta). */
export const POLICY_JSON = `json_build_object(
	'name', p.name, 'document', v.document, 'hash', p.hash, 'version', p.version, 'mode', p.mode, 'pending', p.pending,
	'signatures', p.signatures,
	'storeId', m.store_id, 'macKey', m.mac_key, 'epoch', m.epoch)`;

/** Where `POLICY_JSON` gets its aliases from. */
export const policyTables = (schema: string): string =>
	`${schema}.policies p
	 join ${schema}.policy_versions v on v.policy = p.name and v.version = p.version
	 cross join ${schema}.meta m`;

/**
 * The end of a statement that makes all links of policy $1 due when the table `woken_by` has a
 * row. Locks the links in the order in which commits do. The revision moves, so that a commit
 * that was thought out under the old policy loses and cannot declare its link settled.
 */
const wakeAll = (schema: string): string => `
	, locked as materialized (
		select l.id from ${schema}.links l
		where l.policy = $1 and exists (select 1 from woken_by) order by l.id for update
	)
	update ${schema}.links l
	set due = true, wake_at = clock_timestamp(), wakes = 0, unattempted = 0, revision = l.revision + 1
	from locked where l.policy = $1 and l.id = locked.id`;

export async function publishPolicy(
	db: StoreDatabase,
	request: PublishRequest,
): Promise<PublishedPolicy> {
	const { name, hash, document, by, initialMode, pending = [], after } = request;
	await db.query(
		`with woken_by as (
			insert into ${db.schema}.policies as p (name, version, hash, mode, pending) values ($1, 1, $2, $5, $6)
			on conflict (name) do update
			set version = p.version + 1, hash = excluded.hash, pending = excluded.pending
			where p.hash <> excluded.hash and (not $7::boolean or p.hash = $8)
			returning name, version
		), recorded as (
			insert into ${db.schema}.policy_versions (policy, version, hash, document, published_by, published_at)
			select name, version, $2, $3::json, $4, clock_timestamp() from woken_by
		)
		${wakeAll(db.schema)}`,
		[name, hash, JSON.stringify(document), by, initialMode, pending, after !== undefined, after ?? null],
	);
	return await publishedPolicy(db, name);
}

export async function approve(
	db: StoreDatabase,
	policy: string,
	hash: string,
): Promise<PublishedPolicy> {
	await db.query(
		`with woken_by as (
			update ${db.schema}.policies
			set mode = case mode when 'first-contact' then 'live' else mode end, pending = '{}'
			where name = $1 and hash = $2 and (mode = 'first-contact' or pending <> '{}')
			returning 1
		)
		${wakeAll(db.schema)}`,
		[policy, hash],
	);
	return await publishedPolicy(db, policy);
}

export async function suspend(
	db: StoreDatabase,
	{ policy, hash, scopes }: { policy: string; hash: string; scopes: readonly string[] },
): Promise<PublishedPolicy> {
	await db.query(
		`update ${db.schema}.policies
		set pending = array(select distinct scope collate "C" from unnest(pending || $3::text[]) as scope order by 1)
		where name = $1 and hash = $2`,
		[policy, hash, scopes],
	);
	return await publishedPolicy(db, policy);
}

export async function setMode(
	db: StoreDatabase,
	policy: string,
	mode: StoredMode,
): Promise<PublishedPolicy> {
	await db.query(
		`with changed as (
			update ${db.schema}.policies set mode = $2 where name = $1 and mode <> $2 returning mode
		), woken_by as (
			select 1 from changed where mode = 'live'
		)
		${wakeAll(db.schema)}`,
		[policy, mode],
	);
	return await publishedPolicy(db, policy);
}

export async function findVersions(db: StoreDatabase, policy: string, hashes: readonly string[]): Promise<ReadonlyMap<string, Json>> {
	const rows = await db.query<{ hash: string; document: Json }>(
		`select distinct on (hash) hash, document from ${db.schema}.policy_versions where policy = $1 and hash = any ($2) order by hash, version`,
		[policy, hashes],
	);
	return new Map(rows.map(({ hash, document }) => [hash, document]));
}

export async function listVersions(db: StoreDatabase, policy: string, limit: number): Promise<PolicyVersion[]> {
	const rows = await db.query<PolicyVersion & { readonly at: string }>(
		`select version, hash, document, published_by as by, floor(extract(epoch from published_at) * 1000) as at
		from ${db.schema}.policy_versions where policy = $1 order by version desc limit $2`,
		[policy, limit],
	);
	return rows.map(({ at, ...version }) => ({ ...version, atMs: Number(at) }));
}

export async function sign(
	db: StoreDatabase,
	{ policy, hash, by }: { policy: string; hash: string; by: string },
): Promise<PublishedPolicy> {
	await db.query(
		`with changed as (
			update ${db.schema}.policies p set signatures = (
				select jsonb_agg(kept.one order by kept.place) from (
					select one, place from jsonb_array_elements(p.signatures || jsonb_build_object(
						'hash', $2::text, 'by', $3::text, 'atMs', floor(extract(epoch from clock_timestamp()) * 1000)
					)) with ordinality as listed (one, place)
					order by place desc limit $4
				) kept
			)
			where p.name = $1 and not p.signatures @> jsonb_build_array(jsonb_build_object('hash', $2::text, 'by', $3::text))
			returning p.hash
		), woken_by as (
			select 1 from changed where hash = $2
		)
		${wakeAll(db.schema)}`,
		[policy, hash, by, MAX_SIGNATURES],
	);
	return await publishedPolicy(db, policy);
}

/** See `nextEpoch`; the clock is the server's. */
export async function raiseEpoch(db: StoreDatabase): Promise<void> {
	await db.query(
		`update ${db.schema}.meta set epoch = greatest(epoch + 1,
			floor((extract(epoch from clock_timestamp()) * 1000 - $1) / 60000)::int)`,
		[EPOCHS_BEGAN_MS],
	);
}

async function publishedPolicy(db: StoreDatabase, name: string): Promise<PublishedPolicy> {
	const [row] = await db.query<{ policy: PublishedPolicy & { document: Json } }>(
		`select ${POLICY_JSON} as policy from ${policyTables(db.schema)} where p.name = $1`,
		[name],
	);
	if (!row) throw policyUnpublished(name);
	return row.policy;
}
