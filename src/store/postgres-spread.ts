import { MAX_WOKEN } from './sync-store';

/**
 * Migration 3: what links wait for, so that whoever brings it wakes them; and by what records that have no
 * counterpart yet are found by those that resemble them. A process of an older version says nothing of either.
 *
 * A commit locks the links that it will wake together with its own, in the order of their ids, so that
 * commits still never wait for each other in a circle.
 */
export const SPREAD = /* sql */ `
create table {schema}.link_waits (
	policy text collate "C" not null,
	target text collate "C" not null,
	link   text collate "C" not null,
	primary key (policy, target, link)
);
create index link_waits_link on {schema}.link_waits (policy, link);

create table {schema}.link_alike (
	policy   text collate "C" not null,
	block    text collate "C" not null,
	link     text collate "C" not null,
	likeness json not null,
	primary key (policy, block, link)
);
create index link_alike_link on {schema}.link_alike (policy, link);

alter type {schema}.commit_head add attribute waits text[];
alter type {schema}.commit_head add attribute tells text[];
alter type {schema}.commit_head add attribute blocks text[];
alter type {schema}.commit_head add attribute likeness text;

-- The links outside of the request that wait for what its links tell, but for those that lost.
create function {schema}.waiting_links(p_policy text, p_heads {schema}.commit_head[], p_lost integer[])
returns text[] language plpgsql as $waiting$
begin
	return array(
		select distinct w.link from unnest(p_heads) h cross join unnest(h.tells) as told(target)
		join {schema}.link_waits w on w.policy = p_policy and w.target = told.target collate "C"
		where h.ord <> all (p_lost) and w.link <> all (array(select own.id from unnest(p_heads) own))
		order by w.link limit ${MAX_WOKEN});
end $waiting$;

create function {schema}.lock_waiting(p_policy text, p_heads {schema}.commit_head[])
returns text[] language plpgsql as $lock$
declare
	v_waiting text[];
begin
	if not exists (select 1 from unnest(p_heads) h where cardinality(h.tells) > 0) then
		return '{}';
	end if;
	v_waiting := {schema}.waiting_links(p_policy, p_heads, '{}');
	if cardinality(v_waiting) > 0 then
		perform 1 from {schema}.links l
		where l.policy = p_policy
			and l.id = any (v_waiting || array(select h.id from unnest(p_heads) h where h.expected > 0))
		order by l.id for update;
	end if;
	return v_waiting;
end $lock$;

create function {schema}.spread(
	p_policy text, p_heads {schema}.commit_head[], p_lost integer[], p_locked text[], p_wake_at timestamptz
) returns text[] language plpgsql as $spread$
declare
	v_woken text[] := '{}';
begin
	if cardinality(p_locked) > 0 then
		v_woken := array(
			select w from unnest({schema}.waiting_links(p_policy, p_heads, p_lost)) w
			where w = any (p_locked) order by w collate "C");
		update {schema}.links l
		set revision = l.revision + 1, due = true, wake_at = p_wake_at, wakes = 0, unattempted = 0
		where l.policy = p_policy and l.id = any (v_woken);
	end if;
	if exists (select 1 from unnest(p_heads) h where h.waits is not null) then
		delete from {schema}.link_waits w using unnest(p_heads) h
		where w.policy = p_policy and w.link = h.id and h.waits is not null and h.ord <> all (p_lost);
		insert into {schema}.link_waits (policy, target, link)
		select p_policy, t.target, h.id from unnest(p_heads) h cross join unnest(h.waits) as t(target)
		where h.ord <> all (p_lost) on conflict do nothing;
	end if;
	if exists (select 1 from unnest(p_heads) h where h.blocks is not null) then
		delete from {schema}.link_alike a using unnest(p_heads) h
		where a.policy = p_policy and a.link = h.id and h.blocks is not null and h.ord <> all (p_lost);
		insert into {schema}.link_alike (policy, block, link, likeness)
		select p_policy, b.block, h.id, h.likeness::json from unnest(p_heads) h cross join unnest(h.blocks) as b(block)
		where h.ord <> all (p_lost) on conflict do nothing;
	end if;
	return v_woken;
end $spread$;

create or replace function {schema}.commit_links(
	p_policy text, p_system text, p_from text, p_to text, p_grace_ms integer, p_together boolean,
	p_heads json, p_states text, p_claims json,
	p_journal_ords integer[], p_journal_kinds text[], p_journal text, p_reviews json
) returns json language plpgsql as $commit$
declare
	v_heads {schema}.commit_head[] := array(select h from json_populate_recordset(null::{schema}.commit_head, p_heads) h);
	v_claims {schema}.commit_claim[] := array(select c from json_populate_recordset(null::{schema}.commit_claim, p_claims) c);
	v_grace interval := p_grace_ms * interval '1 millisecond';
	v_waiting text[];
	v_woken text[];
	v_lost integer[];
	v_touches boolean;
	v_now timestamptz;
	v_position text collate "C";
begin
	if p_system is not null then
		select s.position into v_position from {schema}.streams s
		where s.policy = p_policy and s.system = p_system for update;
		if not found then
			return json_build_object('stream', 'unknown');
		elsif v_position < p_from collate "C" then
			return json_build_object('stream', 'gap', 'position', v_position);
		end if;
	end if;
	v_waiting := {schema}.lock_waiting(p_policy, v_heads);
	v_lost := {schema}.moved_links(p_policy, v_heads);
	v_touches := {schema}.touches_identity(p_policy, v_heads, v_claims);
	if v_touches then
		perform pg_advisory_xact_lock({identities}, hashtext(p_policy));
		v_lost := v_lost || {schema}.existing_links(p_policy, v_heads);
		v_lost := v_lost || {schema}.taken_identities(p_policy, v_heads, v_claims, p_together, v_lost);
	end if;
	if p_together and cardinality(v_lost) > 0 then
		v_lost := array(select h.ord from unnest(v_heads) h);
	end if;
	if v_touches then
		perform {schema}.take_identities(p_policy, v_heads, v_claims, p_together, v_lost);
	end if;
	-- Not now(): that is when this transaction began, before it waited.
	v_now := clock_timestamp();
	perform {schema}.write_links(p_policy, v_heads, p_states, v_lost, v_now, v_grace);
	v_woken := {schema}.spread(p_policy, v_heads, v_lost, v_waiting, v_now + v_grace);
	perform {schema}.change_reviews(p_policy, p_reviews, v_lost, v_now);
	perform {schema}.write_journal(p_policy, v_heads, p_journal_ords, p_journal_kinds, p_journal, v_lost, v_now);
	if p_system is not null then
		update {schema}.streams s
		set position = greatest(s.position, least(p_to collate "C", (
			select min(coalesce(h.stop, p_from) collate "C") from unnest(v_heads) h where h.ord = any (v_lost))))
		where s.policy = p_policy and s.system = p_system
		returning s.position into v_position;
	end if;
	return json_build_object('lost', to_json(v_lost), 'position', v_position, 'woken', to_json(v_woken));
end $commit$;
`;
