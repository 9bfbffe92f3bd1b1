import { type RedisServer, startRedis } from '../support/redis-server';
import { redisClient } from '../support/redis-store-home';
import { expectAgreement } from './contract/store-agreement';

let server: RedisServer;
let stores = 0;
beforeAll(async () => {
	server = await startRedis();
});
afterAll(() => server.stop());

test('any sequence of commits, versions, modes and streams has the same outcome in memory and in Redis', async () => {
	await expectAgreement(async () => {
		const redis = redisClient(server, { prefix: `s${stores++}` });
		await redis.migrate();
		return redis;
	});
});
