import { EchoFilter } from '../../../nodes/EchoFilter/EchoFilter.node';
import { openStore, provideStore, withStore } from '../../../nodes/shared/open-store';
import { MemoryStore } from '../../../src/store/memory-store';
import { executeNode } from '../../support/fake-execute';
import { freePort } from '../../support/free-port';

const credential = { host: 'own', database: 'd', user: 'u', password: 'p' };

test('a provided store is found under its credential, with or without the defaults spelled out', async () => {
	const store = new MemoryStore({ now: () => 0 });
	const end = provideStore(credential, store);
	const spelled = {
		...credential,
		port: 5432,
		schema: 'n8n_bisync',
		ssl: 'disable',
		maxConnections: 5,
		backend: 'postgres',
	};
	const found = await withStore({ getCredentials: async () => spelled }, async (given) => given);
	expect(found).toBe(store);
	end();
});

test('a store that is down fails the node with what could not be reached and what to check', async () => {
	const down = { ...credential, host: '127.0.0.1', port: await freePort() };
	const run = executeNode(new EchoFilter(), {
		items: [{ json: { a: 1 } }],
		credentials: { bisyncStoreApi: down },
	});
	await expect(run).rejects.toMatchObject({
		message: expect.stringContaining(`Cannot reach the sync store on 127.0.0.1:${down.port}`),
		description: expect.stringContaining('sync store'),
	});
});

test('a store that was down is tried again by the next execution', async () => {
	const down = { ...credential, host: '127.0.0.1', port: await freePort() };
	await expect(openStore(down)).rejects.toMatchObject({ code: 'STORE_UNREACHABLE' });
	const end = provideStore(down, new MemoryStore({ now: () => 0 }));
	await expect(openStore(down)).resolves.toBeDefined();
	end();
});

test.each([
	[{ host: '' }, '"Host" must not be empty'],
	[{ port: 'x' }, '"Port" must be a whole number of at least 1, not "x"'],
	[{ ssl: 'maybe' }, '"SSL" must be one of disable, require, verify-full, not "maybe"'],
	[{ maxConnections: 0 }, '"Max Connections" must be a whole number of at least 1, not 0'],
	[{ schema: ' ' }, '"Schema" must not be empty'],
])('a credential with %j is refused by the label of the field', async (wrong, message) => {
	await expect(openStore({ ...credential, ...wrong })).rejects.toMatchObject({
		code: 'INVALID_SETTING',
		message,
	});
});
