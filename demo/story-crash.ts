import { demand, type Checklist } from './checklist';
import { readBoth } from './compare';
import { measureLatency } from './latency';
import { say } from './progress';
import { OWNER, type SyncInN8n } from './start-sync';
import { executionsStarted, journalEnd, readJournal, waitUntilSettled } from './store-facts';
import { insertsOf, lostEdits, runWorkload } from './workload';

export interface CrashOptions {
	/** Changes per side. */
	readonly changes: number;
	readonly perSecond: number;
}

/** Users go on working on both sides while n8n dies and comes back. */
export async function tellCrash(
	sync: SyncInN8n,
	checks: Checklist,
	options: CrashOptions,
): Promise<void> {
	await tellOutage(sync, checks, {
		...options,
		what: 'n8n is killed with -9',
		async disturb() {
			await sync.n8n.kill();
			say('  n8n is killed');
			await sync.n8n.start();
			await sync.client.signIn(OWNER);
		},
	});
}

export interface OutageOptions extends CrashOptions {
	/** Completes "while …". */
	readonly what: string;
	/** What happens when a third of the work is done. */
	readonly disturb: () => Promise<void>;
}

/** Users go on working on both sides while something breaks. */
export async function tellOutage(sync: SyncInN8n, checks: Checklist, options: OutageOptions): Promise<void> {
	const { databases } = sync;
	const name = `${options.changes.toLocaleString('en')} changes per side while ${options.what}: nothing lost, nothing doubled`;
	await checks.check(name, async () => {
		await waitUntilSettled(databases);
		const before = (await readBoth(databases)).crm.length;
		const [after, executions] = [await journalEnd(databases), await executionsStarted(databases)];
		const { writes, downSeconds } = await workWhileDisturbed(sync, options);
		const started = performance.now();
		await waitUntilSettled(databases, { timeoutMs: 300_000 });
		const seconds = ((performance.now() - started) / 1_000).toFixed(1);
		const lost = await lostEdits(databases, writes);
		demand(lost.length === 0, `${lost.length} edits are lost: ${lost.slice(0, 3).join('; ')}`);
		const added = (await readBoth(databases)).crm.length - before;
		demand(added === insertsOf(options), `${added} instead of ${insertsOf(options)} new customers`);
		const conflicts = await readJournal(databases, { after, kinds: ['conflict'] });
		const used = (await executionsStarted(databases)) - executions;
		return `that took ${downSeconds} s; equal ${seconds} s after the last change; ${conflicts.length} conflicts, all journaled; ${used} executions`;
	});
}

async function workWhileDisturbed(
	sync: SyncInN8n,
	options: OutageOptions,
): Promise<{ writes: Awaited<ReturnType<typeof runWorkload>>; downSeconds: string }> {
	let reachThird: () => void = () => undefined;
	const third = new Promise<void>((resolve) => (reachThird = resolve));
	const working = runWorkload(sync.databases, {
		...options,
		onProgress: (done) => {
			if (done * 3 >= options.changes) reachThird();
		},
	});
	// An error of the work ends the wait as well.
	await Promise.race([third, working]);
	const started = performance.now();
	await options.disturb();
	const downSeconds = ((performance.now() - started) / 1_000).toFixed(1);
	return { writes: await working, downSeconds };
}

/** How long a user of one system waits for an edit of the other, when there is little to do. */
export async function tellLatency(
	{ databases }: SyncInN8n,
	checks: Checklist,
	editsPerSide: number,
): Promise<void> {
	const measure = async (quietMs: number): Promise<string> => {
		const executions = await executionsStarted(databases);
		const { p50, p95, count } = await measureLatency(databases, { editsPerSide, quietMs });
		const used = (await executionsStarted(databases)) - executions;
		return `p50 ${p50.toFixed(0)} ms, p95 ${p95.toFixed(0)} ms, ${(used / count).toFixed(1)} executions per edit`;
	};
	await checks.check(
		'a single edit after a quiet moment arrives',
		async () => await measure(2_000),
	);
	await checks.check('edits one after the other arrive', async () => await measure(0));
}
