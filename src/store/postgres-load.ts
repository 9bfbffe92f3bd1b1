import { EXISTENCE } from '../core/link';
import { indexable, keyText, matchText } from './identity-text';
import { type LinkDocument, unpackLink } from './link-document';
import type { StoreDatabase } from './postgres-database';
import { POLICY_JSON, policyTables } from './postgres-policies';
import { STREAM_JSON } from './postgres-streams';
import type { Loaded, LoadedLink, LoadRequest, PublishedPolicy, ScanRequest } from './sync-store';
import type { StreamRecord } from './stream-record';

/** A link as `linkJson` writes it. */
type LinkRow = Omit<LoadedLink, 'state'> & { readonly state: LinkDocument };

/** One statement, so that all of it is seen at one moment. */
type LoadedRow =
	| { readonly kind: 'policy'; readonly body: PublishedPolicy }
	| { readonly kind: 'stream'; readonly body: StreamRecord }
	| { readonly kind: 'link'; readonly body: LinkRow };

export async function load(db: StoreDatabase, request: LoadRequest): Promise<Loaded> {
	const { policy, links = [], keys = [], matches = [] } = request;
	const rows = await db.query<LoadedRow>(loadStatement(db.schema), [
		policy,
		links,
		keys.map((key) => indexable(keyText(key))),
		matches.map((match) => indexable(matchText(match))),
	]);
	const streams = rows.flatMap((row): [string, StreamRecord][] =>
		row.kind === 'stream' ? [[row.body.system, row.body]] : [],
	);
	return {
		policy: rows.find((row) => row.kind === 'policy')?.body ?? null,
		streams: Object.fromEntries(streams),
		links: rows.flatMap((row) => (row.kind === 'link' ? [linkOf(row.body)] : [])),
	};
}

/**
 * A page of links in the order of their ids, bytewise.
 *
 * @param condition - on `links l`, in SQL
 */
export async function scanLinks(
	db: StoreDatabase,
	request: ScanRequest,
	condition = 'true',
): Promise<readonly LoadedLink[]> {
	const { policy, entity = null, afterId = '', limit } = request;
	const rows = await db.query<{ body: LinkRow }>(
		`select ${linkJson(db.schema)} as body from ${db.schema}.links l
		where l.policy = $1 and l.id > $2 and ($3::text is null or l.entity = $3) and ${condition} order by l.id limit $4`,
		[policy, afterId, entity, limit],
	);
	return rows.map(({ body }) => linkOf(body));
}

/** Reads every document of the entity (see `link-document.ts`): asked only when many records were deleted at once. */
export async function countRecords(db: StoreDatabase, policy: string, entity: string): Promise<number> {
	const [row] = await db.query<{ count: number }>(
		`select count(*)::int as count from ${db.schema}.links l, json_extract_path(l.state, 'fields', $3) existence
		where l.policy = $1 and l.entity = $2 and coalesce(case json_typeof(existence)
			when 'array' then existence->>0 else existence->'merged'->>'canon' end, 'true') = 'true'`,
		[policy, entity, EXISTENCE],
	);
	return row?.count ?? 0;
}

/** A row of `links l`, for {@link linkOf}. */
function linkJson(schema: string): string {
	return `json_build_object('state', l.state, 'revision', l.revision, 'due', l.due, 'matches', (
			select coalesce(json_agg(m.match), '[]') from ${schema}.link_matches m
			where m.policy = l.policy and m.link = l.id))`;
}

function loadStatement(schema: string): string {
	return `with wanted as (
			select unnest($2::text[]) as id
			union select k.link from ${schema}.link_keys k where k.policy = $1 and k.key = any ($3::text[])
			union select m.link from ${schema}.link_matches m where m.policy = $1 and m.key = any ($4::text[])
		)
		select 'policy' as kind, ${POLICY_JSON} as body from ${policyTables(schema)} where p.name = $1
		union all
		select 'stream', ${STREAM_JSON} from ${schema}.streams s where s.policy = $1
		union all
		select 'link', ${linkJson(schema)}
		from wanted join ${schema}.links l on l.policy = $1 and l.id = wanted.id`;
}

function linkOf({ state, matches, ...link }: LinkRow): LoadedLink {
	return { ...link, state: unpackLink(state), matches: [...matches].sort() };
}
