import type { LinkState } from '../../src/core/link';
import type { SyncStore } from '../../src/store/sync-store';

/** The id of a write of this pack; see `operationId`. Names of systems hold no colon. */
const OPERATION = /^([^:]+):([^:]+):(?:(\d+)\.)?(\d+)$/;

interface WriteKey {
	readonly key: string;
	readonly link: string;
	readonly system: string;
	readonly number: number;
}

/**
 * Of the keys that are writes of this pack, those whose outcome has been observed: their records have moved past them, so
 * that they are duplicates for ever, and nobody need remember their claims.
 */
export async function settledKeys(
	store: Pick<SyncStore, 'load'>,
	policy: string,
	keys: readonly string[],
): Promise<ReadonlySet<string>> {
	const writes = keys.flatMap(parsed);
	if (policy === '' || writes.length === 0) return new Set();
	const { links } = await store.load({ policy, links: [...new Set(writes.map(({ link }) => link))] });
	const states = new Map(links.map(({ state }) => [state.id, state]));
	return new Set(writes.filter((write) => isPast(states.get(write.link), write)).map(({ key }) => key));
}

/** Numbers of a system only rise, and one write at a time is under way. What the store has not heard of is not past. */
function isPast(state: LinkState | undefined, { key, system, number }: WriteKey): boolean {
	if (!state || (state.numbers[system] ?? 0) < number) return false;
	return state.inFlight[system]?.id !== key;
}

function parsed(key: string): WriteKey[] {
	const [, link, system, , number] = OPERATION.exec(key) ?? [];
	return link === undefined || system === undefined ? [] : [{ key, link, system, number: Number(number) }];
}
