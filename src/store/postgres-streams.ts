import type { StoreDatabase } from './postgres-database';
import { streamUnknown } from './stream-errors';
import type { StreamId, StreamRecord, StreamRegistration } from './stream-record';

/** A stream as a JSON object, from the alias `s`. */
export const STREAM_JSON = `json_build_object(
	'policy', s.policy, 'system', s.system, 'slot', s.slot, 'systemId', s.system_id, 'timeline', s.timeline,
	'filterHash', s.filter_hash, 'start', s.start, 'snapshot', s.snapshot, 'position', s.position,
	'reading', s.reading, 'columns', s.columns,
	'acknowledgedLsn', s.acknowledged::text)`;

export async function registerStream(
	db: StoreDatabase,
	registration: StreamRegistration,
): Promise<StreamRecord> {
	const { policy, system, slot, systemId, timeline, filterHash, start, snapshot, reading = null, columns = null } = registration;
	const [row] = await db.query<{ stream: StreamRecord }>(
		`insert into ${db.schema}.streams as s
			(policy, system, slot, system_id, timeline, filter_hash, start, snapshot, position, reading, columns)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $7, $9, $10)
		on conflict (policy, system) do update set
			slot = excluded.slot, system_id = excluded.system_id, timeline = excluded.timeline,
			filter_hash = excluded.filter_hash, start = excluded.start, snapshot = excluded.snapshot,
			reading = excluded.reading, columns = coalesce(excluded.columns, s.columns), position = greatest(s.position, excluded.position)
		returning ${STREAM_JSON} as stream`,
		[policy, system, slot, systemId, timeline, filterHash, start, snapshot, reading && JSON.stringify(reading), columns],
	);
	if (!row) throw new TypeError('an upsert returned no row');
	return row.stream;
}

export async function recordAcknowledged(
	db: StoreDatabase,
	{ policy, system }: StreamId,
	lsn: string,
): Promise<void> {
	const rows = await db.query(
		`update ${db.schema}.streams set acknowledged = greatest(acknowledged, $3::pg_lsn)
		where policy = $1 and system = $2 returning 1`,
		[policy, system, lsn],
	);
	if (rows.length === 0) throw streamUnknown({ policy, system });
}
