import { startRedis, type RedisServer } from '../support/redis-server';
import { elapse, flush, redisClient } from '../support/redis-store-home';
import { GRACE_MS } from './contract/store-under-test';
import { describeStoreContract } from './store-contract';

let server: RedisServer;
beforeAll(async () => {
	server = await startRedis();
});
afterAll(() => server.stop());

describeStoreContract('RedisStore', async () => {
	await flush(server);
	const clients = [redisClient(server, { graceMs: GRACE_MS })];
	const [store] = clients;
	if (!store) throw new TypeError('no client');
	await store.migrate();
	return {
		store,
		another: async () => {
			const another = redisClient(server, { graceMs: GRACE_MS });
			clients.push(another);
			return another;
		},
		elapse: (ms) => elapse(server, ms),
		close: async () => {
			await Promise.all(clients.map((each) => each.close()));
		},
	};
});
