import type { LinkState } from '../core/link';
import type { LinkRecord, PolicyData } from './memory-data';
import type { DueLink, LeaseRequest } from './sync-store';

/** Any greatest delay is reached long before; 0 times infinity is no delay at all. */
const MAX_DOUBLINGS = 60;

/** Leases overdue links, oldest first. `jitter` is drawn once per link, 0.8 to 1.2. */
export function leaseFrom(
	data: PolicyData,
	{ limit, delayMs, maxDelayMs }: LeaseRequest,
	{ nowMs, jitter }: { nowMs: number; jitter: () => number },
): { data: PolicyData; result: readonly DueLink[] } {
	const overdue = [...data.links]
		.filter(([, link]) => link.due && link.wakeAtMs <= nowMs)
		.sort(([a, x], [b, y]) => x.wakeAtMs - y.wakeAtMs || (a < b ? -1 : 1))
		.slice(0, limit);
	const links = new Map(data.links);
	const result = overdue.map(([id, link]) => {
		const delay =
			Math.min(maxDelayMs, delayMs * 2 ** Math.min(link.wakes, MAX_DOUBLINGS)) * jitter();
		const unattempted = link.unattempted + 1;
		links.set(id, { ...link, wakes: link.wakes + 1, unattempted, wakeAtMs: nowMs + delay });
		return { state: JSON.parse(link.state) as LinkState, unattempted };
	});
	return { data: { ...data, links }, result };
}

/** Makes every link due at once, and lets every commit lose that was thought out before. */
export function wakeAll(data: PolicyData, nowMs: number): PolicyData {
	return changeLinks(data, data.links.keys(), (link) => ({
		...link,
		revision: link.revision + 1,
		due: true,
		wakeAtMs: nowMs,
		wakes: 0,
		unattempted: 0,
	}));
}

export function noteAttemptsIn(data: PolicyData, ids: readonly string[]): PolicyData {
	return changeLinks(data, ids, (link) => ({ ...link, unattempted: 0 }));
}

function changeLinks(
	data: PolicyData,
	ids: Iterable<string>,
	change: (link: LinkRecord) => LinkRecord,
): PolicyData {
	const links = new Map(data.links);
	for (const id of ids) {
		const link = data.links.get(id);
		if (link) links.set(id, change(link));
	}
	return { ...data, links };
}
