import { readFile, writeFile } from 'node:fs/promises';
import { Socket } from 'node:net';
import { createInterface } from 'node:readline';

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
	/** Looks only at what has been written since the last comparison. */
	readonly keeps: boolean;
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
	readonly lastWhole: Readonly<Record<string, string>>;
}

const MB = 1024 * 1024;

/** Comparisons in a process of their own, whose memory is theirs alone. The task is an argument; one comparison for each line that comes in, and its result as a line. */
async function main(): Promise<void> {
	const { store: settings, systems, keeps } = JSON.parse(process.argv[2] ?? '') as CompareTask;
	const sockets = collectSockets();
	const store = new PostgresStore(openPool(settings, 4));
	await store.migrate();
	for await (const _line of createInterface({ input: process.stdin })) process.stdout.write(`${JSON.stringify(await compareOnce(store, systems, { sockets, keeps }))}\n`);
	await store.close();
}

async function compareOnce(store: PostgresStore, systems: CompareTask['systems'], { sockets, keeps }: { sockets: Socket[]; keeps: boolean }): Promise<CompareResult> {
	const published = requirePublished(await store.load({ policy: POLICY }), POLICY);
	const { policy } = policyInForce(published);
	const open = async (system: string): Promise<SystemSide> => {
		const connection = systems[system];
		if (!connection) throw new Error(`there is no ${system}`);
		return await SystemSide.open({ store, published, policy, system, connection, waitMs: 60_000, run: 'bench' });
	};
	const transferred = (): number => sockets.reduce((sum, { bytesRead, bytesWritten }) => sum + bytesRead + (bytesWritten ?? 0), 0);
	global.gc?.();
	// The highest resident size from now on; see proc(5).
	await writeFile('/proc/self/clear_refs', '5');
	const [idle, bytes, cpu, started] = [process.memoryUsage.rss(), transferred(), process.cpuUsage(), performance.now()];
	const sides = await Promise.all(Object.keys(systems).map(open));
	const { found, readWhole, lastWhole } = await compareSystems({ store, published, sides, entities: [ENTITY], later: open, keeps });
	for (const side of sides) await side.close();
	const seconds = (performance.now() - started) / 1_000;
	const { user, system } = process.cpuUsage(cpu);
	return {
		seconds,
		cpuSeconds: (user + system) / 1e6,
		extraMb: ((await highestResident()) - idle) / MB,
		transferredMb: (transferred() - bytes) / MB,
		records: found.length,
		readWhole,
		lastWhole,
	};
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
