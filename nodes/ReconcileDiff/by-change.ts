import { canonicalJson } from '../../src/core/canonical-json';
import { countOf, unpaired } from '../../src/core/hashed-bucket';
import { isOfUse, isWorthKeeping, type KeptComparison, type Seen, STORE } from '../../src/core/kept-comparison';
import type { Key } from '../../src/core/link';
import type { ChangesOf, LinkChanges, LinkCounts, StoreChanges } from '../../src/store/store-changes';
import { chunks } from './chunks';
import { type ByHashParts, type HashedSide, settled } from './hashed-side';
import type { RowChanges } from './row-source';

/** A side whose changes can be told. */
interface ChangingSide extends HashedSide {
	readonly changes: RowChanges;
}

export interface Counts {
	readonly links: number;
	/** Of the links whose systems do not all show the same. */
	readonly differing: number;
	/** By system. */
	readonly rows: Readonly<Record<string, number>>;
}

/** What is known of an entity without hashing its rows. */
export interface ByChange {
	/** By system. */
	readonly suspects: Readonly<Record<string, readonly Key[]>>;
	/** Null: rows are gone that nobody was told of, so there are other suspects. Is told only when the links have been counted, which takes as long as to look at the suspects. */
	readonly counted: Promise<Counts | null>;
	/** See `KeptComparison`. */
	readonly wholeAtMs: number;
}

/** Rows and records that are compared one by one: where more have been written, all are hashed. */
const MOST = 200_000;

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
	 * with, or too much has been written.
	 */
	async compare(): Promise<ByChange | null> {
		const { kept } = this.found;
		const horizon = kept?.seen[STORE]?.horizon;
		if (!kept || horizon === undefined) return null;
		const { found, counted } = this.#begin(kept, horizon);
		const suspects = await found;
		if (suspects !== null) return { suspects, counted, wholeAtMs: kept.wholeAtMs };
		await counted;
		return null;
	}

	/** Tells the suspects as soon as they are known. Neither the tables' servers nor the store's have anything else to do meanwhile, so all begin at once. */
	#begin(kept: KeptComparison, horizon: string): { found: Promise<ByChange['suspects'] | null>; counted: Promise<Counts | null> } {
		const { sides } = this.found;
		const { policy, entity } = this.parts;
		const looking = settled(sides.map(async ({ system, changes }) => await changes.since(kept.seen[system]?.horizon ?? '0', MOST)));
		let [tell, fail]: [(found: ByChange['suspects'] | null) => void, (error: unknown) => void] = [() => undefined, () => undefined];
		const found = new Promise<ByChange['suspects'] | null>((resolve, reject) => ([tell, fail] = [resolve, reject]));
		const request = { policy, entity: entity.name, shapes: sides.map(({ shape }) => shape), horizon, most: MOST };
		const looked = this.changes.since(request, async (links) => {
			const compared = await this.#compareWith(links, await looking, kept);
			tell(compared && compared.suspects);
			return compared && countsOf(compared, await links.count(), this.found.sides);
		});
		const counted = settled([looked, looking] as const).then(([counts]) => counts);
		counted.then(() => tell(null), fail);
		return { found, counted };
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

	async #compareWith(links: LinkChanges, looks: readonly (Look | null)[], kept: KeptComparison): Promise<Compared | null> {
		if (links.isStale) return null;
		const changed = await links.keysOf(links.changed);
		const [rows, suspects]: [Compared['rows'][number][], Record<string, readonly Key[]>] = [[], {}];
		for (const [at, side] of this.found.sides.entries()) {
			const table = looks[at];
			if (!table) return null;
			const ofLinks = changed.flatMap(({ system, key }) => (system === side.system ? [key] : []));
			const keys = distinct([...(await side.hashing.keysAt(table.ids)), ...ofLinks, ...(kept.suspects[side.system] ?? [])]);
			const found = await this.#compareRows(side, keys, links);
			suspects[side.system] = found.suspects;
			rows.push({ all: table.rows, mine: found.mine, theirs: found.theirs });
		}
		return { suspects, rows };
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

interface Compared extends Pick<ByChange, 'suspects'> {
	/** In the order of the sides: of the table all, and of what was looked at those that it has, and those that the sync knows. */
	readonly rows: readonly { readonly all: number; readonly mine: number; readonly theirs: number }[];
}

/** Null: of what was not looked at, there are not as many rows as the sync knows. */
function countsOf({ rows }: Compared, { links, differing, rows: known }: LinkCounts, sides: readonly ChangingSide[]): Counts | null {
	const isSame = rows.every(({ all, mine, theirs }, at) => all - mine === (known[at] ?? 0) - theirs);
	return isSame ? { links, differing, rows: Object.fromEntries(sides.map(({ system }, at) => [system, rows[at]?.all ?? 0])) } : null;
}

type Look = NonNullable<Awaited<ReturnType<RowChanges['since']>>>;

/** Keys that are looked up at once. */
const LISTED = 1_000;

const distinct = (keys: readonly Key[]): Key[] => [...new Map(keys.map((key) => [canonicalJson({ ...key }), key])).values()];

const whatOf = ({ policy, entity, sides }: ByHashParts): ChangesOf => ({ policy, entity: entity.name, systems: sides.map(({ system }) => system) });
