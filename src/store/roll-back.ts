import type { Json } from '../core/canonical-json';
import { isDue } from '../core/decide';
import { SyncError } from '../core/errors';
import { maskRowKeys, MASK } from '../core/mask';
import { type CreatedRecords, type LeftAlone, type LinkRollBack, rollBack, type RunFilter, RunOfLink } from '../core/roll-back';
import type { EntityPolicy } from '../core/policy';
import { fieldTitle } from '../core/sign-off-words';
import { JournalWalk, type WalkingStore } from './journal-walk';
import { policyInForce, requirePublished } from './published-policy';
import { retryContended } from './retry-contended';
import { spreadOfChange } from './spread-of-links';
import type { LinkCommit, LoadedLink, PublishedPolicy, SyncStore } from './sync-store';

/** Entries of the journal read in one trip, and records worked on at once. */
const ENTRIES = 1_000;
const LINKS = 100;

export type RollBackStore = WalkingStore & Pick<SyncStore, 'load' | 'commit'>;

export interface RollBackAsked {
	readonly policy: string;
	readonly filter: RunFilter;
	/** What is rolled back, in words, for the journal. */
	readonly run: string;
	readonly by: string;
	readonly created: CreatedRecords;
	/** False: only says what would be done. */
	readonly apply: boolean;
	/** Records at most. */
	readonly limit: number;
	/** Examples, and fields that are left alone, to be listed at most. */
	readonly listed: number;
	/** Go on after this entry of the journal (see `next`); '0' from the first one. */
	readonly after: string;
}

export interface RollBackReport {
	/** Records about which the run decided something. */
	readonly records: number;
	/** By `entity.field`, how many are given back, or would be. */
	readonly restored: Readonly<Record<string, number>>;
	/** By reason. */
	readonly leftAlone: Readonly<Record<string, number>>;
	readonly examples: readonly RollBackLine[];
	readonly left: readonly RollBackLine[];
	readonly isCut: boolean;
	/** Where to go on when it is cut; '' when it is not. */
	readonly next: string;
}

/** One field of one record. Values of sensitive fields are masked. */
export interface RollBackLine {
	readonly link: string;
	readonly keys: Json;
	readonly entity: string;
	readonly field: string;
	readonly wrote?: Json;
	readonly restores?: Json;
	readonly why?: string;
	/** See `LeftAlone`; by system, field and raw value. */
	readonly rows?: LeftAlone['rows'];
}

/**
 * Gives back what stood in the systems before a run of ours, field by field, wherever it still is what the run wrote. Writes no
 * system: it changes what the records should hold, as a person's decision does, and makes them due. A record that another
 * worker changes meanwhile is looked at again.
 *
 * @throws SyncError INVALID_SETTING for a run that is not over, POLICY_UNPUBLISHED, STORE_UNREACHABLE, COMMIT_CONTENDED
 */
export async function rollBackRun(store: RollBackStore, asked: RollBackAsked): Promise<RollBackReport> {
	const found = await findLinks(store, asked);
	const run = new RollBack(store, asked);
	for (let place = 0; place < found.links.length; place += LINKS) {
		await run.look(found.links.slice(place, place + LINKS));
	}
	return run.report(found.next);
}

/** The records that the run made operations for, by the entries of the journal about these. */
async function findLinks(store: RollBackStore, { policy, filter, limit, after }: RollBackAsked): Promise<{ links: string[]; next: string }> {
	const links = new Set<string>();
	let afterSeq = after;
	for (;;) {
		const page = await store.readJournal({ policy, kinds: [filter.execution === null ? 'op' : 'decided'], afterSeq, limit: ENTRIES });
		for (const { link, atMs, seq, entry } of page) {
			const isExecution = filter.execution === null || (entry.kind === 'decided' && entry.execution === filter.execution);
			const isOfRun = isExecution && atMs >= filter.fromMs && atMs < filter.untilMs;
			if (isOfRun && !links.has(link) && links.size >= limit) return { links: [...links], next: afterSeq };
			if (isOfRun) links.add(link);
			afterSeq = seq;
		}
		if (page.length < ENTRIES) return { links: [...links], next: '' };
	}
}

class RollBack {
	readonly #store: RollBackStore;
	readonly #asked: RollBackAsked;
	readonly #walk: JournalWalk;
	readonly #restored: Record<string, number> = {};
	readonly #leftAlone: Record<string, number> = {};
	readonly #examples: RollBackLine[] = [];
	readonly #left: RollBackLine[] = [];
	#records = 0;

	constructor(store: RollBackStore, asked: RollBackAsked) {
		this.#store = store;
		this.#asked = asked;
		this.#walk = new JournalWalk(store, asked.policy);
	}

	report(next: string): RollBackReport {
		return {
			records: this.#records,
			restored: this.#restored,
			leftAlone: this.#leftAlone,
			examples: this.#examples,
			left: this.#left,
			isCut: next !== '',
			next,
		};
	}

	async look(ids: readonly string[]): Promise<void> {
		const runs = new Map<string, RunOfLink | string>();
		for (const id of ids) {
			const run = new RunOfLink(this.#asked.filter);
			const why = await this.#walk.through(id, ({ before, after, stored }) => run.note(before, after, stored));
			if (why !== null || !run.isEmpty) runs.set(id, why === null ? run : 'its journal is not complete');
		}
		let open = [...runs.keys()];
		await retryContended(async (isLast) => {
			if (open.length === 0) return true;
			open = await this.#tryOnce(open, runs);
			if (open.length === 0) return true;
			if (!isLast) return null;
			throw new SyncError('COMMIT_CONTENDED', `${open.length} records change all the time; what is rolled back already stays so, and running it again goes on`);
		});
	}

	/** @returns those that another worker has changed meanwhile */
	async #tryOnce(ids: readonly string[], runs: ReadonlyMap<string, RunOfLink | string>): Promise<string[]> {
		const { policy: name, apply, created } = this.#asked;
		const loaded = await this.#store.load({ policy: name, links: ids });
		const published = requirePublished(loaded, name);
		const planned = loaded.links.map((link) => ({ link, plan: planOf(runs.get(link.state.id), link, { published, created }) }));
		const commits = apply ? planned.flatMap(({ link, plan }) => this.#commitOf(link, plan, published) ?? []) : [];
		const results = commits.length > 0 ? (await this.#store.commit({ policy: name, links: commits })).links : [];
		const lost = new Set(commits.filter((_, place) => results[place] === 'conflict').map(({ state }) => state.id));
		for (const { link, plan } of planned) if (!lost.has(link.state.id)) this.#count(link, plan, published);
		return [...lost];
	}

	#commitOf(link: LoadedLink, { fields }: LinkRollBack, published: PublishedPolicy): LinkCommit | null {
		const restores = Object.fromEntries(Object.entries(fields).map(([field, { restores: canon }]) => [field, canon]));
		if (Object.keys(restores).length === 0) return null;
		const policy = policyInForce(published);
		const { run, by } = this.#asked;
		const { state, journal } = rollBack(link.state, { run, by, fields: restores }, policy);
		const due = isDue(state, policy, published.mode);
		return { state, expectedRevision: link.revision, due, claims: [], journal, reviews: [], stopAt: null, ...spreadOfChange(link.state, state, policy) };
	}

	#count({ state }: LoadedLink, { fields, left }: LinkRollBack, published: PublishedPolicy): void {
		this.#records += 1;
		const entity = policyInForce(published).policy.entities.get(state.entity);
		const keys = entity ? maskRowKeys(state.keys as Record<string, Json>, entity) : {};
		const line = (field: string): RollBackLine => ({ link: state.id, keys, entity: state.entity, field: fieldTitle(field) });
		for (const [field, { wrote, restores }] of Object.entries(fields)) {
			const place = `${state.entity}.${fieldTitle(field)}`;
			this.#restored[place] = (this.#restored[place] ?? 0) + 1;
			const values = entity?.sensitive.has(field) ? { wrote: MASK, restores: MASK } : { wrote, restores };
			if (this.#examples.length < this.#asked.listed) this.#examples.push({ ...line(field), ...values });
		}
		for (const { field, why, rows } of left) {
			this.#leftAlone[why] = (this.#leftAlone[why] ?? 0) + 1;
			if (this.#left.length < this.#asked.listed) this.#left.push({ ...line(field), why, ...(rows === undefined ? {} : { rows: maskedRows(rows, entity) }) });
		}
	}
}

function maskedRows(rows: NonNullable<LeftAlone['rows']>, entity: EntityPolicy | undefined): NonNullable<LeftAlone['rows']> {
	const masked = (row: Readonly<Record<string, Json>>): Record<string, Json> =>
		Object.fromEntries(Object.entries(row).map(([field, raw]) => [field, entity?.sensitive.has(field) === false ? raw : MASK]));
	return Object.fromEntries(Object.entries(rows).map(([system, row]) => [system, masked(row)]));
}

function planOf(run: RunOfLink | string | undefined, { state }: LoadedLink, { published, created }: { published: PublishedPolicy; created: CreatedRecords }): LinkRollBack {
	if (run instanceof RunOfLink) return run.plan(state, policyInForce(published), created);
	return { fields: {}, left: [{ field: 'record', why: run ?? 'the record is gone' }] };
}
