import { comesAgain, type TransactionBounds } from '../../src/core/poll-horizon';
import type { EventTable } from '../../src/postgres/event-tables';
import type { PollSnapshot } from '../../src/postgres/poll-snapshot';
import type { SnapshotChange } from '../../src/postgres/snapshot-events';
import type { SnapshotColumn } from '../../src/postgres/snapshot-columns';
import { rowsOf } from '../../src/postgres/snapshot-rows';

/** What one poll of a table leaves for the next one. */
export interface PolledState {
	/** See `poll-horizon.ts`. */
	readonly horizon: bigint;
	/** The rows that were there; null: nobody has looked. */
	readonly known: KnownKeys | null;
	/** By key, the transaction that wrote the row, of rows that were seen and that the next poll finds again. */
	readonly seen: ReadonlyMap<string, string>;
}

/** Keys as the server prints them: there may be millions. */
export interface KnownKeys {
	readonly columns: readonly SnapshotColumn[];
	/** From {@link textOf}. */
	readonly texts: ReadonlySet<string>;
}

export interface PollOptions {
	/** A condition in SQL on the rows that are wanted; null: all. */
	readonly where: string | null;
	readonly pageSize: number;
	/** Whether to look for rows that are gone. */
	readonly looksForDeletes: boolean;
	/** Whether keys are remembered at all. */
	readonly keepsKeys: boolean;
}

/**
 * Reads what has become of a table since the last poll, for a workflow without a policy. Rows that were written
 * before the last poll and have been seen do not come again, although they are read again while a transaction that
 * was open then still is.
 */
export class TablePoll {
	#state: PolledState;
	readonly #bounds: TransactionBounds;

	constructor(
		private readonly snapshot: PollSnapshot,
		private readonly table: EventTable,
		before: Pick<PolledState, 'horizon'> & Partial<PolledState>,
		private readonly options: PollOptions,
	) {
		this.#bounds = snapshot.moment;
		this.#state = { known: null, seen: new Map(), ...before };
	}

	/** The first poll of all: what is there now has always been there. */
	static async baseline(snapshot: PollSnapshot, table: EventTable, options: PollOptions): Promise<PolledState> {
		const poll = new TablePoll(snapshot, table, { horizon: snapshot.moment.horizon }, options);
		const known = options.keepsKeys ? await poll.#keysNow() : null;
		return { horizon: snapshot.moment.horizon, known, seen: await poll.#seenNow() };
	}

	/** What has changed, a page at a time; deletes first, so that values which must be unique are free for others. */
	async *changes(): AsyncGenerator<readonly SnapshotChange[], PolledState, undefined> {
		const { known, horizon } = this.#state;
		const { keepsKeys, looksForDeletes } = this.options;
		const now = keepsKeys && (known === null || looksForDeletes) ? await this.#keysNow() : known;
		if (known !== null && now !== null && now !== known) yield* this.#gone(known, now);
		const texts = new Set(now?.texts);
		const seen = new Map<string, string>();
		for await (const page of this.#pages(horizon)) {
			yield page.flatMap((read) => this.#newsOf(read, seen));
			for (const { text } of page) texts.add(text);
		}
		return { horizon: this.#bounds.horizon, known: keepsKeys && now !== null ? { ...now, texts } : null, seen };
	}

	/** @param seen - notes what the next poll will find again */
	#newsOf({ row, text, xmin }: ReadRow, seen: Map<string, string>): SnapshotChange[] {
		const { known, seen: before } = this.#state;
		if (comesAgain(xmin, this.#bounds)) seen.set(text, xmin);
		if (before.get(text) === xmin) return [];
		if (known === null) return [row];
		return [{ ...row, op: known.texts.has(text) ? 'u' : 'c' }];
	}

	*#gone(known: KnownKeys, now: KnownKeys): Generator<readonly SnapshotChange[], void, undefined> {
		let page: (readonly string[])[] = [];
		for (const text of known.texts) {
			if (now.texts.has(text)) continue;
			page.push(known.columns.length === 1 ? [text] : (JSON.parse(text) as string[]));
			if (page.length < this.options.pageSize) continue;
			yield this.#goneRows(known, page);
			page = [];
		}
		if (page.length > 0) yield this.#goneRows(known, page);
	}

	#goneRows({ columns }: KnownKeys, rows: readonly (readonly string[])[]): SnapshotChange[] {
		const { table } = this;
		return rowsOf({ table, columns, rows }, table).map(({ values }) => ({ kind: 'gone', entity: table.entity, key: table.keyOf(values), table }));
	}

	async *#pages(horizon: bigint): AsyncGenerator<ReadRow[], void, undefined> {
		const { where, pageSize } = this.options;
		const written = this.snapshot.writtenSince(horizon);
		const conditions = [where, written].flatMap((one) => (one === null ? [] : [`(${one}\n)`]));
		const condition = conditions.length > 0 ? conditions.join(' and ') : null;
		for await (const page of this.snapshot.pages(this.table, { pageSize, where: condition, withWriters: true })) {
			const places = this.table.key.map((name) => page.columns.findIndex((column) => column.name === name));
			const rows = rowsOf(page, this.table);
			yield page.rows.flatMap((tuple, at): ReadRow[] => {
				const row = rows[at];
				return row ? [{ row, text: textOf(places.map((place) => tuple[place])), xmin: page.writtenBy[at] ?? '' }] : [];
			});
		}
	}

	async #keysNow(): Promise<KnownKeys> {
		const { where } = this.options;
		const columns = await this.snapshot.keyColumns(this.table);
		const texts = new Set<string>();
		for await (const page of this.snapshot.pages(this.table, { pageSize: KEYS_PER_PAGE, where: where && `${where}\n`, keysOnly: true })) {
			for (const tuple of page.rows) texts.add(textOf(tuple));
		}
		return { columns, texts };
	}

	async #seenNow(): Promise<Map<string, string>> {
		const seen = new Map<string, string>();
		for await (const page of this.#pages(this.#bounds.horizon)) for (const { text, xmin } of page) seen.set(text, xmin);
		return seen;
	}
}

interface ReadRow {
	readonly row: Extract<SnapshotChange, { kind: 'row' }>;
	/** Of its key. */
	readonly text: string;
	readonly xmin: string;
}

const KEYS_PER_PAGE = 20_000;

/** The texts of a key's columns as one; of a single column it is the text itself, because there may be millions. */
function textOf(tuple: readonly unknown[]): string {
	const [first, ...others] = tuple;
	return others.length === 0 ? String(first) : JSON.stringify(tuple);
}
