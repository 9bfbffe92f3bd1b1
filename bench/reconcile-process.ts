import { readFile, writeFile } from 'node:fs/promises';
import { Socket } from 'node:net';

import { compareSystems } from '../nodes/ReconcileDiff/compare-systems';
import { SystemSide } from '../nodes/ReconcileDiff/system-side';
import { openPool } from '../src/postgres/open-pool';
import { policyInForce, requirePublished } from '../src/store/published-policy';
import { PostgresStore } from '../src/store/postgres-store';
import type { ConnectionSettings } from '../test/support/embedded-postgres';
import { ENTITY, POLICY } from './reconcile-seed';

export interface CompareTask {
	readonly store: ConnectionSettings;
	readonly systems: Readonly<Record<string, ConnectionSettings>>;
}

export interface CompareResult {
	readonly seconds: number;
	readonly cpuSeconds: number;
	/** Resident at most, above what the process had before it began to compare. */
	readonly extraMb: number;
	/** Received and sent. */
	readonly transferredMb: number;
	readonly records: number;
	readonly readWhole: Readonly<Record<string, string>>;
}

const MB = 1024 * 1024;

/** One comparison in a process of its own, whose memory is its alone. The task is an argument, the result a line. */
async function main(): Promise<void> {
	const { store: settings, systems } = JSON.parse(process.argv[2] ?? '') as CompareTask;
	const sockets = collectSockets();
	const store = new PostgresStore(openPool(settings, 4));
	await store.migrate();
	const published = requirePublished(await store.load({ policy: POLICY }), POLICY);
	const { policy } = policyInForce(published);
	const open = async (system: string): Promise<SystemSide> => {
		const connection = systems[system];
		if (!connection) throw new Error(`there is no ${system}`);
		return await SystemSide.open({ store, published, policy, system, connection, waitMs: 60_000, run: 'bench' });
	};
	global.gc?.();
	// The highest resident size from now on; see proc(5).
	await writeFile('/proc/self/clear_refs', '5');
	const idle = process.memoryUsage.rss();
	const cpu = process.cpuUsage();
	const started = performance.now();
	const sides = await Promise.all(Object.keys(systems).map(open));
	const { found, readWhole } = await compareSystems({ store, published, sides, entities: [ENTITY], later: open });
	for (const side of sides) await side.close();
	const seconds = (performance.now() - started) / 1_000;
	const { user, system } = process.cpuUsage(cpu);
	const extraMb = ((await highestResident()) - idle) / MB;
	await store.close();
	const transferredMb = sockets.reduce((sum, { bytesRead, bytesWritten }) => sum + bytesRead + (bytesWritten ?? 0), 0) / MB;
	const result: CompareResult = { seconds, cpuSeconds: (user + system) / 1e6, extraMb, transferredMb, records: found.length, readWhole };
	process.stdout.write(`${JSON.stringify(result)}\n`);
}

/** All connections that are made from now on. */
function collectSockets(): Socket[] {
	const sockets: Socket[] = [];
	const { connect } = Socket.prototype;
	Socket.prototype.connect = function connectCounted(this: Socket, ...args: unknown[]) {
		sockets.push(this);
		return Reflect.apply(connect, this, args) as Socket;
	} as typeof connect;
	return sockets;
}

async function highestResident(): Promise<number> {
	const status = await readFile('/proc/self/status', 'utf8');
	return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? 0) * 1_024;
}

void main();
