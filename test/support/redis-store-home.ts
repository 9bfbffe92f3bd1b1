import { openRedis } from '../../src/store/redis-connect';
import { RedisStore, type RedisStoreOptions } from '../../src/store/redis-store';
import type { RedisServer } from './redis-server';

/** Where a test server is, as the store is told. */
export function redisSettings({ host, port }: Pick<RedisServer, 'host' | 'port'>) {
	return { host, port, user: '', password: '', database: 0, tls: { mode: 'disable' } } as const;
}

/** A client with a connection of its own; nothing is sent yet. */
export function redisClient(server: Pick<RedisServer, 'host' | 'port'>, options: RedisStoreOptions = {}): RedisStore {
	return new RedisStore(openRedis(redisSettings(server)), options);
}

/** The server's clock cannot be moved, so everything that waits for it is. */
const ELAPSE = `
for _, key in ipairs(redis.call('KEYS', '*:due')) do
	for _, id in ipairs(redis.call('ZRANGE', key, 0, -1)) do redis.call('ZINCRBY', key, -ARGV[1], id) end
end
for _, key in ipairs(redis.call('KEYS', '*:claim:*')) do
	local head, untilMs = redis.call('GET', key):match('^(.*) (%d+)$')
	redis.call('SET', key, head .. ' ' .. string.format('%d', untilMs - math.ceil(ARGV[1])), 'KEEPTTL')
end
for _, key in ipairs(redis.call('KEYS', '*:bucket')) do
	local tokens, at, pausedUntil = redis.call('GET', key):match('^(%S+) (%S+) (%S+)$')
	redis.call('SET', key, string.format('%s %.17g %.17g', tokens, at - ARGV[1], pausedUntil - ARGV[1]), 'KEEPTTL')
end
for _, key in ipairs(redis.call('KEYS', '*:sampled')) do
	local values = key:gsub('sampled$', 'samples')
	for _, old in ipairs(redis.call('ZRANGE', key, 0, -1)) do
		local place, at = old:match('^(.*%z)(%d+)$')
		if tonumber(at) > 0 then
			local new = place .. string.format('%016.0f', at - ARGV[1])
			redis.call('ZREM', key, old)
			redis.call('ZADD', key, 0, new)
			redis.call('HSET', values, new, redis.call('HGET', values, old))
			redis.call('HDEL', values, old)
		end
	end
end`;

export async function elapse(server: Pick<RedisServer, 'host' | 'port'>, ms: number): Promise<void> {
	const client = openRedis(redisSettings(server));
	await client.eval(ELAPSE, 0, ms);
	client.disconnect();
}

/** Forgets all there is on the server. */
export async function flush(server: Pick<RedisServer, 'host' | 'port'>): Promise<void> {
	const client = openRedis(redisSettings(server));
	await client.flushall();
	client.disconnect();
}
