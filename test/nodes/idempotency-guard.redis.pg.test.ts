import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

import { provideStore, storeOf } from '../../nodes/shared/open-store';
import { storeSettings } from '../../nodes/shared/connection-settings';
import { IdempotencyGuard } from '../../nodes/IdempotencyGuard/IdempotencyGuard.node';
import { executeNode } from '../support/fake-execute';
import { storeCredential } from '../support/fake-trigger-context';
import { findings } from '../support/node-lab';
import { type RedisServer, startRedis } from '../support/redis-server';
import { openTestDatabase, type TestDatabase } from '../support/test-database';
import { waitUntil } from '../support/wait-until';

const guard = new IdempotencyGuard();
const NEW = 0;
const DUPLICATE = 1;
const IN_PROGRESS = 2;

let db: TestDatabase;
let redis: RedisServer;
beforeAll(async () => {
	[db, redis] = await Promise.all([openTestDatabase('guard'), startRedis()]);
});
afterAll(async () => {
	await Promise.all([db.drop(), redis.stop()]);
});

const STORES: Readonly<Record<string, () => Record<string, unknown>>> = {
	Postgres: () => ({ ...storeCredential(db.settings, 'n8n_bisync') }),
	Redis: () => ({ backend: 'redis', host: redis.host, redisPort: redis.port }),
};

/** Another n8n, which is to claim the key and work. */
function startWorker(): ChildProcess {
	return fork(join(__dirname, '../support/claiming-worker.ts'), { execArgv: ['--import', 'tsx'], silent: true });
}

/** @returns the item with the claim */
async function claimBy(worker: ChildProcess, credential: Record<string, unknown>): Promise<Record<string, unknown>> {
	worker.send(credential);
	const [line] = (await once(worker.stdout!, 'data')) as [Buffer];
	const outputs = String(line);
	if (!outputs.startsWith('[')) throw new Error(outputs);
	return (JSON.parse(outputs) as Record<string, unknown>[][])[NEW]?.[0] ?? {};
}

describe.each(Object.keys(STORES))('alone, with its store in %s', (name) => {
	test('the claim of a worker that was killed is in progress until its lease is over, and then somebody else’s alone', async () => {
		const credential = STORES[name]?.() ?? {};
		const store = storeOf(storeSettings(credential));
		await store.migrate();
		const end = provideStore(credential, store);
		const run = async (operation: string, json: object) => {
			const parameters = { operation, scope: 'guard', leaseSeconds: 60 };
			return (await executeNode(guard, { items: [{ json: json as never }], parameters, credentials: { bisyncStoreApi: credential } })).outputs;
		};
		const worker = startWorker();
		try {
			const lost = await claimBy(worker, credential);
			expect((await run('claim', { changeId: 'k' }))[IN_PROGRESS]).toHaveLength(1);
			worker.kill('SIGKILL');
			await once(worker, 'exit');
			const again = await waitUntil('the lease to end', async () => (await run('claim', { changeId: 'k' }))[NEW]?.[0], { timeoutMs: 40_000, everyMs: 100 });
			const tokenOf = (json: unknown): number => Number(findings({ json: json as never }, 'guard')['token']);
			expect(tokenOf(again.json)).toBeGreaterThan(tokenOf(lost));
			// What the dead worker had done is nobody's to complete any more.
			expect(findings((await run('complete', lost))[0]?.[0], 'guard')).toMatchObject({ state: 'lost' });
			expect(findings((await run('complete', again.json))[0]?.[0], 'guard')).toMatchObject({ state: 'completed' });
			expect((await run('claim', { changeId: 'k' }))[DUPLICATE]).toHaveLength(1);
		} finally {
			worker.kill('SIGKILL');
			end();
			await store.close();
		}
	});
});
