import { POLICY, commit, commitOf, link } from './contract/store-under-test';
import { describeLoss } from './contract/loss-contract';
import { type RedisServer, startRedis } from '../support/redis-server';
import { flush, redisClient } from '../support/redis-store-home';
import type { RedisStore } from '../../src/store/redis-store';
import { waitUntil } from '../support/wait-until';

let server: RedisServer;
beforeAll(async () => {
	server = await startRedis({ keeps: true });
});
afterAll(() => server.stop());

const clients: RedisStore[] = [];
function client(): RedisStore {
	const store = redisClient(server);
	clients.push(store);
	return store;
}
const close = async () => {
	await Promise.all(clients.splice(0).map((each) => each.close()));
};

describeLoss('RedisStore', async () => {
	await flush(server);
	return {
		store: client(),
		another: async () => client(),
		restart: async () => {
			await server.halt('kill');
			await server.start();
		},
		lose: () => flush(server),
		close,
	};
});

describe('RedisStore', () => {
	afterEach(close);

	const publish = { name: POLICY, document: {}, hash: 'h', by: 'x', initialMode: 'live' as const };
	const epochOf = async (store: RedisStore) => {
		let epoch = 0;
		await waitUntil('the store to answer', async () => {
			epoch = (await store.load({ policy: POLICY }).catch(() => null))?.policy?.epoch ?? 0;
			return epoch > 0;
		});
		return epoch;
	};

	test('every start of the server begins an epoch, once for all clients, because the last writes may be gone', async () => {
		await flush(server);
		const [one, two] = [client(), client()];
		await one.migrate();
		const { epoch } = await one.publishPolicy(publish);
		expect([epoch, await epochOf(two)]).toEqual([1, 1]);
		await server.halt('kill');
		await server.start();
		const [after, other] = await Promise.all([epochOf(one), epochOf(two)]);
		expect(after).toBeGreaterThan(epoch);
		expect(other).toBe(after);
		expect(await epochOf(client())).toBe(after);
		expect(await commit(one, [commitOf(link('l1'))])).toEqual(['committed']);
	});
});
