import { canonicalJson } from '../../src/core/canonical-json';
import { countOf, unpaired } from '../../src/core/hashed-bucket';
import { isOfUse, isWorthKeeping, type KeptComparison, MAX_WRITTEN, type Seen, STORE } from '../../src/core/kept-comparison';
import type { Key } from '../../src/core/link';
import type { ChangesOf, LinkChanges, StoreChanges } from '../../src/store/store-changes';
import { chunks } from './chunks';
import { type ByHashParts, type HashedSide, LISTED, settled } from './hashed-side';
import type { RowChanges } from './row-source';

/** A side whose changes can be told. */
interface ChangingSide extends HashedSide {
	readonly changes: RowChanges;
}

/** What is known of an entity without hashing its rows. */
export interface ByChange {
	readonly links: number;
	readonly differing: number;
	readonly rows: Readonly<Record<string, number>>;
	/** By system. */
	readonly suspects: Readonly<Record<string, readonly Key[]>>;
	/** See `KeptComparison`. */
	readonly wholeAtMs: number;
}

interface Beginning {
	readonly sides: readonly ChangingSide[];
	/** By source; what is looked at from now on has at least this. */
	readonly seen: Readonly<Record<string, Seen>>;
	/** Null: nothing to begin with. */
	readonly kept: KeptComparison | null;
	readonly nowMs: number;
}

/** Where a comparison begins, and what the next one may begin with. */
export class ComparedBefore {
	private constructor(
		private readonly parts: ByHashParts,
		private readonly changes: StoreChanges,
		private found: Beginning,
	) {}

	/** Null: what has been written since cannot be told. */
	static async of(parts: ByHashParts, all: readonly HashedSide[], changes: StoreChanges | undefined): Promise<ComparedBefore | null> {
		const sides = all.flatMap((side): ChangingSide[] => (side.hashing.changes ? [{ ...side, changes: side.hashing.changes }] : []));
		if (changes === undefined || sides.length < all.length) return null;
		// Where the store's server does not say which it is, everything is compared; whatever else ails it will be told soon.
		const now = await changes.seen().catch(() => null);
		if (now === null) return null;
		const { nowMs, ...store } = now;
		const ofSide = async ({ system, changes: { identity, horizon } }: ChangingSide): Promise<[string, Seen]> => [system, { identity, horizon: await horizon() }];
		const seen = Object.fromEntries([[STORE, store], ...(await settled(sides.map(ofSide)))]) as Record<string, Seen>;
		const kept = await changes.read(whatOf(parts));
		const identities = Object.fromEntries(Object.entries(seen).map(([name, { identity }]) => [name, identity]));
		return new ComparedBefore(parts, changes, { sides, seen, kept: kept && isOfUse(kept, { identities, ms: nowMs }) ? kept : null, nowMs });
	}

	/**
	 * Compares what has been written since, and what was not equal then. Null: all has to be hashed, as there is nothing to begin
	 * with, or too much has been written, or rows are gone that nobody was told of.
	 */
	async compare(): Promise<ByChange | null> {
		const { kept, sides } = this.found;
		const { parts } = this;
		const horizon = kept?.seen[STORE]?.horizon;
		if (!kept || horizon === undefined) return null;
		// All at once: neither the tables' servers nor the store's have anything else to do meanwhile.
		const looking = settled(sides.map(async ({ system, changes }) => await changes.since(kept.seen[system]?.horizon ?? '0', MAX_WRITTEN)));
		const request = { policy: parts.policy, entity: parts.entity.name, shapes: sides.map(({ shape }) => shape), horizon, most: MAX_WRITTEN };
		const [compared] = await settled([this.changes.since(request, async (links) => await this.#compareWith(links, await looking, kept)), looking] as const);
		return compared;
	}

	/** All links have been written just now, without any change: what comes later is to count. */
	async refreshed(): Promise<void> {
		const { nowMs, ...store } = await this.changes.seen();
		this.found = { ...this.found, seen: { ...this.found.seen, [STORE]: store }, nowMs };
	}

	/** @param suspects - by system, all of them */
	async keep(suspects: Readonly<Record<string, readonly Key[]>>, isWhole: boolean): Promise<void> {
		const { seen, kept, nowMs } = this.found;
		const next = { seen, suspects, wholeAtMs: isWhole ? nowMs : (kept?.wholeAtMs ?? 0) };
		await this.changes.keep(whatOf(this.parts), isWorthKeeping(next) ? next : null);
	}

	async #compareWith(links: LinkChanges, looks: readonly (Look | null)[], kept: KeptComparison): Promise<ByChange | null> {
		if (links.isStale) return null;
		const changed = await links.keysOf(links.changed);
		const [rows, suspects]: [Record<string, number>, Record<string, readonly Key[]>] = [{}, {}];
		for (const [at, side] of this.found.sides.entries()) {
			const [table, known] = [looks[at], links.rows[at]];
			if (!table) return null;
			const ofLinks = changed.flatMap(({ system, key }) => (system === side.system ? [key] : []));
			const keys = distinct([...(await side.hashing.keysAt(table.ids)), ...ofLinks, ...(kept.suspects[side.system] ?? [])]);
			const found = await this.#compareRows(side, keys, links);
			const left = [table.rows - found.mine, (known ?? 0) - found.theirs];
			if (left[0] !== left[1]) return null;
			suspects[side.system] = found.suspects;
			rows[side.system] = table.rows;
		}
		return { links: links.links, differing: links.differing, rows, suspects, wholeAtMs: kept.wholeAtMs };
	}

	/** Of these keys: how many rows there are, how many the sync knows of, and which are not the same. */
	async #compareRows(side: ChangingSide, keys: readonly Key[], links: LinkChanges): Promise<{ mine: number; theirs: number; suspects: readonly Key[] }> {
		const { system, shape, changes } = side;
		const { entity } = shape;
		const found = { mine: 0, theirs: 0, suspects: [] as Key[] };
		for (const some of chunks(keys, LISTED)) {
			const [mine, theirs] = await settled([changes.find(some), links.find(shape, some.map((key) => ({ system, entity, key })))] as const);
			found.mine += countOf(mine);
			found.theirs += countOf(theirs);
			const differing = unpaired(mine, theirs);
			const ofLinks = (await links.keysOf(differing.theirs)).flatMap((one) => (one.system === system ? [one.key] : []));
			found.suspects.push(...(await side.hashing.keysAt(differing.mine)), ...ofLinks);
		}
		return found;
	}
}

type Look = NonNullable<Awaited<ReturnType<RowChanges['since']>>>;

const distinct = (keys: readonly Key[]): Key[] => [...new Map(keys.map((key) => [canonicalJson({ ...key }), key])).values()];

const whatOf = ({ policy, entity, sides }: ByHashParts): ChangesOf => ({ policy, entity: entity.name, systems: sides.map(({ system }) => system) });
