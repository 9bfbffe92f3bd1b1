import type { Json } from '../core/canonical-json';
import { readerOfType, readText, type ValueReader } from './column-values';
import type { RelationColumn } from './pgoutput';
import { type Tuple, UNCHANGED } from './pgoutput-reader';

/** A row version as JSON. A column that is in neither was not sent. A class for the reason that `ChangedRow` is one. */
export class RowValues {
	constructor(
		readonly values: Record<string, Json>,
		/** Columns with large values that did not change and were not sent. */
		readonly unchanged: string[],
	) {}
}

/** Copied for each row, which an empty literal would be, too, but in V8's old generation. */
const NONE: readonly string[] = [];

/** What it takes to read a row: the columns of a relation, or those of a snapshot. */
export interface Columns {
	readonly columns: readonly (Pick<RelationColumn, 'name' | 'typeOid'> & { readonly isIdentity?: boolean })[];
}

/** How rows of one shape are read, worked out once. */
export class RowPlan {
	readonly #names: readonly string[];
	/** Null for a column whose value is the server's text. */
	readonly #readers: readonly (ValueReader | null)[];
	/** Where the columns stand in a tuple. */
	readonly #places: readonly number[];
	/** All columns null. A copy of it has the shape of a row at once; grown column by column, wide ones become slow hash tables. */
	readonly #empty: Readonly<Record<string, Json>>;

	/** @param isRead - the columns that are wanted; absent: all */
	constructor({ columns }: Columns, isRead: (column: Columns['columns'][number]) => boolean = () => true) {
		const read = columns.flatMap((column, place) => (isRead(column) ? [{ ...column, place }] : []));
		this.#names = read.map(({ name }) => name);
		this.#places = read.map(({ place }) => place);
		this.#readers = read.map(({ typeOid }) => withoutText(readerOfType(typeOid)));
		// Parsed and not assigned, which would drop a column named __proto__.
		this.#empty = JSON.parse(`{${this.#names.map((name) => `${JSON.stringify(name)}:null`).join(',')}}`) as Record<string, Json>;
	}

	read(tuple: Tuple): RowValues {
		const [names, places, readers] = [this.#names, this.#places, this.#readers];
		const values: Record<string, Json> = { ...this.#empty };
		for (let at = 0; at < names.length; at++) {
			const text = tuple[places[at]!];
			if (text === null) continue;
			if (typeof text !== 'string') return this.#readPartly(tuple);
			const reader = readers[at]!;
			values[names[at]!] = reader === null ? text : reader(text);
		}
		return new RowValues(values, NONE.slice());
	}

	/** Of a row that lacks columns. */
	#readPartly(tuple: Tuple): RowValues {
		const values: Record<string, Json> = { ...this.#empty };
		const unchanged: string[] = [];
		this.#names.forEach((name, at) => {
			const text = tuple[this.#places[at]!];
			if (text === UNCHANGED) unchanged.push(name);
			const reader = this.#readers[at] ?? readText;
			if (typeof text === 'string') values[name] = reader(text);
			else if (text !== null) delete values[name];
		});
		return new RowValues(values, unchanged);
	}
}

const withoutText = (reader: ValueReader): ValueReader | null => (reader === readText ? null : reader);

const WHOLE = new WeakMap<Columns, RowPlan>();
const IDENTITY = new WeakMap<Columns, RowPlan>();

/** For all columns of rows. */
export function planOf(shape: Columns): RowPlan {
	let plan = WHOLE.get(shape);
	if (!plan) WHOLE.set(shape, (plan = new RowPlan(shape)));
	return plan;
}

/** For those of the replica identity. */
export function identityPlanOf(shape: Columns): RowPlan {
	let plan = IDENTITY.get(shape);
	if (!plan) IDENTITY.set(shape, (plan = new RowPlan(shape, ({ isIdentity }) => isIdentity === true)));
	return plan;
}
