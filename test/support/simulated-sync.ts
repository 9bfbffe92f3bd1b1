import type { ChangeEvent } from '../../src/core/change-event';
import { openReviews } from '../../src/core/draft';
import { decide } from '../../src/core/decide';
import { SyncError } from '../../src/core/errors';
import type { StoredMode } from '../../src/core/journal';
import type { Outcome } from '../../src/core/marker';
import { EXISTENCE, type LinkState, type Operation } from '../../src/core/link';
import { obstaclesOf } from '../../src/core/obstacles';
import { STREAM_START, type Position } from '../../src/core/position';
import type { PolicyInForce } from '../../src/core/observe';
import type { Choice } from '../../src/core/resolve';
import { wakeItem } from '../../src/core/wake-item';
import { decideBatch } from '../../src/store/decide-batch';
import { MemoryStore } from '../../src/store/memory-store';
import { observeBatch } from '../../src/store/observe-batch';
import { asksAboutTwins } from '../../src/store/answer-twins';
import { resolveReview } from '../../src/store/resolve-review';
import type { CommitRequest, CommitResult, LinkCommit } from '../../src/store/sync-store';
import { CommitWatch } from './commit-watch';
import {
	acknowledge,
	emptyDatabase,
	type DatabaseRules,
	type SimulatedDatabase,
} from './simulated-database';
import { SIMULATED_POLICY, simulatedEntity } from './simulated-policy';
import { userTransaction, type Statement } from './simulated-users';
import { applyOperations, type Overwrite } from './simulated-writer';
import { verdictOn, silence, placeOf, wasSetBack } from './silent-overwrite';
import { SimulatedApi, type ApiRules } from './simulated-api';
import { HookTask, ReadTask, SendTask, type ApiOutcome, type Fate, type SentRequest, type Task, type TrafficWorld } from './simulated-traffic';
import type { TrueWrite } from './true-causality';
import { requestMade, UnconditionalWrites, type ApiRequestMade } from './unconditional-writes';

/** All leases are over after this. */
const LEASES_END_MS = 3_600_000;

/** One execution of the workflow: a batch on its way through the nodes. */
export interface Execution {
	readonly system: string;
	step: 'observe' | 'decide' | 'write' | 'acknowledge' | 'done';
	readonly events: readonly ChangeEvent[];
	links: readonly string[];
	ops: readonly Operation[];
	/** Its trigger waits for it; false for one that was given up and goes on all the same. */
	live: boolean;
}

export interface SimulatedSyncOptions {
	readonly systems: readonly string[];
	readonly policy: PolicyInForce;
	/** By system, beyond the entity. */
	readonly rules?: Readonly<Record<string, Omit<DatabaseRules, 'entity'>>>;
	/** Off where users change what names a record: the simulation would no longer know which is which. */
	readonly checksCausality?: boolean;
	/** By system, those that are reached through an API. */
	readonly apis?: Readonly<Record<string, ApiRules>>;
}

/**
 * Simulated databases around the product's own nodes and memory store, stepped by hand: a test
 * decides who does what when, and everything that must never happen is checked on the way.
 */
export class SimulatedSync {
	readonly store = new MemoryStore({ now: () => this.clockMs, graceMs: 0 });
	/** Of the store; moved by whoever lets leases run out. */
	clockMs = 0;
	readonly watch = new CommitWatch();
	readonly executions: Execution[] = [];
	/** Executions that talk to an API. */
	readonly tasks: Task[] = [];
	readonly apis = new Map<string, SimulatedApi>();
	readonly truth: Record<number, TrueWrite> = {};
	/** Every event ever committed, by system. */
	readonly history: Record<string, ChangeEvent[]> = {};
	readonly #dbs = new Map<string, SimulatedDatabase>();
	/** By system, of APIs that cannot write on a condition. */
	readonly #unconditional = new Map<string, UnconditionalWrites>();
	readonly #netZero: { place: string; system: string }[] = [];
	readonly #down = new Set<string>();
	/** Commits that lose to another worker from now on. */
	contention = 0;

	constructor(readonly options: SimulatedSyncOptions) {
		options.systems.forEach((system, index) => {
			this.#dbs.set(system, emptyDatabase(system, index * 1000 + 1));
			this.history[system] = [];
			const rules = options.apis?.[system];
			if (rules) this.apis.set(system, new SimulatedApi(system, rules));
			if (rules && rules.tier !== 'conditional') this.#unconditional.set(system, new UnconditionalWrites(rules, this.truth));
		});
	}

	async start(initialMode: StoredMode = 'live'): Promise<void> {
		const { document, name } = this.options.policy.policy;
		const { hash } = this.options.policy;
		await this.store.publishPolicy({ name, document, hash, by: 'test', initialMode });
		for (const system of this.options.systems.filter((one) => !this.apis.has(one))) {
			const about = { slot: system, systemId: system, timeline: 1, filterHash: '' };
			await this.store.registerStream({ policy: name, system, start: STREAM_START, snapshot: 'none', ...about });
		}
	}

	db(system: string): SimulatedDatabase {
		const db = this.#dbs.get(system);
		if (!db) throw new Error(`no database ${system}`);
		return db;
	}

	user(system: string, statements: readonly Statement[]): void {
		const done = userTransaction(this.db(system), statements, { rules: this.#rules(system), nextId: () => this.#nextId() });
		this.#note(done.writes);
		this.#put(done.db);
	}

	/** The trigger emits what follows the acknowledged position; null when it is busy or has nothing. */
	emit(system: string, size: number, maim: (events: ChangeEvent[]) => ChangeEvent[] = (all) => all): Execution | null {
		if (this.executions.some((one) => one.live && one.system === system)) return null;
		if (this.apis.has(system)) return null;
		const events = this.db(system).log.slice(0, size);
		return events.length === 0 ? null : this.#begin(system, maim(events));
	}

	/** The trigger wakes all due links. */
	wake(system: string): Execution | null {
		const busy = this.executions.some((one) => one.live && one.system === system);
		const due = this.links().filter(({ due: isDue }) => isDue);
		if (busy || due.length === 0) return null;
		this.clockMs += LEASES_END_MS;
		return this.#begin(system, due.map(({ state }) => wakeItem(state, system)));
	}

	/** A webhook arrives: one of those under way, or one that came before. */
	hook(system: string, which: number, isAgain: boolean): void {
		const api = this.apis.get(system);
		if (!api) return;
		const from = isAgain ? api.sent : api.hooks;
		const at = which % Math.max(1, from.length);
		const hook = from[at];
		if (!hook) return;
		if (!isAgain) api.hooks.splice(at, 1);
		this.tasks.push(new HookTask(this.#world(), api, hook));
	}

	/** Somebody asks an API for all its records, and for those that are known. */
	poll(system: string): void {
		const api = this.apis.get(system);
		if (!api) return;
		const known = this.links().map(({ state }) => state.keys[system]).filter((key) => key !== undefined);
		const all = new Map([...api.keys(), ...known].map((key) => [JSON.stringify(key), key]));
		for (const key of all.values()) this.tasks.push(new ReadTask(this.#world(), api, key));
	}

	async stepTask(which: number, fate: Fate): Promise<void> {
		const at = which % Math.max(1, this.tasks.length);
		const task = this.tasks[at];
		if (!task) return;
		const next = await task.step(fate);
		this.tasks.splice(this.tasks.indexOf(task), 1, ...(next ? [next] : []));
	}

	/** The execution dies. */
	killTask(which: number): void {
		this.tasks.splice(which % Math.max(1, this.tasks.length), 1);
	}

	/** Part of the stream once more, whatever was acknowledged. */
	redeliver(system: string, from: number, size: number): Execution {
		const events = (this.history[system] ?? []).slice(from, from + size);
		const execution = this.#begin(system, events);
		execution.live = false;
		return execution;
	}

	/** The target of writes is out of reach, or back. */
	setDown(system: string, down: boolean): void {
		if (down) this.#down.add(system);
		else this.#down.delete(system);
	}

	/** The execution dies; as a zombie it goes on, but its trigger no longer waits for it. */
	crash(execution: Execution, zombie: boolean): void {
		execution.live = false;
		if (!zombie) this.#end(execution);
	}

	/** Runs one node of an execution. */
	async step(execution: Execution): Promise<void> {
		switch (execution.step) {
			case 'observe':
				return await this.#observe(execution);
			case 'decide':
				return await this.#decide(execution);
			case 'write':
				return this.#write(execution);
			case 'acknowledge':
			case 'done':
				if (execution.live) this.#acknowledge(execution.system);
				this.#end(execution);
		}
	}

	/** A person answers a review with the token it has now. */
	async answer(reviewId: string, choice: Choice): Promise<void> {
		const [item] = await this.store.listReviews({ ids: [reviewId], limit: 1 });
		if (!item) throw new Error(`no review ${reviewId}`);
		const refusals = ['INVALID_RESOLUTION', ...(asksAboutTwins(item) ? ['REVIEW_CHANGED'] : [])];
		const store = this.watchedStore();
		try {
			await resolveReview(store, { review: item.id, token: item.token, by: 'person', choice });
			this.watch.acts += 1;
		} catch (error) {
			if (!(error instanceof SyncError) || !refusals.includes(error.code)) throw error;
		}
	}

	openReviews(): { id: string; fields: readonly string[]; kind: string }[] {
		return this.links().flatMap(({ state }) => openReviews(state, SIMULATED_POLICY));
	}

	links(): { state: LinkState; due: boolean }[] {
		const policy = this.store.state.snapshot().policies.get(SIMULATED_POLICY);
		return [...(policy?.links.values() ?? [])].map(({ state, due }) => ({ state: JSON.parse(state) as LinkState, due }));
	}

	position(system: string): Position {
		const { streams } = this.store.state.load({ policy: SIMULATED_POLICY });
		return streams[system]?.position ?? STREAM_START;
	}

	/** Net-zero edits that our writes replaced and that no journal entry tells of. */
	untold(): string[] {
		const told = new Set(this.watch.toldNetZero);
		return this.#netZero.map(({ place, system }) => `${place} ${system}`).filter((one) => !told.has(one));
	}

	/** What writes without a condition have replaced, and nobody was told of. */
	silent(): string[] {
		return [...this.#unconditional.values()].flatMap((writes) => writes.silent(this.watch));
	}

	/** Everything comes back up and runs until nothing is left to do. @returns false when it never ends */
	async pump(batch = 3, maxRounds = 300): Promise<boolean> {
		this.#down.clear();
		this.contention = 0;
		await this.store.setMode(SIMULATED_POLICY, 'live');
		for (let round = 0; round < maxRounds && this.watch.violations.length === 0; round += 1) {
			const open = this.executions[0];
			if (open) {
				await this.step(open);
				continue;
			}
			if (await this.#quietApis()) continue;
			const begun = this.options.systems.map((system) => this.emit(system, batch)).find((one) => one !== null);
			if (begun) continue;
			const [first = ''] = this.options.systems;
			if (this.wake(first) === null) return true;
		}
		return false;
	}

	/** @returns whether there was something to do about an API */
	async #quietApis(): Promise<boolean> {
		if (this.tasks.length > 0) {
			await this.stepTask(0, 'heard');
			return true;
		}
		for (const [system, { hooks }] of this.apis) {
			if (hooks.length === 0) continue;
			this.hook(system, 0, false);
			return true;
		}
		return false;
	}

	async #observe(execution: Execution): Promise<void> {
		const observed = await observeBatch(this.watchedStore(), SIMULATED_POLICY, execution.events);
		const isContended = observed.some((one) => one instanceof SyncError && one.code === 'COMMIT_CONTENDED');
		if (isContended && this.contention === 0) this.watch.violate('a commit loses for ever: the stream is stuck');
		const due = observed.flatMap((one) => (one instanceof SyncError || !one.due || one.link === null ? [] : [one.link]));
		execution.links = [...new Set(due)];
		execution.step = due.length > 0 ? 'decide' : 'acknowledge';
	}

	async #decide(execution: Execution): Promise<void> {
		const { links } = await decideBatch(this.watchedStore(), { policy: SIMULATED_POLICY, links: execution.links });
		execution.ops = [...links.values()].flatMap(({ ops }) => ops);
		execution.step = execution.ops.length > 0 ? 'write' : 'acknowledge';
	}

	/** One target per step. */
	#write(execution: Execution): void {
		const target = execution.ops[0]?.system ?? '';
		const ops = execution.ops.filter(({ system }) => system === target);
		execution.ops = execution.ops.filter(({ system }) => system !== target);
		if (execution.ops.length === 0) execution.step = 'acknowledge';
		const api = this.apis.get(target);
		if (api) {
			for (const op of ops) this.tasks.push(new SendTask(this.#world(), api, op));
			return;
		}
		if (this.#down.has(target)) return;
		this.#apply(target, ops);
	}

	#apply(target: string, ops: readonly Operation[], request?: ApiRequestMade): Outcome | undefined {
		// An API has no ledger and compares nothing but its own condition.
		const defects = request ? { noCompareAndSet: true, reusableOperations: true } : {};
		const { macKey = '' } = this.store.state.load({ policy: SIMULATED_POLICY }).policy ?? {};
		const context = { rules: { ...this.#rules(target), defects }, macKey, truth: this.truth, nextId: () => this.#nextId() };
		const written = applyOperations(this.db(target), ops, context);
		const mayRepeat = request !== undefined && this.#unconditional.get(target)?.mayRepeat(request) === true;
		for (const { op, outcome, recorded } of written.outcomes) {
			if (!recorded && outcome === 'applied' && !mayRepeat) this.watch.noteApplied(op);
		}
		if (this.options.checksCausality !== false) this.#judgeAll(written.overwrites, target, request);
		this.#note(written.writes);
		this.#put(written.db);
		return written.outcomes[0]?.outcome;
	}

	#world(): TrafficWorld {
		return {
			store: this.watchedStore(),
			entity: simulatedEntity(this.options.policy),
			apply: (op, request) => this.#applyThroughApi(op, request),
			isDown: (system) => this.#down.has(system),
			decide: (links) => {
				const execution = this.#begin('', []);
				Object.assign(execution, { step: 'decide', links, live: false });
			},
		};
	}

	#applyThroughApi(op: Operation, request: SentRequest): ApiOutcome {
		const known = this.links().find(({ state }) => state.id === op.link)?.state ?? null;
		const outcome = this.#apply(op.system, [op], requestMade(known, op, request));
		if (outcome === 'applied' || outcome === 'exists' || outcome === 'refused') return outcome;
		return 'gone';
	}

	#judgeAll(overwrites: readonly Overwrite[], target: string, request?: ApiRequestMade): void {
		const unconditional = request && this.#unconditional.get(target);
		for (const overwrite of overwrites) {
			if (unconditional) unconditional.note(overwrite, request);
			else this.#judge(overwrite, target);
		}
	}

	#judge(overwrite: Overwrite, target: string): void {
		const facts = { truth: this.truth, named: this.watch.named };
		const verdict = verdictOn(overwrite, facts);
		if (verdict === 'silent') this.watch.violate(silence(overwrite, this.truth));
		const gone = this.truth[overwrite.write];
		const isVisible = gone !== undefined && !wasSetBack(gone);
		const isChanged = overwrite.by !== undefined; // Whether a record exists is nobody's own field.
		if (isVisible && isChanged && this.#ownerOf(overwrite.field) === target && this.watch.acts === 0) {
			this.watch.violate(`I11 ${overwrite.op} overwrites ${overwrite.field} of its owner`);
		}
		if (verdict === 'net-zero') this.#netZero.push({ place: placeOf(overwrite), system: target });
	}

	#ownerOf(field: string): string | null {
		const authority = simulatedEntity(this.options.policy).fields.get(field)?.authority;
		return authority?.kind === 'owned' ? authority.owner : null;
	}

	#acknowledge(system: string): void {
		this.#dbs.set(system, acknowledge(this.db(system), this.position(system)));
	}

	#begin(system: string, events: readonly ChangeEvent[]): Execution {
		const execution: Execution = { system, step: 'observe', events, links: [], ops: [], live: true };
		this.executions.push(execution);
		return execution;
	}

	#end(execution: Execution): void {
		execution.step = 'done';
		this.executions.splice(this.executions.indexOf(execution), 1);
	}

	/** The store, each of whose commits is looked at. */
	watchedStore(): MemoryStore {
		const { store, watch } = this;
		const commit = async (request: CommitRequest): Promise<CommitResult> => {
			if (this.contention > 0) {
				this.contention -= 1;
				this.#loseFirst(request);
			}
			const before = new Map(this.links().map(({ state }) => [state.id, state]));
			const result = await store.commit(request);
			request.links.forEach((link, index) => {
				if (result.links[index] !== 'committed') return;
				this.#checkDue(link);
				watch.note({ before: before.get(link.state.id) ?? null, after: link.state, journal: link.journal });
			});
			return result;
		};
		return Object.assign(Object.create(store) as MemoryStore, { commit });
	}

	/** What the commit says of being due is what a decision would find. */
	#checkDue({ state, due, expectedRevision }: LinkCommit): void {
		if (this.store.state.load({ policy: SIMULATED_POLICY }).policy?.mode !== 'live') return;
		const needed = Object.keys(state.inFlight).length > 0 || decide(state, this.options.policy, 'live').changed;
		// Who waits for a row that is in the way, or has just asked if two records are one, looks once more when told to.
		const maybeTold = obstaclesOf(state).length > 0 || state.fields[EXISTENCE]?.frozen?.twin !== undefined;
		if (needed === due || expectedRevision === 0 || (due && maybeTold)) return;
		this.watch.violate(`the link is ${due ? '' : 'not '}due, and a decision would ${needed ? '' : 'not '}change it`);
	}

	/** Another worker commits the first link of the request, unchanged. */
	#loseFirst({ links: [first] }: CommitRequest): void {
		if (first === undefined || first.expectedRevision === 0) return;
		const { links } = this.store.state.load({ policy: SIMULATED_POLICY, links: [first.state.id] });
		const [current] = links;
		if (!current) return;
		const { state, revision, due } = current;
		const same = { state, expectedRevision: revision, due, claims: [], releases: [], journal: [], reviews: [], stopAt: null };
		this.store.state.commit({ policy: SIMULATED_POLICY, links: [same] });
	}

	#rules(system: string): DatabaseRules {
		return { entity: simulatedEntity(this.options.policy), unique: ['ref'], ...this.options.rules?.[system] };
	}

	#put(db: SimulatedDatabase): void {
		const api = this.apis.get(db.system);
		if (api) {
			api.changed(this.db(db.system), db);
			this.#dbs.set(db.system, { ...db, log: [] });
			return;
		}
		const known = this.history[db.system]?.at(-1)?.source.position ?? STREAM_START;
		this.history[db.system]?.push(...db.log.filter(({ source }) => (source.position ?? '') > known));
		this.#dbs.set(db.system, db);
	}

	#note(writes: readonly TrueWrite[]): void {
		for (const write of writes) this.truth[write.id] = write;
	}

	#lastId = 0;

	#nextId(): number {
		this.#lastId += 1;
		return this.#lastId;
	}
}
