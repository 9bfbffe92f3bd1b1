import { formatLsn, parseLsn } from '../core/lsn';
import type { RedisDatabase } from './redis-database';
import { BYTEWISE, policyWriting } from './redis-lua';
import { streamUnknown } from './stream-errors';
import type { StreamId, StreamRecord, StreamRegistration, TableReading } from './stream-record';

/** Fields of the hash `streams` and their values, by turns. */
export type StreamReply = readonly string[];

/** `streams()` */
export const STREAMS = /* lua */ `
local function streams()
	return redis.call('HGETALL', K.streams)
end
`;

/** Arguments: system, registration, start, columns or nothing. */
const REGISTER = policyWriting(['streams'], BYTEWISE, STREAMS, /* lua */ `
local known = redis.call('HGET', K.streams, 'position:' .. ARGV[1])
redis.call('HSET', K.streams, 'registration:' .. ARGV[1], ARGV[2])
if not known or before(known, ARGV[3]) then redis.call('HSET', K.streams, 'position:' .. ARGV[1], ARGV[3]) end
if ARGV[4] ~= '' then redis.call('HSET', K.streams, 'columns:' .. ARGV[1], ARGV[4]) end
return streams()
`);

export async function registerStream(db: RedisDatabase, registration: StreamRegistration): Promise<StreamRecord> {
	const { policy, system, columns, ...rest } = registration;
	const given = [system, JSON.stringify(rest), rest.start, columns ? JSON.stringify(columns) : ''];
	const record = streamsOf(policy, await db.policy<StreamReply>(policy, REGISTER, given))[system];
	if (!record) throw new TypeError('a stream was registered that is not there');
	return record;
}

/** Arguments: system, sixteen hexadecimal digits. @returns 0 when the stream is unknown */
const ACKNOWLEDGE = policyWriting(['streams'], BYTEWISE, /* lua */ `
if redis.call('HEXISTS', K.streams, 'registration:' .. ARGV[1]) == 0 then return 0 end
local known = redis.call('HGET', K.streams, 'acknowledged:' .. ARGV[1])
if not known or before(known, ARGV[2]) then redis.call('HSET', K.streams, 'acknowledged:' .. ARGV[1], ARGV[2]) end
return 1
`);

export async function recordAcknowledged(db: RedisDatabase, { policy, system }: StreamId, lsn: string): Promise<void> {
	const digits = parseLsn(lsn).toString(16).padStart(16, '0');
	if ((await db.policy<number>(policy, ACKNOWLEDGE, [system, digits])) === 0) throw streamUnknown({ policy, system });
}

type Registered = Omit<StreamRegistration, 'policy' | 'system' | 'columns'>;

/** By system. */
export function streamsOf(policy: string, reply: StreamReply): Record<string, StreamRecord> {
	const values = new Map<string, string>();
	for (let place = 0; place < reply.length; place += 2) values.set(reply[place] ?? '', reply[place + 1] ?? '');
	const systems = [...values.keys()].flatMap((name) => (name.startsWith('registration:') ? [name.slice('registration:'.length)] : []));
	return Object.fromEntries(systems.map((system) => [system, recordOf({ policy, system }, values)]));
}

function recordOf({ policy, system }: StreamId, values: ReadonlyMap<string, string>): StreamRecord {
	const registered = JSON.parse(values.get(`registration:${system}`) ?? '{}') as Registered;
	const columns = values.get(`columns:${system}`);
	const acknowledged = values.get(`acknowledged:${system}`);
	const reading: readonly TableReading[] | null = registered.reading ?? null;
	return {
		...registered,
		policy,
		system,
		reading,
		columns: columns === undefined ? null : (JSON.parse(columns) as string[]),
		position: values.get(`position:${system}`) ?? registered.start,
		acknowledgedLsn: acknowledged === undefined ? null : formatLsn(BigInt(`0x${acknowledged}`)),
	};
}
