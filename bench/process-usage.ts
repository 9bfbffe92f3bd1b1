import { readdir, readFile } from 'node:fs/promises';

/** What a group of processes uses, as Linux counts it. */
export interface Usage {
	/** Of all processes of the group, until now. */
	readonly cpuSeconds: number;
	/** Resident memory of all of them together, now. */
	readonly residentMb: number;
}

/** Linux counts processor time in hundredths of a second (USER_HZ) and shows memory in pages of 4 KiB. */
const TICKS_PER_SECOND = 100;
const PAGE_BYTES = 4_096;

/** @param group - the process group's id: that of the process which began it */
export async function usageOf(group: number): Promise<Usage> {
	let ticks = 0;
	let pages = 0;
	for (const entry of await readdir('/proc')) {
		if (!/^\d+$/.test(entry)) continue;
		// A process may end while it is looked at.
		const stat = await readFile(`/proc/${entry}/stat`, 'utf8').catch(() => '');
		// The fields after the name, which stands in parentheses and may hold spaces; see proc(5).
		const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
		if (Number(fields[2]) !== group) continue;
		ticks += Number(fields[11]) + Number(fields[12]);
		pages += Number(fields[21]);
	}
	return { cpuSeconds: ticks / TICKS_PER_SECOND, residentMb: (pages * PAGE_BYTES) / 1024 / 1024 };
}
