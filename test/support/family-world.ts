import type { Json } from '../../src/core/canonical-json';
import type { ChangeEvent } from '../../src/core/change-event';
import type { LinkState, Operation } from '../../src/core/link';
import { inForce, type PolicyInForce } from '../../src/core/observe';
import { parsePolicy } from '../../src/core/parse-policy';
import { STREAM_START } from '../../src/core/position';
import { replay } from '../../src/core/replay';
import { decideBatch, type Decided } from '../../src/store/decide-batch';
import { MemoryStore } from '../../src/store/memory-store';
import { observeBatch } from '../../src/store/observe-batch';
import { EventFeed } from './event-feed';
import { inOneTransaction } from './link-story';

/** Customers and their orders; in billing, accounts and invoices, which have other numbers. */
export const FAMILY_POLICY = `policy: family
systems: [crm, billing]
entities:
  customer:
    crm: { table: public.customers, key: [id] }
    billing: { table: public.accounts, key: [id] }
    match: [[ref]]
    fields:
      ref: { crm: ref, billing: ref, owner: crm }
      friend: { crm: friend, billing: friend, owner: crm, references: customer }
  order:
    crm: { table: public.orders, key: [id] }
    billing: { table: public.invoices, key: [id] }
    match: [[customer, number]]
    parent: { entity: customer, field: customer }
    fields:
      customer: { crm: customer, billing: customer, owner: crm, references: customer }
      number: { crm: number, billing: number, owner: crm }
      total: { crm: total, billing: total, owner: shared, resolve: prefer(crm) }
`;

export type FamilyRow = Readonly<Record<string, Json>>;
export type FamilyTable = 'customer' | 'order';

/** A step of a transaction: the new row, or null where it is deleted. */
interface Change {
	readonly table: FamilyTable;
	readonly key: string;
	readonly row: FamilyRow | null;
}

/** Two databases of customers and orders, and the sync between them over a store in memory. Nothing in it waits. */
export class FamilyWorld {
	readonly store: MemoryStore;
	readonly policy: PolicyInForce;
	readonly crm = new FamilyDatabase('crm', 500);
	readonly billing = new FamilyDatabase('billing', 900);
	/** What was last decided, by link. */
	readonly decided = new Map<string, Decided>();
	#nowMs = 0;

	constructor(text = FAMILY_POLICY) {
		this.store = new MemoryStore({ now: () => this.#nowMs, random: () => 0 });
		this.policy = inForce(parsePolicy(text));
	}

	async start(): Promise<this> {
		const { document, name, systems } = this.policy.policy;
		await this.store.publishPolicy({ name, document, hash: this.policy.hash, by: 'x', initialMode: 'live' });
		for (const system of systems) {
			const about = { slot: system, systemId: '1', timeline: 1, filterHash: '', snapshot: 'none' as const };
			await this.store.registerStream({ policy: name, system, start: STREAM_START, ...about });
		}
		return this;
	}

	/** Observes what one system has to tell. */
	async observe({ unread }: FamilyDatabase): Promise<void> {
		const events = unread.splice(0).flat();
		if (events.length === 0) return;
		for (const seen of await observeBatch(this.store, this.policy.policy.name, events)) {
			if (seen instanceof Error) throw seen;
		}
	}

	/** Decides about all links that are due, and carries out what was decided. @returns whether anything was written */
	async sweep(): Promise<boolean> {
		this.#nowMs += 1_000_000;
		const { name } = this.policy.policy;
		const due = await this.store.leaseDue({ policy: name, limit: 1_000, delayMs: 1, maxDelayMs: 1 });
		const { links, published } = await decideBatch(this.store, { policy: name, links: due.map(({ state }) => state.id) });
		let wrote = false;
		for (const one of links.values()) {
			this.decided.set(one.link, one);
			for (const op of one.ops) {
				wrote = true;
				this[op.system as 'crm' | 'billing'].write(op, published.macKey);
			}
		}
		return wrote;
	}

	/** Until nothing is left to do. */
	async settle(): Promise<void> {
		for (let turn = 0; turn < 100; turn += 1) {
			await this.observe(this.crm);
			await this.observe(this.billing);
			const wrote = await this.sweep();
			if (!wrote && this.crm.unread.length + this.billing.unread.length === 0) return;
		}
		throw new Error('the sync does not come to rest');
	}

	async links(entity: FamilyTable): Promise<LinkState[]> {
		const links = await this.store.scanLinks({ policy: this.policy.policy.name, entity, limit: 1_000 });
		return links.map(({ state }) => state);
	}

	/** What the journal leads to, by link. */
	async replayed(): Promise<Map<string, LinkState | null>> {
		const all = await this.store.readJournal({ policy: this.policy.policy.name, limit: 1_000_000 });
		const ids = [...new Set(all.map(({ link }) => link))];
		return new Map(ids.map((id) => [id, replay(all.filter(({ link }) => link === id), () => this.policy)]));
	}
}

/** One of the two, with a stream of its transactions. Numbers its own rows. */
export class FamilyDatabase {
	readonly rows: Record<FamilyTable, Map<string, FamilyRow>> = { customer: new Map(), order: new Map() };
	/** Transactions that nobody has observed yet. */
	readonly unread: ChangeEvent[][] = [];
	/** How many of our writes were applied. */
	writes = 0;
	readonly #feed: EventFeed;
	#next: number;
	readonly #done = new Set<string>();

	constructor(
		readonly system: string,
		first: number,
	) {
		this.#feed = new EventFeed(system, 'id');
		this.#next = first;
	}

	/** A user's transaction. */
	commit(...changes: readonly Change[]): void {
		const events = changes.map((change) => this.#apply(change));
		this.unread.push(inOneTransaction(...events));
	}

	insert(table: FamilyTable, values: FamilyRow, key = this.#newKey()): string {
		this.commit({ table, key, row: { ...values, id: Number(key) } });
		return key;
	}

	update(table: FamilyTable, key: string, values: FamilyRow): void {
		this.commit({ table, key, row: { ...this.rows[table].get(key), ...values } });
	}

	delete(table: FamilyTable, key: string): void {
		this.commit({ table, key, row: null });
	}

	/** Another number for a customer, which its orders and friends follow. */
	renumber(key: string): string {
		const to = this.#newKey();
		const old = this.rows.customer.get(key);
		const follow = (table: FamilyTable, column: string): Change[] =>
			[...this.rows[table]].flatMap(([at, row]) =>
				String(row[column]) === key && at !== key ? [{ table, key: at, row: { ...row, [column]: Number(to) } }] : [],
			);
		const friend = String(old?.['friend']) === key ? { friend: Number(to) } : {};
		const own: Change = { table: 'customer', key, row: { ...old, ...friend, id: Number(to) } };
		this.commit(own, ...follow('customer', 'friend'), ...follow('order', 'customer'));
		return to;
	}

	/** One of our writes, and its echo. */
	write(op: Operation, macKey: string): void {
		if (this.#done.has(op.id)) return;
		this.#done.add(op.id);
		const table = op.entity as FamilyTable;
		const key = op.kind === 'insert' ? this.#newKey() : String(op.key?.['id']);
		const before = this.rows[table].get(key);
		const stands = op.kind === 'insert' || (before !== undefined && holds(before, op));
		if (!stands) {
			this.unread.push([{ ...this.#feed.echo(op, macKey, { outcome: 'stale' }), entity: table }]);
			return;
		}
		const values = Object.entries(op.fields).map(([name, { next = null }]) => [name, asColumn(name, next)] as const);
		const row = op.kind === 'delete' ? null : { ...EMPTY[table], ...before, ...Object.fromEntries(values), id: Number(key) };
		const echo = { ...this.#feed.echo(op, macKey, { row: row ?? { ...before } }), entity: table };
		this.writes += 1;
		if (row) this.rows[table].set(key, row);
		else this.rows[table].delete(key);
		this.unread.push([row ? echo : { ...echo, op: 'd', before: before ?? null, after: null }]);
	}

	#newKey(): string {
		this.#next += 1;
		return String(this.#next);
	}

	#apply({ table, key, row }: Change): ChangeEvent {
		const before = this.rows[table].get(key) ?? null;
		this.rows[table].delete(key);
		if (row === null) return { ...this.#feed.delete({ ...before, id: Number(key) }), entity: table };
		this.rows[table].set(String(row['id']), row);
		const event = before ? { ...this.#feed.update({ ...row }), before } : this.#feed.insert({ ...row });
		return { ...event, entity: table };
	}
}

/** What a column holds that an insert leaves out. */
const EMPTY: Record<FamilyTable, FamilyRow> = {
	customer: { ref: null, friend: null },
	order: { customer: null, number: null, total: null },
};

/** Our writes are texts; a number column gives numbers back. */
function asColumn(name: string, value: Json): Json {
	return value !== null && ['customer', 'friend'].includes(name) ? Number(value) : value;
}

function holds(row: FamilyRow, { fields, guards }: Operation): boolean {
	const expected = [
		...Object.entries(fields).map(([name, field]) => [name, field.expected ?? null] as const),
		...Object.entries(guards),
	];
	return expected.every(([name, value]) => row[name] === value);
}
