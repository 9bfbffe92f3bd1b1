import type { LinkState } from '../core/link';
import { type LinkDocument, unpackLink } from './link-document';
import type { StoreDatabase } from './postgres-database';
import type { DatesRequest } from './sync-store';

/**
 * Migration 4: when records will count as deleted by a date in their row (`LinkState.dates`). A process of an older
 * version says nothing of it, and knows no policy that asks.
 */
export const DATES = /* sql */ `
create table {schema}.link_dates (
	policy text collate "C" not null,
	system text collate "C" not null,
	at_ms  double precision not null,
	link   text collate "C" not null,
	primary key (policy, system, link)
);
create index link_dates_time on {schema}.link_dates (policy, system, at_ms);
create index link_dates_link on {schema}.link_dates (policy, link);

alter type {schema}.commit_head add attribute date_systems text[];
alter type {schema}.commit_head add attribute date_times double precision[];

create or replace function {schema}.write_links(
	p_policy text, p_heads {schema}.commit_head[], p_states text, p_lost integer[], p_now timestamptz, p_grace interval
) returns void language plpgsql as $write$
begin
	insert into {schema}.links as l (policy, id, entity, generation, revision, keys, state, due, wake_at)
	select p_policy, h.id, h.entity, h.generation, h.expected + 1, h.keys, s.state::json, h.due, p_now + p_grace
	from unnest(p_heads) h
	join string_to_table(p_states, e'\\n') with ordinality as s(state, line) on s.line = h.ord + 1
	where h.ord <> all (p_lost)
	on conflict (policy, id) do update set
		entity = excluded.entity, generation = excluded.generation, revision = excluded.revision,
		keys = excluded.keys, state = excluded.state, due = excluded.due, wake_at = excluded.wake_at,
		wakes = 0, unattempted = 0;
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

export async function findPassed(db: StoreDatabase, { policy, system, untilMs, limit }: DatesRequest): Promise<readonly LinkState[]> {
	const rows = await db.query<{ state: LinkDocument }>(
		`select l.state from ${db.schema}.link_dates d
		join ${db.schema}.links l on l.policy = d.policy and l.id = d.link
		where d.policy = $1 and d.system = $2 and d.at_ms <= $3 order by d.at_ms, d.link limit $4`,
		[policy, system, untilMs, limit],
	);
	return rows.map(({ state }) => unpackLink(state));
}
