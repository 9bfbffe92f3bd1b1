import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import { Checklist } from '../../demo/checklist';
import { type DemoDatabases, startDatabases } from '../../demo/databases';
import { importTemplate } from '../../demo/install-pack';
import type { StoredWorkflow } from '../../demo/n8n-client';
import { say } from '../../demo/progress';
import { runNodeOutputs } from '../../demo/run-node';
import { activate, startN8n, type SyncInN8n } from '../../demo/start-sync';
import { tellFirstContact } from '../../demo/story-first-contact';
import { waitUntil } from '../support/wait-until';

const MINUTE_MS = 60_000;

let databases: DemoDatabases;
let sync: SyncInN8n;
let alerts: StoredWorkflow;
let chat: Server;
const messages: string[] = [];

beforeAll(async () => {
	databases = await startDatabases();
	sync = await startN8n(databases, say);
	const checks = new Checklist();
	await tellFirstContact(sync, checks);
	expect(checks.results.filter(({ ok }) => !ok)).toEqual([]);
	alerts = await importTemplate(sync.client, 'alerts.json');
	chat = createServer((request, response) => {
		let body = '';
		request.on('data', (chunk: Buffer) => (body += chunk.toString()));
		request.on('end', () => {
			messages.push((JSON.parse(body) as { text: string }).text);
			response.end('ok');
		});
	});
	await new Promise<void>((resolve) => chat.listen(0, '127.0.0.1', resolve));
}, 15 * MINUTE_MS);

afterAll(async () => {
	chat?.close();
	await sync?.n8n.remove();
	await databases?.stop();
}, MINUTE_MS);

const address = (): string => `http://127.0.0.1:${(chat.address() as AddressInfo).port}/hook`;
const check = async (parameters: Record<string, unknown>) => await runNodeOutputs(sync.client, alerts, 'Check Health', parameters);

test(
	'the template measures both systems, tells of a trouble once, and of its end',
	async () => {
		const quiet = { tell: 'always', thresholds: { comparedHours: 0, 'reviewMs-warning': 9_999, 'reviewMs-critical': 9_999 } };
		const [healthy = [], , critical] = await check(quiet);
		expect({ healthy: healthy[0]?.['summary'], critical }).toEqual({ healthy: expect.stringContaining('is healthy'), critical: [] });
		const checks = healthy[0]?.['checks'] as { name: string; system: string | null; value: number }[];
		expect(checks.filter(({ name }) => name === 'lag').map(({ system }) => system)).toEqual(['crm', 'billing']);
		await runNodeOutputs(sync.client, alerts, 'Check Health', { tell: 'news' });

		await sync.client.deactivate(sync.sync.id);
		const [, [warning] = []] = await runNodeOutputs(sync.client, alerts, 'Check Health');
		expect(warning).toMatchObject({ level: 'warning', news: 'worse', summary: expect.stringContaining('Nobody has read from the replication slot') });
		expect((await runNodeOutputs(sync.client, alerts, 'Check Health')).flat()).toEqual([]);

		await activate(sync.client, sync.sync.id);
		const better = await waitUntil(
			'the sync to be well again',
			async () => {
				const [[item] = []] = await check({ ...quiet, tell: 'news', options: { calmMinutes: 0 } });
				return item;
			},
			{ timeoutMs: 3 * MINUTE_MS },
		);
		expect(better).toMatchObject({ level: 'healthy', news: 'better' });
	},
	10 * MINUTE_MS,
);

test(
	'what it sends is what a chat shows',
	async () => {
		await check({ tell: 'always', thresholds: { 'lagMs-critical': 0, 'lagMs-warning': 0 } });
		await runNodeOutputs(sync.client, alerts, 'Wake Somebody', { url: address() });
		expect(messages.at(-1)).toMatch(/^Critical for the sync crm-billing: Changes of crm are observed after [^]*\(docs\/runbooks\/lag\.md\)/);
	},
	5 * MINUTE_MS,
);

test(
	'metrics are text that a webhook can give out, and the history is kept',
	async () => {
		const [[metrics] = []] = await check({ operation: 'prometheus' });
		expect(metrics?.['text']).toContain('bisync_slot_retained_bytes{policy="crm-billing",system="billing"}');
		const [samples = []] = await check({ operation: 'history', grain: 'minute', hours: 1 });
		expect(samples).toContainEqual(expect.objectContaining({ series: 'policy', level: expect.any(Number) }));
	},
	5 * MINUTE_MS,
);
