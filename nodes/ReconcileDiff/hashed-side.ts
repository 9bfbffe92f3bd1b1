import type { Unpaired } from '../../src/core/hashed-bucket';
import type { Key } from '../../src/core/link';
import type { EntityPolicy } from '../../src/core/policy';
import { type DigestShape, digestShape } from '../../src/core/row-digest';
import type { SyncStore } from '../../src/store/sync-store';
import { chunks } from './chunks';
import type { RowHashing, RowSource } from './row-source';

/** The store, as far as hashes are concerned. */
export type HashStore = Pick<SyncStore, 'load' | 'scanLinks' | 'digests'>;

export interface ByHashParts {
	readonly store: HashStore;
	readonly policy: string;
	readonly entity: EntityPolicy;
	readonly sides: readonly RowSource[];
	/** Leaves what the next comparison can begin with, and begins with what the last one left. */
	readonly keeps?: boolean | undefined;
}

export interface HashedSide {
	readonly system: string;
	readonly shape: DigestShape;
	readonly hashing: RowHashing;
}

/** @returns why not, where the rows of one side have no hashes */
export async function hashedSides({ entity, sides }: ByHashParts): Promise<readonly HashedSide[] | string> {
	const hashed: HashedSide[] = [];
	for (const side of sides) {
		const shape = digestShape(entity, side.system);
		const hashing = typeof shape === 'string' ? shape : ((await side.hashing?.(shape)) ?? 'its rows have no hashes');
		if (typeof shape === 'string' || typeof hashing === 'string') return `${side.system}: ${String(hashing)}`;
		hashed.push({ system: side.system, shape, hashing });
	}
	return hashed;
}

/** Waits for all, also where one fails: a statement that still runs would keep its session from being closed. */
export async function settled<T extends readonly unknown[]>(work: { readonly [At in keyof T]: Promise<T[At]> }): Promise<T> {
	await Promise.allSettled(work);
	return (await Promise.all(work)) as unknown as T;
}

/** Keys of what has no like on the other side: of rows, and of what links know. */
export async function suspectKeys({ mine, theirs }: Unpaired, { hashing, system }: HashedSide, parts: ByHashParts): Promise<Key[]> {
	return [...(await hashing.keysAt(mine)), ...(await keysOf(theirs, system, parts))];
}

const LOADED = 1_000;
/** Keys whose rows are looked up at once. */
export const LISTED = 1_000;

async function keysOf(links: readonly string[], system: string, { store, policy }: ByHashParts): Promise<Key[]> {
	const keys: Key[] = [];
	for (const some of chunks(links, LOADED)) {
		const loaded = await store.load({ policy, links: some });
		keys.push(...loaded.links.flatMap(({ state }): Key[] => (state.keys[system] ? [state.keys[system]] : [])));
	}
	return keys;
}
