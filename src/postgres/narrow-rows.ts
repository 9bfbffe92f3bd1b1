import { keyText } from '../core/mapping';
import { readerOfType } from './column-values';
import type { EventTables } from './event-tables';
import type { RowMessage } from './pgoutput';
import type { Tuple } from './pgoutput-reader';
import type { Relation } from './source-transaction';
import { recordName } from './transaction-events';

/** A table's rows without all but what tells their records apart. */
export class NarrowRows {
	/** Whether rows of the table are events. */
	readonly isMapped: boolean;
	/** Of the columns that are read, in the rows of the table, ascending. */
	readonly places: readonly number[];
	/** As if the table had no others. */
	readonly relation: Relation;
	/** Whether a changed row has shown that the log names rows by their key. */
	isProven = false;
	/** Null for a part, whose rows are named as those of its main table. */
	readonly entity: string | null;
	/** By name, which is the order of texts in a record's name. */
	readonly #columns: readonly { readonly at: number; readonly read: (text: string) => string }[];

	constructor(
		readonly whole: Relation,
		tables: EventTables,
	) {
		const kind = tables.ofRelation(whole);
		const key = kind?.table.key ?? [];
		this.isMapped = kind !== undefined;
		this.entity = kind?.kind === 'record' ? kind.table.entity : null;
		this.places = whole.columns.flatMap(({ name }, at) => (key.includes(name) ? [at] : []));
		const columns = this.places.map((at) => whole.columns[at]!);
		this.relation = { ...whole, columns };
		this.#columns = columns
			.map(({ name, typeOid }, at) => ({ name, at, read: (text: string) => keyText(readerOfType(typeOid)(text)) }))
			.sort((a, b) => (a.name < b.name ? -1 : 1));
	}

	/** @returns the records that the row is of, or was; null where that is not plain to see, see `recordsOf` */
	recordsOf({ tag, old, new: row }: RowMessage): string[] | null {
		if (tag !== 'insert' && !this.isProven) return null;
		const now = this.#nameOf(row ?? old);
		if (now === null || old === null || row === null) return now === null ? null : [now];
		const before = this.#nameOf(old);
		if (before === null) return null;
		return before === now ? [now] : [now, before];
	}

	#nameOf(tuple: Tuple | null): string | null {
		if (this.entity === null || tuple === null || this.#columns.length === 0) return null;
		let name = recordName(this.entity);
		for (const { at, read } of this.#columns) {
			const text = tuple[at];
			if (typeof text !== 'string') return null;
			name = recordName(name, read(text));
		}
		return name;
	}
}
