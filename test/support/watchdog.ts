import { spawn } from 'node:child_process';

/** Waits in a shell of its own, so that no way for the owner to die leaves a server or data behind. */
const SCRIPT = `
while kill -0 "$1" 2>/dev/null; do sleep 1; done
pid=$(head -n 1 "$3" 2>/dev/null)
if [ -n "$pid" ]; then
	kill -QUIT "$pid" 2>/dev/null
	for i in 1 2 3 4 5; do kill -0 "$pid" 2>/dev/null && sleep 1; done
fi
rm -rf "$2"`;

export interface Guarded {
	/** Removed, with all that is in it. */
	readonly directory: string;
	/** Its first line is the server's process id, as long as the server runs. */
	readonly pidFile: string;
}

/**
 * Ends a server, at once, and removes its data when the process `ownerPid` no longer exists, even when
 * that was killed.
 *
 * @returns the watchdog's own process id; whoever stops the server himself ends it first.
 */
export function startWatchdog(ownerPid: number, { directory, pidFile }: Guarded): number {
	const args = ['-c', SCRIPT, 'bisync-watchdog', String(ownerPid), directory, pidFile];
	const watchdog = spawn('sh', args, { detached: true, stdio: 'ignore', cwd: '/' });
	watchdog.unref();
	if (watchdog.pid === undefined) throw new Error('cannot start sh, which guards test servers');
	return watchdog.pid;
}

/** Whether a process of this id exists. */
export function isAlive(pid: number): boolean {
	try {
		return process.kill(pid, 0);
	} catch {
		return false; // ESRCH: there is no such process
	}
}
