import { openRedis } from '../../src/store/redis-connect';
import { freePort } from '../support/free-port';
import { startRedis, type RedisServer } from '../support/redis-server';
import { elapse, flush, redisClient, redisSettings } from '../support/redis-store-home';
import { waitUntil } from '../support/wait-until';
import { GRACE_MS } from './contract/store-under-test';
import { describeStoreContract } from './store-contract';

describe.each([
	['one server', startRedis],
	// It refuses scripts whose keys lie in different slots.
	['a node that has all slots of a cluster', startCluster],
])('on %s', (_, start) => {
	let server: RedisServer;
	beforeAll(async () => {
		server = await start();
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
});

async function startCluster(): Promise<RedisServer> {
	const server = await startRedis({ options: ['--cluster-enabled', 'yes', '--cluster-port', String(await freePort())] });
	const admin = openRedis(redisSettings(server));
	await admin.call('CLUSTER', 'ADDSLOTSRANGE', '0', '16383');
	await waitUntil('the cluster to be ready', async () => String(await admin.cluster('INFO')).includes('cluster_state:ok'));
	admin.disconnect();
	return server;
}
