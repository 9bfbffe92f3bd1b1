import { requestOf } from '../../src/core/api-operation';
import { equalJson } from '../../src/core/canonical-json';
import type { HttpOutcome } from '../../src/core/http-outcome';
import type { Key, Operation } from '../../src/core/link';
import { keyOf, type Row } from '../../src/core/mapping';
import type { EntityPolicy } from '../../src/core/policy';
import type { Reading } from '../../src/core/reading';
import { beginRequests, continueRequests, type Begun, type BeginResult } from '../../src/store/api-requests';
import type { MemoryStore } from '../../src/store/memory-store';
import { observeReadings, takeTickets, type ObservedReading } from '../../src/store/observe-readings';
import { reportOutcomes, type HeldReport } from '../../src/store/report-outcomes';
import type { ApiReply, ApiState, Hook, SimulatedApi } from './simulated-api';
import { SIMULATED_ENTITY, SIMULATED_POLICY } from './simulated-policy';

/** How a write came to be sent. */
export interface SentRequest {
	/** The number of the request. */
	readonly count: number;
	/** The record was read first, and a replica that lagged behind has answered. */
	readonly isReadLate: boolean;
}

/** What a simulated workflow around an API needs of the world. */
export interface TrafficWorld {
	readonly store: MemoryStore;
	readonly entity: EntityPolicy;
	/** Carries out a write at once, without any condition. */
	apply(op: Operation, request: SentRequest): ApiOutcome;
	isDown(system: string): boolean;
	/** Links that are due go on to be decided about. */
	decide(links: readonly string[]): void;
}

export type ApiOutcome = 'applied' | 'exists' | 'gone' | 'refused';

/** What happens to the next exchange with the API. */
export type Fate = 'heard' | 'lost' | 'busy' | 'late';

const LEASE_MS = 1_000;
const policy = SIMULATED_POLICY;

/** One execution that talks to an API, stepped by hand: each step is one node, and it may die between any two. */
export abstract class Task {
	constructor(
		readonly world: TrafficWorld,
		readonly api: SimulatedApi,
	) {}

	/** @returns what comes next; null: it is over */
	abstract step(fate: Fate): Promise<Task | null>;

	protected async observe(reading: Reading): Promise<ObservedReading | undefined> {
		const [observed] = await observeReadings(this.world.store, policy, [reading]);
		if (observed?.due && observed.link !== null) this.world.decide([observed.link]);
		if (observed?.wakes) this.world.decide(observed.wakes.map(({ id }) => id));
		return observed;
	}

	protected readingOf(state: Pick<ApiState, 'key' | 'version'> & { columns: Row | null }, ticket: string | null, earlier: readonly Row[] = []): Reading {
		const { key, columns, version } = state;
		const { entity, api } = this;
		const mapped = [...entity.fields.values()].flatMap((field) => field.columns.get(api.system)?.column ?? []);
		const row = columns ?? {};
		const whole = columns !== null && mapped.every((column) => Object.hasOwn(row, column));
		const said = api.rules.versions && version > 0 ? { version: String(version) } : {};
		const etag = api.rules.tier === 'conditional' ? { etag: `"${version}"` } : {};
		return {
			system: api.system,
			entity: SIMULATED_ENTITY,
			key,
			exists: columns !== null,
			row,
			facts: { ...said, ...(whole ? etag : {}), whole },
			ticket,
			mark: null,
			atMs: null,
			earlier,
		};
	}

	protected get entity(): EntityPolicy {
		return this.world.entity;
	}
}

/** A webhook arrives. */
export class HookTask extends Task {
	constructor(
		world: TrafficWorld,
		api: SimulatedApi,
		readonly hook: Hook,
	) {
		super(world, api);
	}

	async step(): Promise<Task | null> {
		const { key, columns, version } = this.hook;
		if (columns === undefined) return new ReadTask(this.world, this.api, key);
		const observed = await this.observe(this.readingOf({ key, columns, version }, null));
		return observed?.disposition === 'doubtful' ? new ReadTask(this.world, this.api, key, { ticket: observed.ticket, tries: 0 }) : null;
	}
}

/** A record is read: a ticket is taken, the record fetched, and what came back observed. */
export class ReadTask extends Task {
	#read: ApiState | null = null;
	#ticket: string | null;
	#earlier: readonly Row[] = [];

	constructor(
		world: TrafficWorld,
		api: SimulatedApi,
		readonly key: Key,
		readonly again: { readonly ticket: string; readonly tries: number } | null = null,
	) {
		super(world, api);
		this.#ticket = again?.ticket ?? null;
	}

	async step(fate: Fate): Promise<Task | null> {
		const { world, api, key } = this;
		if (this.#ticket === null) {
			const [ticket = null] = await takeTickets(world.store, policy, [{ system: api.system, entity: SIMULATED_ENTITY, key }]);
			this.#ticket = ticket;
			return this;
		}
		if (this.#read === null) {
			if (world.isDown(api.system)) return null;
			this.#read = api.get(key, fate === 'late');
			this.#earlier = api.earlier(key);
			return this;
		}
		const observed = await this.observe(this.readingOf(this.#read, this.#ticket, this.#earlier));
		const { tries = 0 } = this.again ?? {};
		const isDoubtful = observed?.disposition === 'doubtful' && tries < 6;
		return isDoubtful ? new ReadTask(world, api, key, { ticket: observed.ticket, tries: tries + 1 }) : null;
	}
}

/** A write: begin, read if need be, send, report. */
export class SendTask extends Task {
	#begun: Begun | null = null;
	#stage: 'begin' | 'read' | 'check' | 'send' | 'report' = 'begin';
	#read: ApiState | null | undefined;
	#isReadLate = false;
	#reply: ApiReply | null = null;
	#rounds = 0;

	constructor(
		world: TrafficWorld,
		api: SimulatedApi,
		readonly op: Operation,
	) {
		super(world, api);
	}

	async step(fate: Fate): Promise<Task | null> {
		switch (this.#stage) {
			case 'begin': {
				const job = { policy, system: this.api.system, ops: [this.op], leaseMs: LEASE_MS, rate: null };
				return this.#goOn((await beginRequests(this.world.store, job)).get(this.op.id));
			}
			case 'read':
				return this.#fetch(fate);
			case 'check':
				return await this.#check();
			case 'send':
				return this.#send(fate);
			case 'report':
				return await this.#report();
		}
	}

	#goOn(result: BeginResult | undefined): Task | null {
		if (!result || result.kind === 'not-now') return null;
		this.#begun = result.begun;
		this.#stage = result.kind === 'go' ? 'send' : 'read';
		return this;
	}

	#fetch(fate: Fate): Task | null {
		if (this.world.isDown(this.api.system)) return null;
		const { key } = this.op;
		const ref = this.op.fields['ref']?.next;
		this.#read = key ? this.api.get(key, fate === 'late') : this.api.find((columns) => ref != null && equalJson(columns['ref'] ?? null, ref));
		this.#isReadLate = key !== null && this.#read?.version !== this.api.get(key).version;
		this.#stage = 'check';
		return this;
	}

	async #check(): Promise<Task | null> {
		const begun = this.#begun;
		if (!begun || this.#read === undefined) return null;
		const earlier = this.#read === null ? [] : this.api.earlier(this.#read.key);
		const reading = this.#read === null ? null : this.readingOf(this.#read, begun.ticket, earlier);
		const [result] = await continueRequests(this.world.store, policy, [{ begun, reading }]);
		this.world.decide([begun.link]);
		return this.#goOn(result);
	}

	#send(fate: Fate): Task | null {
		const reply = this.#exchange(fate);
		if (fate === 'lost') return null;
		this.#reply = reply;
		this.#stage = 'report';
		return this;
	}

	#exchange(fate: Fate): ApiReply {
		const { api, world, op } = this;
		const later = (isSure: boolean): HttpOutcome => ({ kind: 'later', isSure, retryAfterMs: isSure ? 10 : null, said: 'is busy' });
		if (world.isDown(api.system)) return { outcome: later(true), state: null };
		if (fate === 'busy') return { outcome: later(true), state: null };
		const known = api.answered.get(op.id);
		if (known && op.kind === 'insert') return known;
		const reply = this.#write();
		api.answered.set(op.id, reply);
		// It was carried out, and an error of a gateway is all that is heard.
		return fate === 'late' ? { outcome: later(false), state: null } : reply;
	}

	#write(): ApiReply {
		const { api, world, op } = this;
		const before = op.key ? api.get(op.key) : null;
		if (before?.columns === null) return { outcome: { kind: op.kind === 'delete' ? 'applied' : 'gone' }, state: null };
		if (before && api.rules.tier === 'conditional' && !this.#names(before)) return { outcome: { kind: 'stale' }, state: null };
		const outcome = world.apply(op, { count: this.#begun?.attempt ?? 0, isReadLate: this.#isReadLate });
		if (outcome === 'refused') return { outcome: { kind: 'refused', said: 'answered 422' }, state: null };
		if (outcome !== 'applied') return { outcome: { kind: outcome }, state: null };
		const { ref = null } = requestOf(op, this.entity).flat;
		const after = op.key ? api.get(op.key) : api.find((columns) => equalJson(columns['ref'] ?? null, ref));
		return { outcome: { kind: 'applied' }, state: after };
	}

	/** Whether the request's condition holds. */
	#names({ version }: ApiState): boolean {
		return this.#begun?.etag === `"${version}"` || this.#begun?.version === String(version);
	}

	async #report(): Promise<Task | null> {
		const { world, op } = this;
		const [begun, reply] = [this.#begun, this.#reply];
		if (!begun || !reply) return null;
		const report = { ...begun, outcome: reply.outcome, ...this.#shown(reply), isMissingDeleted: true };
		const [result] = await reportOutcomes(world.store, policy, [report]);
		if (result?.due) world.decide([op.link]);
		if (result?.reported.kind !== 'read' || this.#rounds > 3) return null;
		this.#rounds += 1;
		this.#begun = { ...begun, ticket: result.ticket };
		this.#stage = 'read';
		return this;
	}

	/** What the answer shows of the record. */
	#shown({ state }: ApiReply): Pick<HeldReport, 'row' | 'key' | 'facts'> {
		const { rules } = this.api;
		const columns = state?.columns ?? null;
		if (state === null || columns === null) return { row: null, key: null, facts: { whole: false } };
		const { whole, ...facts } = this.readingOf({ ...state, columns }, null).facts;
		const key = keyOf(this.entity, this.api.system, columns);
		return { row: rules.shows ? columns : null, key, facts: { ...(rules.names ? facts : {}), whole: whole && rules.shows } };
	}
}
