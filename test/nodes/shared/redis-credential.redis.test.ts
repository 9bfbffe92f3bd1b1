import type { ICredentialTestFunctions } from 'n8n-workflow';

import { credentialTest } from '../../../nodes/shared/credential-tests';
import { openStore } from '../../../nodes/shared/open-store';
import { openRedis } from '../../../src/store/redis-connect';
import { type RedisServer, startRedis } from '../../support/redis-server';
import { redisSettings } from '../../support/redis-store-home';

let server: RedisServer;
beforeAll(async () => {
	server = await startRedis();
});
afterAll(() => server.stop());

const credential = () => ({ backend: 'redis', host: server.host, redisPort: server.port, redisPrefix: 'given' });
const press = async (data: object) =>
	await credentialTest.testSyncStore.call({} as ICredentialTestFunctions, { id: '', name: '', type: '', data: { ...data } });

async function configure(name: string, value: string): Promise<void> {
	const admin = openRedis(redisSettings(server));
	await admin.config('SET', name, value);
	admin.disconnect();
}

test('the nodes find the store that the credential names', async () => {
	const { value: store, release } = await openStore(credential());
	expect(await store.publishPolicy({ name: 'p', document: {}, hash: 'h', by: 'x', initialMode: 'live' })).toMatchObject({ version: 1 });
	await store.close();
	release();
	const admin = openRedis(redisSettings(server));
	expect(await admin.exists('{given:p}:policy')).toBe(1);
	admin.disconnect();
});

test('the button Test says what a server may lose, and what it cannot be used for', async () => {
	const { status, message } = await press(credential());
	expect(status).toBe('OK');
	expect(message).toMatch(/^Connected to Redis \d+\..*set appendonly yes/);
	const keeping = await startRedis({ keeps: true });
	expect((await press({ ...credential(), redisPort: keeping.port })).message).not.toContain('appendonly');
	await keeping.stop();
	await configure('maxmemory-policy', 'volatile-lru');
	expect(await press(credential())).toMatchObject({
		status: 'Error',
		message: expect.stringContaining('CONFIG SET maxmemory-policy noeviction') as string,
	});
	await configure('maxmemory-policy', 'noeviction');
	expect(await press({ ...credential(), redisPort: 1 })).toMatchObject({
		status: 'Error',
		message: expect.stringContaining('cannot be reached: connect ECONNREFUSED') as string,
	});
});
