import { readAll, type ReadTask } from './cdc-readers';

/** One reader in a process of its own, whose processor time and memory are its alone. The task is an argument, the result a line. */
export interface ReadResult {
	readonly seconds: number;
	readonly cpuSeconds: number;
	/** Resident at most, above what the process had before it began to read. */
	readonly extraMb: number;
}

const MB = 1024 * 1024;

async function main(): Promise<void> {
	const task = JSON.parse(process.argv[2] ?? '') as ReadTask;
	const idle = process.memoryUsage.rss();
	let most = idle;
	const watch = setInterval(() => (most = Math.max(most, process.memoryUsage.rss())), 20);
	const before = process.cpuUsage();
	const seconds = await readAll(task);
	const { user, system } = process.cpuUsage(before);
	clearInterval(watch);
	const result: ReadResult = { seconds, cpuSeconds: (user + system) / 1e6, extraMb: (Math.max(most, process.memoryUsage.rss()) - idle) / MB };
	process.stdout.write(`${JSON.stringify(result)}\n`);
}

void main();
