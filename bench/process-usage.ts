import { readdir, readFile } from 'node:fs/promises';

/** What a process and those it started use, as Linux counts it. */
export interface Usage {
	/** Of all of them, also those that have ended, until now. */
	readonly cpuSeconds: number;
	/** Resident memory of all of them together, now. Shared pages count for each. */
	readonly residentMb: number;
}

/** Linux counts processor time in hundredths of a second (USER_HZ) and shows memory in pages of 4 KiB. */
const TICKS_PER_SECOND = 100;
const PAGE_BYTES = 4_096;

/** @param pid - the process that started the others: its children, and its process group */
export async function usageOf(pid: number): Promise<Usage> {
	let ticks = 0;
	let pages = 0;
	for (const entry of await readdir('/proc')) {
		if (!/^\d+$/.test(entry)) continue;
		// A process may end while it is looked at.
		const stat = await readFile(`/proc/${entry}/stat`, 'utf8').catch(() => '');
		// The fields after the name, which stands in parentheses and may hold spaces; see proc(5).
		const fields = stat
			.slice(stat.lastIndexOf(')') + 2)
			.split(' ')
			.map(Number);
		const [, parent, group] = fields;
		if (parent !== pid && group !== pid) continue;
		const [user = 0, system = 0, userOfEnded = 0, systemOfEnded = 0] = fields.slice(11, 15);
		ticks += user + system;
		if (Number(entry) === pid) ticks += userOfEnded + systemOfEnded;
		pages += fields[21] ?? 0;
	}
	return { cpuSeconds: ticks / TICKS_PER_SECOND, residentMb: (pages * PAGE_BYTES) / 1024 / 1024 };
}
