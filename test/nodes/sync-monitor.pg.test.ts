import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import pg from 'pg';

import { checkHealth } from '../../nodes/SyncMonitor/check-health';
import { measureSystem } from '../../nodes/SyncMonitor/measure-system';
import { DEFAULT_THRESHOLDS } from '../../src/core/health-thresholds';
import type { TriggerLab } from '../support/trigger-lab';
import { withLab } from '../support/trigger-lab';
import { openTestDatabase } from '../support/test-database';

const MIB = 1024 * 1024;
const TIMING = { remindMs: 0, calmMs: 0 };

const measure = async (lab: TriggerLab, waitMs = 20_000) => await measureSystem(lab.store, { policy: 'lab', system: 'crm', connection: lab.source.settings, waitMs });
const checksOf = async (lab: TriggerLab) => (await checkHealth(lab.store, 'lab', { thresholds: DEFAULT_THRESHOLDS, timing: TIMING })).health.checks.filter(({ system }) => system === 'crm');

test('a heartbeat arrives through an idle stream, and its lag is green though another database fills the log', async () => {
	await withLab({ mode: 'live' }, async (lab) => {
		await lab.start();
		await lab.waitUntilReading();
		const other = await openTestDatabase('noise');
		try {
			await other.pool.query(`create table noise as select repeat(md5(n::text), 30) as text from generate_series(1, 4000) n`);
			const { lag, slot, failure } = await measure(lab);
			expect({ failure, open: lag?.open, isActive: slot?.isActive, isThere: slot?.isThere }).toEqual({ failure: null, open: null, isActive: true, isThere: true });
			expect(lag?.bytes).toBeLessThan(MIB);
			expect(lag?.ms).toBeLessThan(20_000);
			expect((await checksOf(lab)).filter(({ level }) => level !== 'healthy')).toEqual([]);
		} finally {
			await other.drop();
		}
	});
});

test('silence is not green: without a reader the lag grows from the first heartbeat on, and the slot is idle', async () => {
	await withLab({ mode: 'live' }, async (lab) => {
		const trigger = await lab.start();
		await lab.waitUntilReading();
		await measure(lab);
		await trigger.close();
		const first = await measure(lab, 0);
		const second = await measure(lab, 0);
		expect(first.lag?.open).not.toBeNull();
		expect(second.lag?.open).toEqual(first.lag?.open);
		expect(second.lag?.ms).toBeGreaterThan(first.lag?.ms ?? Infinity);
		expect(second.slot).toMatchObject({ isActive: false, idleSinceMs: first.atMs });
		expect(await checksOf(lab)).toContainEqual(expect.objectContaining({ name: 'slot-state', level: 'warning' }));
		await lab.start();
		const third = await measure(lab);
		expect(third).toMatchObject({ lag: { open: null }, slot: { isActive: true, idleSinceMs: null } });
	});
});

test('a slot that is gone is critical', async () => {
	await withLab({ mode: 'live' }, async (lab) => {
		const trigger = await lab.start();
		await lab.waitUntilReading();
		await trigger.close();
		await lab.sql(`select pg_drop_replication_slot('${lab.settings.slot}')`);
		await measure(lab, 0);
		expect((await checksOf(lab))[0]).toMatchObject({ name: 'slot-state', level: 'critical', sentence: expect.stringContaining('is gone') });
	});
});

test('a database that does not answer is a finding, and a system that was never read is one', async () => {
	await withLab({ mode: 'live' }, async (lab) => {
		expect(await measure(lab, 0)).toMatchObject({ failure: expect.stringContaining('no trigger of crm has ever run'), lastGoodMs: null });
		await lab.start();
		await lab.waitUntilReading();
		const connection = { ...lab.source.settings, database: 'nowhere' };
		const measured = await measureSystem(lab.store, { policy: 'lab', system: 'crm', connection, waitMs: 0 });
		expect(measured).toMatchObject({ failure: expect.stringContaining('There is no database "nowhere"'), lag: null });
		expect(await checksOf(lab)).toContainEqual(expect.objectContaining({ name: 'lag', level: 'unknown' }));
		await expect(measureSystem(lab.store, { policy: 'lab', system: 'erp', connection, waitMs: 0 })).rejects.toMatchObject({ code: 'INVALID_SETTING' });
	});
});

test('the SQL of the runbooks runs', async () => {
	await withLab({ mode: 'live' }, async (lab) => {
		const schema = 'n8n_bisync';
		await lab.sql(`create schema ${schema}; create table ${schema}.journal (link text, kind text, entry json, at timestamptz)`);
		const folder = join(__dirname, '../../docs/runbooks');
		const blocks = readdirSync(folder).flatMap((page) => [...readFileSync(join(folder, page), 'utf8').matchAll(/```sql\n([^]*?)```/g)].map(([, sql = '']) => sql));
		expect(blocks.length).toBeGreaterThan(4);
		const client = new pg.Client(lab.source.settings);
		await client.connect();
		try {
			for (const sql of blocks) await client.query(sql);
		} finally {
			await client.end();
		}
	});
});
