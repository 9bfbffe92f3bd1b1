/**
 * The commit as functions of the database: one round trip, and each statement inside sees what
 * was committed while it waited for a lock. That needs the isolation level read committed, which
 * is the default; on a stricter one the database reports a conflict and nothing is committed.
 *
 * Two commits never wait for each other in a circle, because every commit takes its locks in the
 * same order: stream, links by id, the policy's identities, review items by id, the policy's
 * journal.
 *
 * `{schema}` stands for the quoted schema name, `{identities}` and `{journal}` for the classes of
 * the two advisory locks.
 */
export const COMMIT_TYPES = /* sql */ `
create type {schema}.commit_head as (
	ord integer, id text, entity text, generation integer, expected integer, due boolean, stop text, keys text[], yields text[]
);
-- A claim of a match key; a release when match is null.
create type {schema}.commit_claim as (ord integer, key text, match text);
`;

/**
 * Returns { stream: 'unknown' }, { stream: 'gap', position }, or { lost: [places in the request
 * that lost], position }. Nothing was written in the first two cases.
 */
export const COMMIT = /* sql */ `
create function {schema}.commit_links(
	p_policy text, p_system text, p_from text, p_to text, p_grace_ms integer, p_together boolean,
	p_heads json, p_states text, p_claims json,
	p_journal_ords integer[], p_journal_kinds text[], p_journal text, p_reviews json
) returns json language plpgsql as $commit$
declare
	v_heads {schema}.commit_head[] := array(select h from json_populate_recordset(null::{schema}.commit_head, p_heads) h);
	v_claims {schema}.commit_claim[] := array(select c from json_populate_recordset(null::{schema}.commit_claim, p_claims) c);
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
	perform {schema}.write_links(p_policy, v_heads, p_states, v_lost, v_now, p_grace_ms * interval '1 millisecond');
	perform {schema}.change_reviews(p_policy, p_reviews, v_lost, v_now);
	perform {schema}.write_journal(p_policy, v_heads, p_journal_ords, p_journal_kinds, p_journal, v_lost, v_now);
	if p_system is not null then
		update {schema}.streams s
		set position = greatest(s.position, least(p_to collate "C", (
			select min(coalesce(h.stop, p_from) collate "C") from unnest(v_heads) h where h.ord = any (v_lost))))
		where s.policy = p_policy and s.system = p_system
		returning s.position into v_position;
	end if;
	return json_build_object('lost', to_json(v_lost), 'position', v_position);
end $commit$;
`;

/** Locks the links that are to be changed, and says which have moved. */
export const MOVED_LINKS = /* sql */ `
create function {schema}.moved_links(p_policy text, p_heads {schema}.commit_head[])
returns integer[] language plpgsql as $moved$
declare
	v_lost integer[];
begin
	with locked as materialized (
		select l.id, l.revision from {schema}.links l
		where l.policy = p_policy and l.id = any (array(select h.id from unnest(p_heads) h where h.expected > 0))
		order by l.id for update
	), judged as (
		select h.ord,
			h.expected > 0 and locked.revision is distinct from h.expected as has_moved,
			h.ord > min(h.ord) over (partition by h.id) as is_repeated
		from unnest(p_heads) h left join locked on locked.id = h.id collate "C"
	)
	select array(select ord from judged where has_moved or is_repeated) into v_lost;
	return v_lost;
end $moved$;

-- New links that are there already; asked with the lock on identities, so that none can appear.
create function {schema}.existing_links(p_policy text, p_heads {schema}.commit_head[])
returns integer[] language plpgsql as $existing$
begin
	return array(
		select h.ord from unnest(p_heads) h join {schema}.links l on l.policy = p_policy and l.id = h.id
		where h.expected = 0);
end $existing$;
`;

/**
 * New links, new keys and match keys are judged and written under one lock of the policy. They
 * are rare after the first contact, and one lock cannot deadlock as one per key would.
 */
export const IDENTITIES = /* sql */ `
create function {schema}.touches_identity(
	p_policy text, p_heads {schema}.commit_head[], p_claims {schema}.commit_claim[]
) returns boolean language plpgsql as $touches$
begin
	return cardinality(p_claims) > 0 or exists (
		select 1 from unnest(p_heads) h
		left join {schema}.links l on l.policy = p_policy and l.id = h.id
		where h.expected = 0 or l.keys is distinct from h.keys);
end $touches$;

-- The keys that links in the running do not have yet; of links committed together, all that they do not yield.
create function {schema}.new_keys(p_policy text, p_heads {schema}.commit_head[], p_together boolean, p_lost integer[])
returns table (ord integer, id text, generation integer, key text) language plpgsql as $new$
begin
	return query
		select h.ord, h.id, h.generation, k.key
		from unnest(p_heads) h
		cross join unnest(h.keys) as k(key)
		left join {schema}.links l on l.policy = p_policy and l.id = h.id
		where h.ord <> all (p_lost)
			and case when p_together then k.key <> all (h.yields) else l.id is null or k.key <> all (l.keys) end;
end $new$;

create function {schema}.taken_identities(
	p_policy text, p_heads {schema}.commit_head[], p_claims {schema}.commit_claim[], p_together boolean, p_lost integer[]
) returns integer[] language plpgsql as $taken$
begin
	return array(
		select n.ord from (
			select nk.*, max(nk.generation) over (
				partition by nk.key order by nk.ord rows between unbounded preceding and 1 preceding) as claimed
			from {schema}.new_keys(p_policy, p_heads, p_together, p_lost) nk
			where not p_together
		) n
		left join {schema}.link_keys held on held.policy = p_policy and held.key = n.key and held.link <> n.id
		left join {schema}.links holder on holder.policy = p_policy and holder.id = held.link
		where n.claimed >= n.generation or (held.generation >= n.generation and n.key = any (holder.keys))
		union
		select c.ord from (
			select h.ord, h.id, c.key, first_value(h.ord) over (partition by c.key order by h.ord) as claimant
			from unnest(p_claims) c join unnest(p_heads) h on h.ord = c.ord
			where h.ord <> all (p_lost) and c.match is not null
		) c
		left join {schema}.link_matches held on held.policy = p_policy and held.key = c.key
		where c.claimant <> c.ord or (held.link <> c.id and not (p_together and exists (
			select 1 from unnest(p_claims) r join unnest(p_heads) giver on giver.ord = r.ord
			where r.key = c.key and r.match is null and giver.id = held.link collate "C"))));
end $taken$;

create function {schema}.take_identities(
	p_policy text, p_heads {schema}.commit_head[], p_claims {schema}.commit_claim[], p_together boolean, p_lost integer[]
) returns void language plpgsql as $take$
begin
	-- Of two generations that claim a key in one request, the key leads to the newer one.
	insert into {schema}.link_keys as held (policy, key, link, generation)
	select distinct on (n.key) p_policy, n.key, n.id, n.generation
	from {schema}.new_keys(p_policy, p_heads, p_together, p_lost) n
	order by n.key, n.generation desc, n.ord desc
	on conflict (policy, key) do update set link = excluded.link, generation = excluded.generation;

	delete from {schema}.link_matches m
	using unnest(p_claims) c join unnest(p_heads) h on h.ord = c.ord
	where m.policy = p_policy and m.key = c.key and m.link = h.id
		and c.match is null and h.ord <> all (p_lost);

	insert into {schema}.link_matches (policy, key, link, match)
	select p_policy, c.key, h.id, c.match::json
	from unnest(p_claims) c join unnest(p_heads) h on h.ord = c.ord
	where h.ord <> all (p_lost) and c.match is not null
	on conflict (policy, key) do nothing;
end $take$;
`;

export const WRITES = /* sql */ `
create function {schema}.write_links(
	p_policy text, p_heads {schema}.commit_head[], p_states text, p_lost integer[], p_now timestamptz, p_grace interval
) returns void language plpgsql as $write$
begin
	insert into {schema}.links as l (policy, id, entity, generation, revision, keys, state, due, wake_at)
	select p_policy, h.id, h.entity, h.generation, h.expected + 1, h.keys, s.state::json, h.due, p_now + p_grace
	from unnest(p_heads) h
	join string_to_table(p_states, e'\n') with ordinality as s(state, line) on s.line = h.ord + 1
	where h.ord <> all (p_lost)
	on conflict (policy, id) do update set
		entity = excluded.entity, generation = excluded.generation, revision = excluded.revision,
		keys = excluded.keys, state = excluded.state, due = excluded.due, wake_at = excluded.wake_at,
		wakes = 0, unattempted = 0;
end $write$;

create function {schema}.change_reviews(p_policy text, p_changes json, p_lost integer[], p_now timestamptz)
returns void language plpgsql as $reviews$
declare
	v record;
begin
	-- One after the other, because a request may open and close the same item.
	for v in
		select * from json_to_recordset(p_changes)
			as c(ord integer, n integer, id text, link text, kind text, item text, how text, closed_by text)
		where c.ord <> all (p_lost) order by c.id collate "C", c.n
	loop
		if v.how is not null then
			update {schema}.reviews r set state = v.how, closed_by = v.closed_by, updated_at = p_now
			where r.policy = p_policy and r.id = v.id and r.state = 'open';
		else
			insert into {schema}.reviews as r (policy, id, link, kind, state, item, opened_at, updated_at)
			values (p_policy, v.id, v.link, v.kind, 'open', v.item::json, p_now, p_now)
			on conflict (policy, id) do update set
				link = excluded.link, kind = excluded.kind, state = 'open', item = excluded.item,
				opened_at = case when r.state = 'open' then r.opened_at else excluded.opened_at end,
				updated_at = excluded.updated_at, closed_by = null;
		end if;
	end loop;
end $reviews$;

-- Under a lock until the commit is visible, so that entries appear in the order of their numbers
-- and a reader who goes on after the last number he saw misses none.
create function {schema}.write_journal(
	p_policy text, p_heads {schema}.commit_head[], p_ords integer[], p_kinds text[], p_entries text,
	p_lost integer[], p_now timestamptz
) returns void language plpgsql as $journal$
begin
	if cardinality(p_ords) = 0 then
		return;
	end if;
	perform pg_advisory_xact_lock({journal}, hashtext(p_policy));
	insert into {schema}.journal (policy, link, revision, at, kind, entry)
	select p_policy, h.id, h.expected + 1, p_now, j.kind, j.entry::json
	from unnest(p_ords, p_kinds, string_to_array(p_entries, e'\n')) with ordinality as j(ord, kind, entry, n)
	join unnest(p_heads) h on h.ord = j.ord
	where j.ord <> all (p_lost)
	order by j.n;
end $journal$;
`;
