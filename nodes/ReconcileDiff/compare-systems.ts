import { setTimeout as sleep } from 'node:timers/promises';

import type { ChangeEvent } from '../../src/core/change-event';
import { isBeingTakenIn } from '../../src/core/fresh-read';
import { hasRowIn, type Key, type LinkState } from '../../src/core/link';
import { differenceOf, type RecordDifference, systemsAgree } from '../../src/core/reconcile-record';
import { approvedPart } from '../../src/core/pending';
import { policyInForce } from '../../src/store/published-policy';
import type { LoadedLink, PublishedPolicy } from '../../src/store/sync-store';
import { type ByHash, compareByHash } from './by-hash';
import { chunks } from './chunks';
import type { HashStore } from './hashed-side';
import { lookAt, type Look, recordOf } from './look';
import type { RowSource } from './row-source';

export interface CompareParts {
	readonly store: HashStore;
	readonly published: PublishedPolicy;
	/** Both at a place that their streams have passed. */
	readonly sides: readonly RowSource[];
	readonly entities: readonly string[];
	/** Looks up a later place of the system; whoever asks closes it. */
	readonly later: (system: string) => Promise<RowSource>;
	/** See `ByHashParts`. */
	readonly keeps?: boolean | undefined;
}

export interface FoundDifference {
	readonly difference: RecordDifference;
	/** Reads of records that a link has, by which observing would change something. */
	readonly reads: readonly ChangeEvent[];
	/** Of rows that no link has. */
	readonly newRows: readonly ChangeEvent[];
}

export interface Comparison {
	readonly found: readonly FoundDifference[];
	/** Records that were changed each time they were looked at. */
	readonly stillChanging: readonly Pick<ChangeEvent, 'system' | 'entity' | 'key'>[];
	/** By entity and system. */
	readonly rows: Readonly<Record<string, Readonly<Record<string, number>>>>;
	readonly links: number;
	/** By entity whose rows were all read, instead of being compared by hashes: why. */
	readonly readWhole: Readonly<Record<string, string>>;
	/** By entity of which only what has been written since the last comparison was looked at: when all was hashed for the last time, ISO 8601. */
	readonly lastWhole: Readonly<Record<string, string>>;
}

/** A read that shows a record otherwise than the sync knows it. */
interface Differing {
	readonly event: ChangeEvent;
	/** Null: no link had it. */
	readonly link: string | null;
	/** What it shows when no other read concerns its link. */
	readonly alone: readonly FoundDifference[];
}

/** So often a record that is being changed is looked at again. */
const MAX_LOOKS = 4;
const LOOK_AGAIN_MS = 250;
const LINKS = 1_000;

/**
 * Compares two systems with what the sync knows of each, and with each other. By hashes first (see `compareByHash`);
 * what those leave is read in pages, never all rows at once: what is kept are the records that differ, and those that were being changed.
 */
export async function compareSystems(parts: CompareParts): Promise<Comparison> {
	const comparing = new Comparing(parts);
	for (const entity of parts.entities) await comparing.compare(entity);
	await comparing.lookAgain();
	return await comparing.finish();
}

class Comparing {
	/** By record: the last read of each. */
	readonly #differing = new Map<string, Differing>();
	readonly #moving = new Map<string, ChangeEvent>();
	/** Of which no link had the row when they were looked at last. */
	readonly #new = new Set<string>();
	/** Known to differ, and not because of anything that was read. */
	readonly #standing: RecordDifference[] = [];
	readonly #rows: Record<string, Record<string, number>> = {};
	#links = 0;
	readonly #whole: Record<string, string> = {};
	readonly #lastWhole: Record<string, string> = {};

	constructor(private readonly parts: CompareParts) {}

	async compare(name: string): Promise<void> {
		const { store, published, sides, keeps } = this.parts;
		const entity = policyInForce(published).policy.entities.get(name);
		const byHash = entity ? await compareByHash({ store, policy: published.name, entity, sides, keeps }) : 'the policy does not know it';
		if (typeof byHash === 'string') await this.#readWhole(name, byHash);
		else await this.#lookAtSuspects(name, byHash);
	}

	/** Only what is not by its hash what the store knows, and what the store knows to differ. */
	async #lookAtSuspects(entity: string, { rows, links, suspects, digests, differing, wholeAtMs, keep }: ByHash): Promise<void> {
		if (wholeAtMs !== undefined) this.#lastWhole[entity] = new Date(wholeAtMs).toISOString();
		this.#rows[entity] = { ...rows };
		this.#links += links;
		for (const side of this.parts.sides) {
			for await (const keys of suspects(side.system)) {
				for await (const looks of ahead(chunks(keys), async (some) => await this.#lookAt(await side.read(entity, some)))) this.#note(looks);
			}
		}
		await keep?.();
		if (differing === 0) return;
		await this.#eachLink(async (page) => await digests.differing({ policy: this.parts.published.name, entity, limit: LINKS, ...page }), async (some) => this.#compareAtRest(some));
	}

	async #readWhole(entity: string, why: string): Promise<void> {
		this.#whole[entity] = why;
		for (const side of this.parts.sides) {
			const counts = (this.#rows[entity] ??= {});
			counts[side.system] ??= 0;
			for await (const page of side.rows(entity)) {
				counts[side.system] = (counts[side.system] ?? 0) + page.length;
				await this.#sort(page);
			}
		}
		const { store, published } = this.parts;
		await this.#eachLink(async (page) => await store.scanLinks({ policy: published.name, entity, limit: LINKS, ...page }), async (some) => await this.#compareLinks(entity, some));
	}

	async #eachLink(list: (page: { afterId?: string }) => Promise<readonly LoadedLink[]>, work: (links: readonly LoadedLink[]) => Promise<void>): Promise<void> {
		let afterId: string | undefined;
		do {
			const links = await list(afterId === undefined ? {} : { afterId });
			await work(links);
			afterId = links.length < LINKS ? undefined : links.at(-1)?.state.id;
		} while (afterId !== undefined);
	}

	/**
	 * A row that no link has may have got another key after it was read, which the stream has told by now. So it counts when
	 * it is still there under that key at a later place, and still no link has it.
	 */
	async #sort(reads: readonly ChangeEvent[]): Promise<void> {
		this.#note(await this.#lookAt(reads));
	}

	async #lookAt(reads: readonly ChangeEvent[]): Promise<readonly Look[]> {
		return reads.length === 0 ? [] : await lookAt(this.parts.store, this.parts.published, reads);
	}

	#note(looks: readonly Look[]): void {
		for (const look of looks) {
			const { event, found, isNew, before } = look;
			const record = recordOf(event);
			this.#moving.delete(record);
			this.#differing.delete(record);
			const isUnsure = isNew && !this.#new.has(record);
			if (isNew) this.#new.add(record);
			else this.#new.delete(record);
			if (found === 'moving' || (found === 'differs' && isUnsure)) this.#moving.set(record, event);
			else if (found === 'differs') this.#differing.set(record, { event, link: before?.id ?? null, alone: before === null ? [] : this.#differences([look]) });
		}
	}

	#differences(looks: readonly Look[]): readonly FoundDifference[] {
		return differencesOf(looks, { published: this.parts.published, systems: this.#systems });
	}

	/** Rows that are gone, and what the systems are known to differ in. */
	async #compareLinks(entity: string, links: readonly LoadedLink[]): Promise<void> {
		const { sides } = this.parts;
		this.#links += links.length;
		for (const side of sides) {
			const keys = links.flatMap(({ state }): Key[] => (hasRowIn(state, side.system) && state.keys[side.system] ? [state.keys[side.system] ?? {}] : []));
			await this.#sort(await side.missing(entity, keys));
		}
		this.#compareAtRest(links);
	}

	#compareAtRest(links: readonly LoadedLink[]): void {
		for (const { state, due } of links) if (!due || isBeingTakenIn(state)) this.#compareViews(state);
	}

	/** Only what is at rest: who is about to be written differs for a moment. */
	#compareViews(state: LinkState): void {
		const systems = this.#systems;
		const inForce = policyInForce(this.parts.published);
		const entity = approvedPart(inForce).policy.entities.get(state.entity);
		const isUnderWay = Object.keys(state.inFlight).length > 0;
		if (!entity || isUnderWay || systemsAgree(state, systems, entity) || this.#wasRead(state)) return;
		const difference = differenceOf({ before: state, after: state, systems }, inForce);
		if (difference) this.#standing.push(difference);
	}

	#wasRead({ entity, keys }: LinkState): boolean {
		return this.#systems.some((system) => {
			const record = recordOf({ system, entity, key: keys[system] ?? {} });
			return this.#differing.has(record) || this.#moving.has(record);
		});
	}

	get #systems(): string[] {
		return this.parts.sides.map(({ system }) => system);
	}

	/** Whoever was being changed is looked at alone, at a later place. */
	async lookAgain(): Promise<void> {
		for (let look = 1; look < MAX_LOOKS && this.#moving.size > 0; look++) {
			await sleep(LOOK_AGAIN_MS * look);
			for (const system of this.#systems) await this.#lookAgainIn(system);
		}
	}

	async #lookAgainIn(system: string): Promise<void> {
		const mine = [...this.#moving.values()].filter((event) => event.system === system);
		if (mine.length === 0) return;
		const side = await this.parts.later(system);
		try {
			for (const entity of new Set(mine.map((event) => event.entity))) {
				const keys = mine.flatMap((event) => (event.entity === entity ? [event.key as Key] : []));
				for (const some of chunks(keys)) await this.#sort(await side.read(entity, some));
			}
		} finally {
			await side.close();
		}
	}

	/** Of a link that differs in one system alone, that look at it was all; those of one link, and of none, are looked at together. */
	#differingTogether(): { readonly alone: readonly FoundDifference[]; readonly together: readonly (readonly ChangeEvent[])[] } {
		const byLink = new Map<string, Differing[]>();
		const unknown: ChangeEvent[] = [];
		for (const one of this.#differing.values()) {
			if (one.link === null) unknown.push(one.event);
			else byLink.set(one.link, [...(byLink.get(one.link) ?? []), one]);
		}
		const links = [...byLink.values()];
		const several = links.filter(({ length }) => length > 1).map((some) => some.map(({ event }) => event));
		return {
			alone: links.flatMap((some) => (some.length === 1 ? (some[0]?.alone ?? []) : [])),
			together: [...chunks(several).map((some) => some.flat()), ...chunks(unknown)],
		};
	}

	async finish(): Promise<Comparison> {
		const { store, published } = this.parts;
		const { alone, together } = this.#differingTogether();
		const found: FoundDifference[] = [...alone];
		for (const some of together) {
			const looks = await lookAt(store, published, some);
			const sure = looks.map((look): Look => (look.isNew && !this.#new.has(recordOf(look.event)) ? { ...look, found: 'moving' } : look));
			for (const { event } of sure.filter((look) => look.found === 'moving')) this.#moving.set(recordOf(event), event);
			found.push(...this.#differences(sure));
		}
		const standing = this.#standing.map((difference) => ({ difference, reads: [], newRows: [] }));
		const stillChanging = [...this.#moving.values()].map(({ system, entity, key }) => ({ system, entity, key }));
		return { found: [...found, ...standing], stillChanging, rows: this.#rows, links: this.#links, readWhole: this.#whole, lastWhole: this.#lastWhole };
	}
}

/** Begins the next while one is used. */
async function* ahead<T, R>(items: readonly T[], work: (item: T) => Promise<R>): AsyncGenerator<R, void, undefined> {
	let next: Promise<R> | undefined;
	for (const [at, item] of items.entries()) {
		const current = next ?? work(item);
		const following = items[at + 1];
		next = following === undefined ? undefined : work(following);
		// Where the current one fails, nobody waits for it.
		next?.catch(() => undefined);
		yield await current;
	}
}

/** What differs by these reads: of several that concern one record, together. */
export function differencesOf(looks: readonly Look[], { published, systems }: { published: PublishedPolicy; systems: readonly string[] }): FoundDifference[] {
	const byRecord = new Map<string, Look[]>();
	const moving = new Set(looks.flatMap(({ found, after }) => (found === 'moving' && after ? [after.id] : [])));
	for (const look of looks) {
		if (look.found !== 'differs' || look.after === null || moving.has(look.after.id)) continue;
		byRecord.set(look.after.id, [...(byRecord.get(look.after.id) ?? []), look]);
	}
	return [...byRecord.values()].flatMap((mine) => {
		const { before = null, after = null } = mine[0] ?? {};
		const difference = after && differenceOf({ before, after, systems }, policyInForce(published));
		const eventsOf = (isNew: boolean): ChangeEvent[] => mine.flatMap((look) => (look.isNew === isNew ? [look.event] : []));
		return difference ? [{ difference, reads: eventsOf(false), newRows: eventsOf(true) }] : [];
	});
}
