import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, open, readFile, rm, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';

import { isAlive, startWatchdog } from '../test/support/watchdog';

/** The n8n that is installed beside this file, in a package of its own. */
const N8N_PACKAGE = join(__dirname, 'n8n');
const BINARIES = join(N8N_PACKAGE, 'node_modules', '.bin');

/** What n8n shall see of the environment; anything else could change how it behaves. */
const INHERITED = ['LANG', 'LC_ALL', 'TMPDIR', 'TZ'];

/** An n8n process: itself and its task runner, which live and die together. */
export interface N8nProcess {
	readonly pid: number;
	/** Whether it has ended by itself. */
	hasEnded(): boolean;
	/** Sends the signal to the whole process group and waits for its end. */
	end(signal: NodeJS.Signals): Promise<void>;
}

export interface N8nFolder {
	/** Everything n8n keeps on disk, in `.n8n` below it. */
	readonly path: string;
	readonly logFile: string;
}

/** Makes a folder for n8n that a watchdog removes when this process ends, however it ends. */
export async function prepareFolder(path: string): Promise<N8nFolder> {
	await mkdir(join(path, '.n8n'), { recursive: true });
	startWatchdog(process.pid, { directory: path, pidFile: pidFile(path) });
	return { path, logFile: join(path, 'n8n.log') };
}

/** Removes what `prepareFolder` made; its watchdog finds nothing left to do. */
export async function removeFolder({ path }: N8nFolder): Promise<void> {
	await rm(path, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
}

const pidFile = (path: string) => join(path, 'n8n.pid');

/**
 * Starts n8n with these variables beside the few that it inherits. Does not wait until it is ready.
 *
 * @param command - a worker runs the executions that a main process puts into its queue
 */
export async function spawnN8n(
	folder: N8nFolder,
	variables: Readonly<Record<string, string>>,
	command: 'start' | 'worker' = 'start',
): Promise<N8nProcess> {
	const log = await open(folder.logFile, 'a');
	const script = join(N8N_PACKAGE, 'node_modules', 'n8n', 'bin', 'n8n');
	const child = spawn(join(BINARIES, 'node'), [script, command], {
		cwd: folder.path,
		env: { ...inherited(), ...variables, HOME: folder.path, N8N_USER_FOLDER: folder.path },
		// A group of its own: Ctrl-C is for the demo, which stops n8n in the right order.
		detached: true,
		stdio: ['ignore', log.fd, log.fd],
	});
	await once(child, 'spawn');
	await log.close();
	const pid = child.pid as number;
	// A negative number addresses the whole group, for `kill` in a shell too.
	await writeFile(pidFile(folder.path), `-${pid}\n`);
	return { pid, hasEnded: () => hasEnded(child), end: async (signal) => await end(child, signal) };
}

function inherited(): Record<string, string> {
	const path = `${BINARIES}${delimiter}${process.env['PATH'] ?? ''}`;
	const known = INHERITED.flatMap((name) => {
		const value = process.env[name];
		return value === undefined ? [] : [[name, value]];
	});
	return { ...Object.fromEntries(known), PATH: path };
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
	return exitCode !== null || signalCode !== null;
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
	const group = -(child.pid as number);
	if (hasEnded(child)) return;
	const closed = once(child, 'exit');
	process.kill(group, signal);
	await closed;
	// Its task runner may need a moment more, or not have been asked to stop.
	if (isAlive(group)) process.kill(group, 'SIGKILL');
}

/** @returns the last lines of n8n's log, for an error message. */
export async function logTail({ logFile }: N8nFolder, lines = 30): Promise<string> {
	const text = await readFile(logFile, 'utf8').catch(() => '');
	return text.trimEnd().split('\n').slice(-lines).join('\n');
}
