/** A process that syncs, as n8n would: the real nodes, n8n's own engine. It is there to be killed. */
import '../rehearse/typescript-first';

import { writeSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';

import type { ICredentialDataDecryptedObject } from 'n8n-workflow';

import { PostgresCdcTrigger } from '../../nodes/PostgresCdcTrigger/PostgresCdcTrigger.node';
import { ownSettings, storeSettings } from '../../nodes/shared/connection-settings';
import { provideDatabase } from '../../nodes/shared/open-database';
import { provideStore, storeOf } from '../../nodes/shared/open-store';
import { openPool } from '../../src/postgres/open-pool';
import type { CommitRequest, SyncStore } from '../../src/store/sync-store';
import { CrashPoints, watchPool, watchStore } from '../support/crash-points';
import { type FakeN8n, fakeN8n } from '../support/fake-n8n';
import { fakeTriggerContext, replicationCredential } from '../support/fake-trigger-context';
import { readTemplate, runTemplate } from '../support/run-template';
import { waitUntil } from '../support/wait-until';
import { answerReview } from './answer-review';
import type { Arm, Order, Word } from './messages';
import { POLICY, type System, SYSTEMS } from './systems';
import { watchLargeTransactions } from './watch-transactions';

const TEMPLATE = readTemplate('two-way-postgres');
const TRIGGERS: Readonly<Record<System, string>> = { crm: 'CRM Changes', billing: 'Billing Changes' };
/** As n8n does with a workflow whose trigger failed, only sooner. */
const REACTIVATE_MS = 300;

type Places = Pick<Order, 'databases' | 'store'>;

function say(word: Word): void {
	writeSync(1, `${JSON.stringify(word)}\n`);
}

/** Does not return before the process has died, or was stopped and told to go on. */
function end(point: Arm['point'], how: Arm['how']): void {
	say({ kind: 'reached', point });
	process.kill(process.pid, how === 'die' ? 'SIGKILL' : 'SIGSTOP');
}

/** Counts the passages of the point that is armed. */
function trap(arm: Arm): () => void {
	let left = arm.nth;
	return () => {
		left -= 1;
		if (left === 0) end(arm.point, arm.how);
	};
}

function armed(arm: Arm | null): CrashPoints {
	const points = new CrashPoints();
	if (!arm || arm.point === 'C11' || arm.point === 'reading') return points;
	if (arm.point === 'C12') watchLargeTransactions(arm.nth, () => end('C12', arm.how));
	else points.on(arm.point, trap(arm));
	return points;
}

async function obey({ databases, store: credential, arm, answer }: Order): Promise<void> {
	const store = storeOf(storeSettings(credential));
	await untilReachable(store);
	const points = armed(arm);
	const watched = watchStore(store, points);
	if (answer) {
		provideStore(credential, arm ? afterCommit(watched, () => end('C11', arm.how)) : watched);
		say({ kind: 'answered', error: await answerReview(answer, { ...credential }) });
		return;
	}
	provideStore(credential, arm?.point === 'reading' ? afterCommit(watched, whenReading(trap(arm))) : watched);
	for (const system of SYSTEMS) {
		const pool = openPool(ownSettings(replicationCredential(databases[system])), 5);
		provideDatabase(ownSettings(replicationCredential(databases[system])), watchPool(pool, system, points));
	}
	for (const system of SYSTEMS) void keepActive(system, { databases, store: credential });
}

async function untilReachable(store: SyncStore): Promise<void> {
	await waitUntil('the sync store', async () =>
		await store.migrate().then(() => true, () => false));
}

/** A trigger of the pack, whose workflow is the template; started again whenever it ends with an error. */
async function keepActive(system: System, places: Places): Promise<void> {
	for (;;) {
		const { message } = await new Promise<Error>((resolve) => {
			const n8n = workflowOf(system, places);
			n8n.emitError = resolve;
			activate(n8n, system, places).then(() => say({ kind: 'active', system }), resolve);
		});
		say({ kind: 'failed', system, message });
		await sleep(REACTIVATE_MS);
	}
}

function workflowOf(system: System, { databases, store }: Places): FakeN8n {
	const credentials = {
		'Sync Store': store as ICredentialDataDecryptedObject,
		'CRM database': replicationCredential(databases.crm),
		'Billing database': replicationCredential(databases.billing),
	};
	const from = TRIGGERS[system];
	const n8n = fakeN8n(async (events) => {
		n8n.runs.length = 0; // Nobody asks, and a long life would fill the memory.
		const { status, data } = await runTemplate({ template: TEMPLATE, from, events, credentials });
		if (status !== 'success') log(`${from}: ${String(data.resultData.error?.message)}`);
		return status;
	});
	n8n.logger.warn = (text: string) => log(`${from}: ${text}`);
	n8n.logger.error = n8n.logger.warn;
	return n8n;
}

const log = (text: string): void => say({ kind: 'log', text });

async function activate(
	n8n: FakeN8n,
	system: System,
	{ databases, store }: Places,
): Promise<void> {
	const context = fakeTriggerContext(n8n, {
		mode: 'trigger',
		activation: 'init', // Patient: the databases may be starting too.
		parameters: {
			connectWith: 'bisyncPostgresApi',
			useStore: true,
			policy: POLICY,
			system,
			options: { sweepSeconds: 1 },
		},
		credentials: {
			bisyncPostgresApi: replicationCredential(databases[system]),
			bisyncStoreApi: store as ICredentialDataDecryptedObject,
		},
	});
	await new PostgresCdcTrigger().trigger.call(context);
}

/** After rows that are there already were observed. */
function whenReading(act: () => void): (request: CommitRequest) => void {
	return ({ links }) => {
		const isRead = links.some(({ journal }) => journal.some((entry) => entry.kind === 'observed' && entry.change.snapshot));
		if (isRead) act();
	};
}

function afterCommit(store: SyncStore, act: (request: CommitRequest) => void): SyncStore {
	const commit: SyncStore['commit'] = async (request) => {
		const result = await store.commit(request);
		act(request);
		return result;
	};
	return new Proxy(store, {
		get: (target, name) => (name === 'commit' ? commit : (Reflect.get(target, name) as unknown)),
	});
}

process.once('message', (order: Order) => {
	void obey(order).catch((error: unknown) => {
		log(`the worker ended: ${String(error)}`);
		process.exit(1);
	});
});
process.on('disconnect', () => process.exit(0));
// What was compiled by now is there for the next worker, which this one does not live to see.
flushCompileCache();
process.send?.('ready');
