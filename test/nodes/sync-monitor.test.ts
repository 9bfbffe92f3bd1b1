import { SyncMonitor } from '../../nodes/SyncMonitor/SyncMonitor.node';
import { SyncError } from '../../src/core/errors';
import type { Measurement } from '../../src/core/health-figures';
import { provideStore } from '../../nodes/shared/open-store';
import { keepComparison, keepMeasurement } from '../../src/store/keep-health';
import type { SyncStore } from '../../src/store/sync-store';
import { POLLED } from '../../src/store/stream-record';
import { type NodeLab, openNodeLab, POLICY, registrationOf } from '../support/node-lab';
import { commitOf, link, note } from '../store/contract/store-under-test';

const MINUTE = 60_000;
const node = new SyncMonitor();

let lab: NodeLab;
beforeEach(async () => {
	lab = await openNodeLab();
	await good();
});
afterEach(() => lab.close());

const nowMs = async (): Promise<number> => (await lab.store.figures({ policy: POLICY })).nowMs;

/** Both systems measured, and compared, just now. */
async function good(changes: Partial<Measurement> = {}): Promise<void> {
	const atMs = await nowMs();
	const slot = { name: 's', isThere: true, isActive: true, idleSinceMs: null, walStatus: 'reserved', lostBecause: null, retainedBytes: 1_000, safeBytes: null };
	const measured: Measurement = { atMs, failure: null, lastGoodMs: atMs, slot, lag: { ms: 300, open: null, bytes: 0 } };
	for (const system of ['crm', 'billing']) await keepMeasurement(lab.store, { policy: POLICY, system }, { ...measured, ...changes });
	await keepComparison(lab.store, POLICY, { systems: ['crm', 'billing'], differences: 0 });
}

async function check(parameters: Record<string, unknown> = {}, staticData: Record<string, unknown> = {}) {
	const { outputs } = await lab.run(node, { parameters: { operation: 'check', tell: 'news', policy: POLICY, ...parameters }, staticData });
	return outputs.map((items) => items.map(({ json }) => json));
}

test('a sync that is well says so when it is asked always, and keeps quiet otherwise', async () => {
	expect(await check()).toEqual([[], [], []]);
	const [healthy = []] = await check({ tell: 'always' });
	expect(healthy).toMatchObject([{ level: 'healthy', news: null, summary: expect.stringContaining('healthy') }]);
	expect(healthy[0]?.['checks']).toHaveLength(19);
});

test('a system whose tables are polled has no log that could be behind, and none to be measured', async () => {
	await lab.store.registerStream({ ...registrationOf('crm'), slot: POLLED });
	lab.later(6 * MINUTE);
	const [, [warning] = []] = await check();
	const systems = (warning?.['checks'] as { name: string; system: string | null }[]).filter(({ name }) => name === 'lag').map(({ system }) => system);
	expect(systems).toEqual(['billing']);
	const parameters = { operation: 'measure', policy: POLICY, system: 'crm' };
	await expect(lab.run(node, { parameters, credentials: { bisyncPostgresApi: { host: 'h', port: 1, database: 'd', user: 'u', password: 'p' } } })).rejects.toThrow(/is polled/);
});

test('one trouble is one message, and its end another', async () => {
	lab.later(6 * MINUTE);
	const [, warning] = await check();
	expect(warning).toMatchObject([{ news: 'worse', summary: expect.stringContaining('was last measured 6 minutes ago') }]);
	expect(await check()).toEqual([[], [], []]);
	await good();
	expect(await check()).toEqual([[], [], []]);
	lab.later(5 * MINUTE);
	await good();
	expect((await check())[0]).toMatchObject([{ level: 'healthy', news: 'better' }]);
});

test('a reminder comes when its time has come', async () => {
	await lab.store.setMode(POLICY, 'stopped');
	expect((await check())[1]).toMatchObject([{ news: 'worse' }]);
	lab.later(60 * MINUTE);
	await good();
	expect(await check({ options: { remindHours: 2 } })).toEqual([[], [], []]);
	expect((await check({ options: { remindHours: 1 } }))[1]).toMatchObject([{ news: 'reminder' }]);
});

test('thresholds are those that were set', async () => {
	await good({ lag: { ms: 3_000, open: null, bytes: 0 } });
	expect((await check({ thresholds: { 'lagMs-critical': 2 } }))[2]).toMatchObject([{ level: 'critical' }]);
	await expect(check({ thresholds: { 'lagMs-critical': -1 } })).rejects.toMatchObject({ message: expect.stringContaining('"Thresholds, Lag" must be a number of at least 0') });
});

test('a loop shows by what is written for each change, counted once, and for an hour', async () => {
	await check();
	const entries = Array.from({ length: 400 }, () => ({ kind: 'op', detail: {} }) as const);
	const observed = Array.from({ length: 20 }, () => ({ kind: 'observed' }) as never);
	const commits = [commitOf(link('l1'), { due: false, journal: [...entries, ...observed, note('x')] })];
	await lab.store.commit({ policy: POLICY, links: commits });
	const [, , critical = []] = await check();
	const checks = critical[0]?.['checks'] as { name: string; value: number; sentence: string }[];
	expect(checks.find(({ name }) => name === 'writes')).toMatchObject({ value: 20, sentence: expect.stringContaining('400 writes for 20 changes') });
	lab.later(10 * MINUTE);
	await good();
	expect((await check({ tell: 'always' }))[2]).toMatchObject([{ level: 'critical' }]);
	lab.later(61 * MINUTE);
	await good();
	expect((await check({ tell: 'always' }))[0]).toMatchObject([{ level: 'healthy' }]);
});

test('the history is what the runs have kept', async () => {
	await check();
	lab.later(MINUTE);
	await lab.store.setMode(POLICY, 'stopped');
	await check();
	const { outputs } = await lab.run(node, { parameters: { operation: 'history', policy: POLICY, grain: 'minute', hours: 1 } });
	const items = (outputs[0] ?? []).map(({ json }) => json).filter(({ series }) => series === 'policy');
	expect(items).toMatchObject([{ level: 0, changes: 0, questions: 0 }, { level: 1 }]);
	const hourly = await lab.run(node, { parameters: { operation: 'history', policy: POLICY, grain: 'hour', hours: 2 } });
	expect((hourly.outputs[0] ?? []).map(({ json }) => json)).toContainEqual(expect.objectContaining({ series: 'system:crm', lagSeconds: 0.3, slotBytes: 1_000 }));
});

test('metrics change nothing', async () => {
	const { outputs } = await lab.run(node, { parameters: { operation: 'prometheus', policy: POLICY } });
	expect(outputs[0]?.[0]?.json['text']).toContain('bisync_lag_seconds{policy="crm-billing",system="crm"} 0.3\n');
	expect(await lab.store.readSamples({ policy: POLICY, grain: 'minute', series: 'policy' })).toEqual([]);
});

test('a policy that nobody published is a mistake in the workflow, not an alarm', async () => {
	await expect(check({ policy: 'nothing' })).rejects.toMatchObject({ message: expect.stringContaining('has not been published') });
});

describe('when the sync store does not answer', () => {
	const credential = { host: 'down', database: 'store', user: 'lab', password: 'x' };
	const staticData: Record<string, unknown> = {};
	const run = async (operation: string) => {
		const down = new Proxy({} as SyncStore, {
			get: (_, name) => (name === 'then' ? undefined : async () => await Promise.reject(new SyncError('STORE_UNREACHABLE', 'Cannot reach the sync store'))),
		});
		const close = provideStore(credential, down);
		try {
			const { outputs } = await lab.run(node, { parameters: { operation, policy: POLICY, system: 'crm' }, credentials: { bisyncStoreApi: credential, bisyncPostgresApi: { host: 'x', database: 'x', user: 'x' } }, staticData });
			return outputs.map((items) => items.map(({ json }) => json));
		} finally {
			close();
		}
	};

	test('that is critical, and told once', async () => {
		expect((await run('check'))[2]).toMatchObject([{ level: 'critical', summary: expect.stringContaining('does not answer') }]);
		expect(await run('check')).toEqual([[], [], []]);
		expect((await check({}, staticData))[0]).toMatchObject([{ news: 'better', level: 'healthy' }]);
		expect((await run('check'))[2]).toHaveLength(1);
	});

	test('measuring goes on to the check, and metrics say it', async () => {
		expect((await run('measure'))[0]).toMatchObject([{ system: 'crm', error: { code: 'STORE_UNREACHABLE' } }]);
		expect((await run('prometheus'))[0]?.[0]?.['text']).toMatch(/^bisync_up\{policy="crm-billing"\} 0$/m);
	});
});
