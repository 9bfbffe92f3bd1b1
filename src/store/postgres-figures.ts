import type { StoreDatabase } from './postgres-database';
import { type FiguresRequest, KEPT_MS, MAX_DUE_COUNTED, MAX_WAITING, type Sample, type SampleFilter, type StoreFigures } from './store-figures';

/** Migration 8: figures that are kept over time. */
export const SAMPLES = /* sql */ `
create table {schema}.samples (
	policy text collate "C" not null,
	series text collate "C" not null,
	grain  text not null,
	at_ms  double precision not null,
	sample json not null,
	primary key (policy, grain, series, at_ms)
);
`;

/**
 * One statement. Due links are found by their index, items by theirs, and of the journal only what has come since the last
 * look is read: entries of a policy are numbered in the order of their commits, so none is missed.
 */
export async function readFigures(db: StoreDatabase, { policy, afterSeq }: FiguresRequest): Promise<StoreFigures> {
	const [row] = await db.query<{ figures: StoreFigures }>(
		`with waiting as (
			select l.wake_at, l.wakes, l.state from ${db.schema}.links l
			where l.policy = $1 and l.due order by l.wakes desc, l.wake_at limit $3
		), questions as (
			select r.kind, count(*) as count, ${milliseconds('min(r.opened_at)')} as oldest from ${db.schema}.reviews r
			where r.policy = $1 and r.state = 'open' group by r.kind
		), entries as (
			select j.kind, count(*) as count, max(j.seq) as last from ${db.schema}.journal j
			where j.policy = $1 and j.seq > $2::bigint group by j.kind
		)
		select json_build_object(
			'nowMs', ${milliseconds('clock_timestamp()')},
			'due', json_build_object(
				'count', (select count(*) from (select from ${db.schema}.links l where l.policy = $1 and l.due limit $4) due),
				'waiting', (select coalesce(json_agg(json_build_object(
					'wakeAtMs', ${milliseconds('w.wake_at')}, 'wakes', w.wakes,
					'inFlight', (select coalesce(json_agg(system order by system collate "C"), '[]') from json_object_keys(w.state->'inFlight') system)
				) order by w.wakes desc, w.wake_at), '[]') from waiting w)),
			'reviews', (select coalesce(json_agg(json_build_object('kind', q.kind, 'count', q.count, 'oldestAtMs', q.oldest) order by q.kind collate "C"), '[]') from questions q),
			'journal', json_build_object(
				'lastSeq', coalesce(
					(select max(last) from entries), $2::bigint,
					(select j.seq from ${db.schema}.journal j where j.policy = $1 order by j.seq desc limit 1), 0)::text,
				'counts', (select coalesce(json_object_agg(e.kind, e.count), '{}') from entries e))
		) as figures`,
		[policy, afterSeq, MAX_WAITING, MAX_DUE_COUNTED],
	);
	if (!row) throw new TypeError('a statement that always gives a row gave none');
	return row.figures;
}

const milliseconds = (time: string): string => `floor(extract(epoch from ${time}) * 1000)`;

export async function keepSamples(db: StoreDatabase, policy: string, samples: readonly Sample[]): Promise<void> {
	if (samples.length === 0) return;
	await db.query(
		`with forgotten as (
			delete from ${db.schema}.samples s using (values ('minute', $6::float8), ('hour', $7::float8)) as kept (grain, ms)
			where s.policy = $1 and s.grain = kept.grain and s.at_ms < extract(epoch from clock_timestamp()) * 1000 - kept.ms
		)
		insert into ${db.schema}.samples (policy, series, grain, at_ms, sample)
		select $1, t.series, t.grain, t.at_ms, t.sample::json
		from unnest($2::text[], $3::text[], $4::float8[], $5::text[]) as t (series, grain, at_ms, sample)
		where t.grain = 'last' or t.at_ms >= extract(epoch from clock_timestamp()) * 1000 - case t.grain when 'minute' then $6::float8 else $7::float8 end
		on conflict (policy, grain, series, at_ms) do update set sample = excluded.sample`,
		[
			policy,
			samples.map(({ series }) => series),
			samples.map(({ grain }) => grain),
			samples.map(({ atMs }) => atMs),
			samples.map(({ values }) => JSON.stringify(values)),
			KEPT_MS.minute,
			KEPT_MS.hour,
		],
	);
}

export async function readSamples(db: StoreDatabase, { policy, grain, series, fromMs = 0 }: SampleFilter): Promise<readonly Sample[]> {
	const rows = await db.query<Pick<Sample, 'series' | 'values'> & { readonly at: string }>(
		`select s.series, s.at_ms as at, s.sample as values from ${db.schema}.samples s
		where s.policy = $1 and s.grain = $2 and ($3::text is null or s.series = $3) and s.at_ms >= $4 order by s.series, s.at_ms`,
		[policy, grain, series, fromMs],
	);
	return rows.map(({ at, ...row }) => ({ ...row, grain, atMs: Number(at) }));
}
