import type { ChangeEvent } from '../../src/core/change-event';
import type { Json } from '../../src/core/canonical-json';
import { existsIn, type LinkState, type Operation } from '../../src/core/link';
import type { Row } from '../../src/core/mapping';
import type { Outcome } from '../../src/core/marker';
import { inForce, type PolicyInForce } from '../../src/core/observe';
import { parsePolicy } from '../../src/core/parse-policy';
import { formatLsn } from '../../src/core/lsn';
import { lsnOfPosition, positionOf, STREAM_START } from '../../src/core/position';
import type { Choice } from '../../src/core/resolve';
import { decideBatch } from '../../src/store/decide-batch';
import { MemoryStore } from '../../src/store/memory-store';
import { observeBatch } from '../../src/store/observe-batch';
import { resolveReview } from '../../src/store/resolve-review';
import type { StoredReview } from '../../src/core/review';
import { EventFeed } from './event-feed';
import { inOneTransaction } from './link-story';
import { SIMULATED_ENTITY, SIMULATED_POLICY } from './simulated-policy';

/** Bytes between a commit and the place of a read after it. */
const READ_AFTER = 8n;

/**
 * The batch steps over a store in memory, with databases that do whatever an operation says. For
 * what concerns many records, or a record and its successor; one record alone is told by `LinkStory`.
 */
export class StoreLab {
	/** The store's clock, in milliseconds. */
	nowMs = 0;
	/** In which links are decided, for the journal. */
	execution: string | undefined;
	readonly store = new MemoryStore({ now: () => this.nowMs, graceMs: 0 });
	readonly policy: PolicyInForce;
	/** By system, the rows by their id. */
	readonly rows: Record<string, Record<string, Row>> = {};
	readonly #feeds: Record<string, EventFeed> = {};
	#lastId = 100;
	#reads = 0;

	/** @param entity - said of the only entity, beside its tables, its match rule (`ref`) and its fields `ref` and `note` */
	private constructor(
		readonly systems: readonly string[],
		entity: Readonly<Record<string, Json>>,
	) {
		const columns = (name: string) => Object.fromEntries(systems.map((system) => [system, name]));
		const tables = systems.map((system): [string, Json] => [system, { table: `public.${system}_rows`, key: ['id'] }]);
		const fields = {
			ref: { ...columns('ref'), owner: 'crm' },
			note: { ...columns('note'), owner: 'shared', resolve: 'prefer(crm)' },
		};
		const customer = { ...Object.fromEntries(tables), match: [['ref']], fields, ...entity };
		const document = { policy: SIMULATED_POLICY, systems, entities: { [SIMULATED_ENTITY]: customer } };
		this.policy = inForce(parsePolicy(JSON.stringify(document)));
		for (const system of systems) {
			this.rows[system] = {};
			this.#feeds[system] = new EventFeed(system, 'id', SIMULATED_ENTITY);
		}
	}

	static async open(entity: Readonly<Record<string, Json>> = {}, systems: readonly string[] = ['crm', 'billing']): Promise<StoreLab> {
		const lab = new StoreLab(systems, entity);
		const { document, name } = lab.policy.policy;
		await lab.store.publishPolicy({ name, document, hash: lab.policy.hash, by: 'test', initialMode: 'live' });
		for (const system of systems) {
			const about = { slot: system, systemId: system, timeline: 1, filterHash: '' };
			await lab.store.registerStream({ policy: name, system, start: STREAM_START, snapshot: 'none', ...about });
		}
		return lab;
	}

	/** The event of a row that a user has put into the table, not observed yet. */
	insert(system: string, row: Row): ChangeEvent {
		this.#rowsOf(system)[String(row['id'])] = row;
		return this.#feed(system).insert(row);
	}

	update(system: string, id: string, values: Row): ChangeEvent {
		const row = { ...this.#rowsOf(system)[id], ...values };
		this.#rowsOf(system)[id] = row;
		return this.#feed(system).update(row);
	}

	delete(system: string, id: string): ChangeEvent {
		const { [id]: row = {}, ...rest } = this.#rowsOf(system);
		this.rows[system] = rest;
		return this.#feed(system).delete(row);
	}

	/** Changes a row, or takes it away, where no stream sees it: the table was not published, say. */
	drift(system: string, id: string, values: Row | null): void {
		const { [id]: row = { id }, ...rest } = this.#rowsOf(system);
		this.rows[system] = values === null ? rest : { ...rest, [id]: { ...row, ...values } };
	}

	/** A row, or that there is none, as it is read outside of the stream: after everything that stands there by now. */
	read(system: string, id: string, { run = 'run', gone = 0, again }: { run?: string; gone?: number; again?: true } = {}): ChangeEvent {
		const row = this.#rowsOf(system)[id] ?? null;
		const lsn = lsnOfPosition(this.#feed(system).last) + READ_AFTER - 1n;
		const position = positionOf(lsn, (this.#reads += 1));
		const source = { connector: 'postgresql', position, prev: null, tsMs: 0, txId: null, snapshot: true };
		const fresh = { run, systemId: system, gone, ...(again ? { again } : {}) };
		const what = { op: row ? ('r' as const) : ('d' as const), before: null, after: row, unchanged: [], marker: null, bisync: {} };
		return { changeId: `${system}:${position}`, system, entity: SIMULATED_ENTITY, key: { id }, ...what, source: { ...source, fresh } };
	}

	/** The stream says that it has nothing more for now. Everything in it must have been observed. */
	async idle(system: string): Promise<void> {
		const lsn = lsnOfPosition(this.#feed(system).last) + READ_AFTER;
		await this.store.recordAcknowledged({ policy: SIMULATED_POLICY, system }, formatLsn(lsn));
	}

	/** R1 over events as one transaction; several batches of them when called several times. */
	async observe(...events: readonly ChangeEvent[]): Promise<readonly string[]> {
		const whole = events.length > 1 ? inOneTransaction(...events) : events;
		const seen = await observeBatch(this.store, SIMULATED_POLICY, whole);
		return seen.map((one) => (one instanceof Error ? one.code : one.disposition));
	}

	/** R2 over all due links. */
	async decide(): Promise<readonly Operation[]> {
		const links = this.links().filter(({ due }) => due).map(({ state }) => state.id);
		const decided = await decideBatch(this.store, { policy: SIMULATED_POLICY, links, execution: this.execution });
		return [...decided.links.values()].flatMap(({ ops }) => ops);
	}

	/** The target does what the operation says, and its stream shows it. */
	async apply(op: Operation): Promise<void> {
		await this.observe(await this.carryOut(op));
	}

	/** The event of what the target did, not observed yet. */
	async carryOut(op: Operation): Promise<ChangeEvent> {
		const rows = this.#rowsOf(op.system);
		const { id = `${op.system}-${(this.#lastId += 1)}` } = op.key ?? {};
		const { [String(id)]: before = { id }, ...others } = rows;
		const macKey = await this.#macKey();
		if (op.kind === 'delete') {
			this.rows[op.system] = others;
			const echo = this.#feed(op.system).echo(op, macKey, { row: before });
			return { ...echo, op: 'd', before, after: null };
		}
		const written = Object.entries(op.fields).map(([name, { next = null }]) => [name, next]);
		const row: Row = { ...before, ...Object.fromEntries(written) };
		rows[String(id)] = row;
		return this.#feed(op.system).echo(op, macKey, { row });
	}

	/** The target writes nothing and says why. */
	async answerOp(op: Operation, outcome: Exclude<Outcome, 'applied'>): Promise<void> {
		await this.observe(this.#feed(op.system).echo(op, await this.#macKey(), { outcome }));
	}

	/** Decides and applies until nothing is left to do; gives what was applied. */
	async pump(): Promise<readonly Operation[]> {
		const applied: Operation[] = [];
		for (let ops = await this.decide(); ops.length > 0; ops = await this.decide()) {
			if (applied.length > 10_000) throw new Error('it does not come to rest');
			for (const op of ops) await this.apply(op);
			applied.push(...ops);
		}
		return applied;
	}

	async openReviews(): Promise<readonly StoredReview[]> {
		return await this.store.listReviews({ policy: SIMULATED_POLICY, state: 'open', limit: 10_000 });
	}

	/** A person answers the only open item. */
	async resolve(choice: Choice): Promise<StoredReview> {
		const [item, ...others] = await this.openReviews();
		if (item === undefined || others.length > 0) throw new Error(`${others.length + (item ? 1 : 0)} open items`);
		return await resolveReview(this.store, { review: item.id, token: item.token, by: 'maria', choice });
	}

	links(): { readonly state: LinkState; readonly due: boolean }[] {
		const policy = this.store.state.snapshot().policies.get(SIMULATED_POLICY);
		return [...(policy?.links.values() ?? [])].map(({ state, due }) => ({ state: JSON.parse(state) as LinkState, due }));
	}

	/** The link whose row in the system this is now. */
	linkOf(system: string, id: string): LinkState {
		const found = this.links().find(({ state }) => existsIn(state, system) && state.keys[system]?.['id'] === id);
		if (!found) throw new Error(`no link has the row ${id} of ${system}`);
		return found.state;
	}

	#feed(system: string): EventFeed {
		const feed = this.#feeds[system];
		if (!feed) throw new Error(`no system ${system}`);
		return feed;
	}

	#rowsOf(system: string): Record<string, Row> {
		return (this.rows[system] ??= {});
	}

	async #macKey(): Promise<string> {
		const { policy } = await this.store.load({ policy: SIMULATED_POLICY });
		return policy?.macKey ?? '';
	}
}
