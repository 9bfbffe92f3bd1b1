import { existsIn, type LinkState, type Operation } from '../../src/core/link';
import { parsePolicy } from '../../src/core/parse-policy';
import type { EntityPolicy } from '../../src/core/policy';
import { readerOfType } from '../../src/postgres/column-values';
import { wrongLink, type SystemRows } from '../support/at-rest';
import { JournalReplay } from '../support/journal-replay';
import { namedBy } from '../support/named-values';
import { keyTextOf } from '../support/simulated-database';
import { keyOf } from '../../src/core/mapping';
import { type WitnessedTransaction, witnessedWrites } from '../support/witness';
import { wrongWrites } from '../support/witnessed-writes';
import { CRASH_POLICY, POLICY, type System, SYSTEMS } from './systems';
import { Sums } from './sums';
import { Truth } from './truth';
import { Witness } from './witness';
import type { World } from './world';

export const policy = parsePolicy(CRASH_POLICY);

/** What was checked so far. */
export interface Totals {
	transactions: number;
	writes: number;
	overwritten: number;
	netZero: number;
	links: number;
}

/** Looks behind the scenes: both systems' own logs, their rows, and all that the sync store says of them. */
export class Inspector {
	readonly totals: Totals = { transactions: 0, writes: 0, overwritten: 0, netZero: 0, links: 0 };
	readonly witness: Witness;
	readonly sums = new Sums();
	readonly #truth = new Truth(policy);
	readonly #operations = new Map<string, Operation>();
	readonly #named = new Set<string>();
	#marked = new Set<string>();
	readonly #journal: JournalReplay;
	/** The latest transactions, to tell the story of a record. */
	readonly recent: WitnessedTransaction[] = [];

	constructor(private readonly world: World) {
		this.witness = new Witness(world, policy);
		this.#journal = new JournalReplay(world.store.store, POLICY);
	}

	/**
	 * Checks what has been done since the last time: each write found what it expected, happened once,
	 * and overwrote nothing silently (I3, I4, I5); the journal leads to the states (I9).
	 */
	async inspectHistory(): Promise<string[]> {
		const transactions = await this.witness.testify();
		const states = await readLinks(this.world);
		const { unfaithful } = await this.#readJournal();
		const writes = transactions.flatMap(witnessedWrites);
		const twice = writes.filter(({ marker }) => this.#marked.has(marker.op));
		for (const { marker } of writes) this.#marked.add(marker.op);
		const testimony = { operations: this.#operations, named: this.#named, states };
		const judgement = this.#truth.judge(transactions, testimony);
		this.sums.add(transactions);
		this.#count(transactions.length, writes.length, judgement, states.length);
		this.recent.push(...transactions);
		this.recent.splice(0, Math.max(0, this.recent.length - 20_000));
		return [
			...wrongWrites(writes, { operations: this.#operations, policy }),
			...twice.map(({ marker }) => `I5 ${marker.op} was marked twice`),
			...judgement.problems,
			...unfaithful.map((link) => `I9 the journal of ${link} does not lead to its state`),
		];
	}

	/** Checks that everything is equal and at rest (I1, I2, I7, I8, I13, I15), and history. */
	async inspectAtRest(): Promise<string[]> {
		const history = await this.inspectHistory();
		const states = await readLinks(this.world);
		const rows = Object.fromEntries(
			await Promise.all(SYSTEMS.map(async (system) => [system, await readRows(this.world, system)] as const)),
		) as Record<System, Record<string, SystemRows>>;
		this.#truth.forget();
		return [
			...history,
			...wrongLinks(states, rows),
			...wrongRows(states, rows),
			...this.sums.compare(states),
			...(await wrongAcknowledgements(this.world)),
		];
	}

	/** I6: while nobody did anything but for these changes, the sync has written no more than these. */
	async inspectQuiet(changes: number): Promise<string[]> {
		const before = this.totals.writes;
		const history = await this.inspectHistory();
		const writes = this.totals.writes - before;
		return writes <= changes ? history : [...history, `I6 ${writes} writes after ${changes} changes`];
	}

	/** The store went back to an older copy: operations get numbers again that others had. */
	storeWentBack(): void {
		this.#marked = new Set();
		this.#operations.clear();
		this.#journal.forget();
	}

	/**
	 * A system went back to an older copy: what it has forgotten may be written again, and what is read of
	 * it next replaces newer values, as was agreed to.
	 */
	targetWentBack(system: System): void {
		this.#truth.forgetRows();
		for (const op of this.#marked) if (op.includes(`:${system}:`)) this.#marked.delete(op);
	}

	async #readJournal(): Promise<{ unfaithful: readonly string[] }> {
		const { operations, unfaithful } = await this.#journal.read(({ before, after, entry }) => {
			for (const name of namedBy({ before, after, journal: [entry] }, after.id)) this.#named.add(name);
		});
		for (const [id, op] of operations) this.#operations.set(id, op);
		return { unfaithful };
	}

	#count(
		transactions: number,
		writes: number,
		{ overwritten, netZero }: { overwritten: number; netZero: number },
		links: number,
	): void {
		this.totals.transactions += transactions;
		this.totals.writes += writes;
		this.totals.overwritten += overwritten;
		this.totals.netZero += netZero;
		this.totals.links = links;
	}
}

export async function readLinks({ store }: World): Promise<LinkState[]> {
	const states: LinkState[] = [];
	for (;;) {
		const afterId = states.at(-1)?.id;
		const page = await store.store.scanLinks({ policy: POLICY, limit: 1_000, ...(afterId === undefined ? {} : { afterId }) });
		states.push(...page.map(({ state }) => state));
		if (page.length < 1_000) return states;
	}
}

/** By entity. */
async function readRows(world: World, system: System): Promise<Record<string, SystemRows>> {
	const entities = [...policy.entities.values()].map(
		async (entity) => [entity.name, await readTable(world, system, entity)] as const,
	);
	return Object.fromEntries(await Promise.all(entities));
}

/** The rows as the change stream shows them. */
async function readTable(world: World, system: System, entity: EntityPolicy): Promise<SystemRows> {
	const table = entity.tables.get(system)?.table ?? '';
	const asText = { getTypeParser: () => (text: string) => text } as never;
	const { rows, fields } = await world[system].pool.query<Record<string, string | null>>({
		text: `select * from ${table}`,
		types: asText,
	});
	const readers = new Map(fields.map(({ name, dataTypeID }) => [name, readerOfType(dataTypeID)]));
	const found = rows.map((row) => {
		const values = Object.entries(row).map(([name, text]) => [name, text === null ? null : (readers.get(name)?.(text) ?? text)]);
		const columns = Object.fromEntries(values) as Record<string, string | null>;
		const key = keyOf(entity, system, columns);
		return [keyTextOf(key), { key, columns }] as const;
	});
	return { rows: Object.fromEntries(found) };
}

type RowsBySystem = Readonly<Record<System, Readonly<Record<string, SystemRows>>>>;

function wrongLinks(states: readonly LinkState[], rows: RowsBySystem): string[] {
	return states.flatMap((state) => {
		const entity = policy.entities.get(state.entity);
		if (!entity) return [`${state.id} is of the unknown entity ${state.entity}`];
		const dbs = Object.fromEntries(SYSTEMS.map((system) => [system, rows[system][entity.name] ?? { rows: {} }]));
		const wrong = wrongLink(state, { entity, dbs, others: [] });
		const onlyIn = SYSTEMS.filter((system) => !existsIn(state, system));
		if (wrong !== null) return [`${wrong} (link ${state.id})`];
		return onlyIn.length === 1 ? [`I1 link ${state.id} has no record in ${onlyIn.join()}`] : [];
	});
}

/** I15: each row is of exactly one link. */
function wrongRows(states: readonly LinkState[], rows: RowsBySystem): string[] {
	const owners = new Map<string, number>();
	const place = (entity: string, system: string, key: string): string => `${entity} ${key} of ${system}`;
	for (const state of states) {
		for (const [system, key] of Object.entries(state.keys)) {
			if (!existsIn(state, system)) continue;
			const where = place(state.entity, system, keyTextOf(key));
			owners.set(where, (owners.get(where) ?? 0) + 1);
		}
	}
	return SYSTEMS.flatMap((system) =>
		Object.entries(rows[system]).flatMap(([entity, table]) =>
			Object.keys(table.rows).flatMap((key) => {
				const where = place(entity, system, key);
				const count = owners.get(where) ?? 0;
				return count === 1 ? [] : [`I15 row ${where} is of ${count} links`];
			}),
		),
	);
}

/** I7: no slot has been told to forget what the store does not know to be acknowledged. */
async function wrongAcknowledgements(world: World): Promise<string[]> {
	const { streams } = await world.store.store.load({ policy: POLICY });
	const problems = SYSTEMS.map(async (system) => {
		const { slot, acknowledgedLsn: lsn } = streams[system] ?? { slot: '', acknowledgedLsn: null };
		const { rows } = await world[system].pool.query<{ confirmed: string }>(
			'select confirmed_flush_lsn::text as confirmed from pg_replication_slots where slot_name = $1 and confirmed_flush_lsn > $2',
			[slot, lsn],
		);
		return rows.map(({ confirmed }) => `I7 slot ${slot} stands at ${confirmed}, the store says ${lsn}`);
	});
	return (await Promise.all(problems)).flat();
}
