import type { PolicyData } from './memory-data';
import { type Alike, type LinkCommit, MAX_ALIKE, MAX_WOKEN } from './sync-store';

/** What committed links say of others: what they wait for, whom they wake, and by what they are found. */
export function spread(
	data: PolicyData,
	{ won, asked }: { readonly won: readonly LinkCommit[]; readonly asked: readonly LinkCommit[] },
	wakeAtMs: number,
): { readonly data: PolicyData; readonly woken: readonly string[] } {
	const woken = wokenBy(data, { won, asked });
	const waits = new Map(data.waits);
	const alike = new Map(data.alike);
	const links = new Map(data.links);
	for (const { state, waitsFor, alike: keys } of won) {
		if (waitsFor !== undefined) put(waits, state.id, waitsFor.length > 0 ? [...new Set(waitsFor)].sort() : null);
		if (keys !== undefined) put(alike, state.id, keys);
	}
	for (const id of woken) {
		const link = links.get(id);
		if (link) links.set(id, { ...link, revision: link.revision + 1, due: true, wakeAtMs, wakes: 0, unattempted: 0 });
	}
	return { data: { ...data, waits, alike, links }, woken };
}

/** Judged by what stood there before: links of the request itself are at work anyway. */
function wokenBy(
	{ waits, links }: PolicyData,
	{ won, asked }: { readonly won: readonly LinkCommit[]; readonly asked: readonly LinkCommit[] },
): string[] {
	const told = new Set(won.flatMap(({ tells = [] }) => tells));
	if (told.size === 0) return [];
	const own = new Set(asked.map(({ state }) => state.id));
	const waiting = [...waits].filter(([id, targets]) => !own.has(id) && links.has(id) && targets.some((target) => told.has(target)));
	return waiting.map(([id]) => id).sort().slice(0, MAX_WOKEN);
}

function put<V>(map: Map<string, V>, id: string, value: V | null): void {
	if (value === null) map.delete(id);
	else map.set(id, value);
}

export function findAlikeIn({ alike }: PolicyData, blocks: readonly string[]): Alike[] {
	const inOrder = [...alike].sort(([a], [b]) => (a < b ? -1 : 1));
	return [...new Set(blocks)].flatMap((block) => {
		const found = inOrder.filter(([, keys]) => keys.blocks.includes(block)).slice(0, MAX_ALIKE);
		return found.map(([link, { values }]) => ({ block, link, values: [...values] }));
	});
}
