import { indexable } from './identity-text';
import type { StoreDatabase } from './postgres-database';
import type { Taken, TakeRequest } from './token-bucket';

/**
 * Migration 6: buckets of tokens. The function does what `takeFrom` does, under the bucket's row lock; a clock that
 * goes back gives no tokens, and takes none.
 */
export const BUCKETS = /* sql */ `
create table {schema}.buckets (
	name   text collate "C" primary key,
	tokens double precision not null,
	at     timestamptz not null,
	paused_until timestamptz not null default '-infinity'
);

create function {schema}.take_tokens(
	p_name text, p_wanted double precision, p_capacity double precision, p_per_second double precision
) returns table (granted double precision, wait_ms double precision) language plpgsql as $take$
declare
	b {schema}.buckets;
	v_now timestamptz;
	v_there double precision;
begin
	insert into {schema}.buckets (name, tokens, at) values (p_name, coalesce(p_capacity, 0), clock_timestamp())
	on conflict do nothing;
	select * into b from {schema}.buckets k where k.name = p_name for update;
	-- Read under the lock, so that the bucket's time never lies ahead of it.
	v_now := clock_timestamp();
	granted := 0;
	wait_ms := 0;
	if b.paused_until > v_now then
		wait_ms := extract(epoch from b.paused_until - v_now) * 1000;
		return next;
		return;
	end if;
	if p_capacity is null then
		granted := p_wanted;
		v_there := b.tokens;
	else
		v_there := least(p_capacity, b.tokens + greatest(0, extract(epoch from v_now - b.at)) * p_per_second);
		granted := least(p_wanted, floor(v_there + 1e-6));
		v_there := greatest(0, v_there - granted);
		if granted < p_wanted then wait_ms := (1 - v_there) / p_per_second * 1000; end if;
	end if;
	update {schema}.buckets k set tokens = v_there, at = v_now where k.name = p_name;
	return next;
end $take$;
`;

export async function take(db: StoreDatabase, requests: readonly TakeRequest[]): Promise<readonly Taken[]> {
	if (requests.length === 0) return [];
	// In the order of the names, so that two callers never wait for each other.
	const rows = await db.query<{ granted: string; wait_ms: string }>(
		`with asked as materialized (
			select * from unnest($1::text[], $2::float8[], $3::float8[], $4::float8[])
				with ordinality as a(name, wanted, capacity, per_second, ord)
			order by a.name, ord
		), taken as materialized (
			select asked.ord, t.granted, t.wait_ms
			from asked cross join lateral ${db.schema}.take_tokens(name, wanted, capacity, per_second) t
		)
		select granted, wait_ms from taken order by ord`,
		[
			requests.map(({ bucket }) => indexable(bucket)),
			requests.map(({ wanted }) => wanted),
			requests.map(({ rate }) => rate?.capacity ?? null),
			requests.map(({ rate }) => rate?.perSecond ?? null),
		],
	);
	return rows.map(({ granted, wait_ms }) => ({ granted: Number(granted), waitMs: Number(wait_ms) }));
}

export async function pause(db: StoreDatabase, bucket: string, forMs: number): Promise<void> {
	await db.query(
		`insert into ${db.schema}.buckets as b (name, tokens, at, paused_until)
		select $1, 0, t.until, t.until
		from (select clock_timestamp() + $2 * interval '1 millisecond' as until) t
		on conflict (name) do update set tokens = 0, at = excluded.at, paused_until = excluded.paused_until
		where b.paused_until < excluded.paused_until`,
		[indexable(bucket), forMs],
	);
}
