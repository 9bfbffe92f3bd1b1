import { equalJson, type Json } from './canonical-json';
import { decide } from './decide';
import { openReviews } from './draft';
import { emptyLink, EXISTENCE, type Key, type LinkState, type Operation } from './link';
import { keyOf, type Row } from './mapping';
import type { Outcome } from './marker';
import { observe, type PolicyInForce } from './observe';
import { apiOf, columnOf, type EntityPolicy } from './policy';
import { positionOf } from './position';
import type { RecordChange } from './record-change';
import type { Referred, Wait } from './references';
import type { ReviewItem } from './review';

const LINK = 'rehearsed';
const START_MS = Date.UTC(2024, 0, 1);
const LONG_PAST = '2000-01-01T00:00:00Z';
/** The rules of no policy need as many for one change; more are a circle. */
const MAX_OPERATIONS = 40;

/** What the records are called that a field with `references` may name; the key of each is its number in every system. */
export const REFERRED = ['record 1', 'record 2', 'record 3'] as const;

/** The key by which every system names such a record. */
export function keyOfReferred(link: string): string {
	return String(REFERRED.findIndex((one) => one === link) + 1);
}

interface Beginning {
	readonly state: LinkState;
	readonly rows: ReadonlyMap<string, Row>;
	readonly columns: ReadonlyMap<string, Row>;
	readonly events: number;
}

/**
 * One invented record of an entity in all its systems, and what users and the sync do to it: the rules themselves (observe,
 * decide, settle) without store, clock or database.
 */
export class RehearsedRecord {
	readonly #inForce: PolicyInForce;
	readonly entity: EntityPolicy;
	#state: LinkState;
	/** By system. A system without one has no row. */
	readonly rows: Map<string, Row>;
	/** Systems in which the sync has made the record anew. */
	readonly remade = new Set<string>();
	waits: readonly Wait[] = [];
	/** By system, all columns of its table that matter. */
	readonly #columns: ReadonlyMap<string, Row>;
	#events: number;

	private constructor(inForce: PolicyInForce, entity: EntityPolicy, begin: Beginning) {
		this.#inForce = inForce;
		this.entity = entity;
		this.#state = begin.state;
		this.rows = new Map(begin.rows);
		this.#columns = begin.columns;
		this.#events = begin.events;
	}

	/** The record as its systems hold it before anything happens: `values` are raw, by system and column. */
	static begin(inForce: PolicyInForce, entity: EntityPolicy, values: ReadonlyMap<string, Row>): RehearsedRecord {
		const record = new RehearsedRecord(inForce, entity, { state: emptyLink(LINK, entity.name, 1), rows: new Map(), columns: values, events: 0 });
		for (const system of entity.tables.keys()) {
			record.#put(system, { ...record.#liveRow(system), ...values.get(system) });
			record.#observe(system, { snapshot: true });
		}
		record.settle();
		return record;
	}

	/** The same once more, to try something else with. */
	copy(): RehearsedRecord {
		return new RehearsedRecord(this.#inForce, this.entity, { state: this.#state, rows: this.rows, columns: this.#columns, events: this.#events });
	}

	get state(): LinkState {
		return this.#state;
	}

	get reviews(): ReviewItem[] {
		return openReviews(this.#state, this.#inForce.policy.name);
	}

	/** A user's edit of one column. */
	edit(system: string, column: string, raw: Json, laterMs = 0): void {
		const before = this.#keyIn(system);
		this.#put(system, { ...this.rows.get(system), [column]: raw });
		const moved = equalJson({ ...before }, { ...this.#keyIn(system) }) ? {} : { previousKey: before };
		this.#observe(system, { tsMs: START_MS + 60_000 + laterMs, ...moved });
	}

	/** A user's delete, in the way in which the system does it. */
	delete(system: string): void {
		this.#end(system, { tsMs: START_MS + 60_000 });
	}

	/** What is to be written next; each system gets one at a time. */
	decide(): readonly Operation[] {
		const referred = REFERRED.flatMap((link): Referred[] => this.#referredAs(link));
		const { state, ops, waits } = decide(this.#state, this.#inForce, 'live', { referred, twins: [] });
		this.#state = state;
		this.waits = waits;
		return ops;
	}

	/** The system carries the operation out, if its row still is as expected. */
	apply(op: Operation): void {
		const { system } = op;
		const row = this.rows.get(system);
		const isBlind = apiOf(this.entity, system) === 'blind';
		if (op.kind === 'insert') {
			if (row !== undefined) return this.#answer(op, 'exists');
			this.#put(system, { ...this.#liveRow(system, op.number), ...this.#written(op) });
			this.remade.add(system);
			return this.#observe(system, { marker: this.#marker(op, 'applied') });
		}
		if (row === undefined || (!isBlind && !this.#isAsExpected(op, row))) return this.#answer(op, 'stale');
		const blindly = isBlind ? { unconditional: true as const } : {};
		if (op.kind === 'delete') return this.#end(system, { marker: this.#marker(op, 'applied'), ...blindly });
		if (op.existence !== null) this.remade.add(system);
		this.#put(system, { ...row, ...(op.existence === null ? {} : this.#marked(system, 'live')), ...this.#written(op) });
		this.#observe(system, { marker: this.#marker(op, 'applied'), ...blindly });
	}

	/** Decides and carries out until nothing is left to do. @returns false when that never comes */
	settle(): boolean {
		for (let done = 0, ops = this.decide(); ops.length > 0; ops = this.decide()) {
			done += ops.length;
			if (done > MAX_OPERATIONS) return false;
			for (const op of ops) this.apply(op);
		}
		return true;
	}

	/** One record exists of each name, in every system that has such records. */
	#referredAs(link: string): Referred[] {
		const entities = new Set([...this.entity.fields.values()].flatMap(({ references }) => (references === null ? [] : [references])));
		return [...entities].map((entity) => {
			const systems = [...(this.#inForce.policy.entities.get(entity)?.tables.keys() ?? [])];
			return { link, entity, keys: Object.fromEntries(systems.map((system) => [system, keyOfReferred(link)])), fate: 'stays' };
		});
	}

	/** A row of the system that counts as a record, with nothing in the columns that fields are in. */
	#liveRow(system: string, number = 1): Row {
		const binding = this.entity.tables.get(system);
		const keys = (binding?.key ?? []).map((column) => [column, `${system}-${number}`]);
		const scope = [...(binding?.where ?? [])].map(([column, [value = null]]) => [column, value]);
		const empty = Object.keys(this.#columns.get(system) ?? {}).map((column) => [column, null]);
		const given = [...(binding?.insert ?? [])].flatMap(([column, value]) => (value.kind === 'constant' ? [[column, value.value] as const] : []));
		return { ...Object.fromEntries([...empty, ...keys, ...scope, ...given]), ...this.#marked(system, 'live') };
	}

	/** What the row says of itself where rows stay when a record is deleted. */
	#marked(system: string, as: 'live' | 'deleted'): Row {
		const soft = this.entity.deletes.as.get(system);
		if (soft === undefined) return {};
		if (as === 'live') return { [soft.column]: soft.live };
		return { [soft.column]: 'passed' in soft ? LONG_PAST : soft.deleted };
	}

	#written({ system, fields }: Operation): Row {
		const written = Object.entries(fields).flatMap(([name, { next }]) => {
			const column = columnOf(this.entity, name, system);
			return column === undefined || next === undefined ? [] : [[column, next] as const];
		});
		return Object.fromEntries(written);
	}

	#isAsExpected({ system, fields, guards, key }: Operation, row: Row): boolean {
		if (!equalJson({ ...this.#keyIn(system) }, { ...key })) return false;
		const expected = [...Object.entries(fields).map(([name, field]) => [name, field.expected] as const), ...Object.entries(guards)];
		return expected.every(([name, raw]) => {
			const column = name === EXISTENCE ? this.entity.deletes.as.get(system)?.column : columnOf(this.entity, name, system);
			return raw === undefined || column === undefined || equalJson(row[column] ?? null, raw);
		});
	}

	#end(system: string, change: Partial<RecordChange>): void {
		const key = this.#keyIn(system);
		if (this.entity.deletes.as.has(system)) this.#put(system, { ...this.rows.get(system), ...this.#marked(system, 'deleted') });
		else this.rows.delete(system);
		this.#observe(system, { key, ...change });
	}

	#answer(op: Operation, outcome: Outcome): void {
		this.#observe(op.system, { key: null, exists: null, marker: this.#marker(op, outcome) });
	}

	#marker({ id, link, system, entity, key }: Operation, outcome: Outcome): RecordChange['marker'] {
		return { op: id, link, system, entity, outcome, key: outcome === 'applied' ? (key ?? this.#keyIn(system)) : key, mac: '' };
	}

	#put(system: string, row: Row): void {
		this.rows.set(system, row);
	}

	#keyIn(system: string): Key | null {
		const row = this.rows.get(system);
		return row === undefined ? null : keyOf(this.entity, system, row);
	}

	/** The change as it comes out of the system's stream, after everything that came before it. */
	#observe(system: string, given: Partial<RecordChange>): void {
		this.#events += 1;
		const position = positionOf(BigInt(this.#events * 16), 0);
		const row = this.rows.get(system);
		const change: RecordChange = {
			system,
			entity: this.entity.name,
			position,
			firstPosition: position,
			tsMs: START_MS,
			key: this.#keyIn(system),
			previousKey: null,
			exists: row !== undefined,
			columns: given.exists === null ? {} : { ...row },
			unchanged: [],
			marker: null,
			forged: false,
			snapshot: false,
			references: this.#references(system, row ?? {}),
			...given,
		};
		this.#state = observe(this.#state, change, this.#inForce).state;
	}

	#references(system: string, row: Row): Record<string, string> {
		const named = [...this.entity.fields.values()].flatMap(({ name, references, columns }) => {
			const raw = references === null ? null : (row[columns.get(system)?.column ?? ''] ?? null);
			const link = REFERRED.find((one) => keyOfReferred(one) === raw);
			return link === undefined ? [] : [[name, link] as const];
		});
		return Object.fromEntries(named);
	}
}
