import type { IDataObject, IExecuteFunctions } from 'n8n-workflow';

import { compareLists, type ListComparison, type ListField, type ListRules } from '../../src/core/reconcile-lists';
import type { PgSettings } from '../../src/postgres/connect';
import type { TableName } from '../../src/postgres/publication';
import { CONNECT_WITH, databaseSettings } from '../shared/open-database';
import type { Outputs } from '../shared/run-node';
import { invalid, oneOf, text } from '../shared/settings';
import { chunks } from './chunks';
import { type Lists, outputsOf } from './compare-items';
import { settled } from './hashed-side';
import { fieldsOf, keysOf, plainFields } from './list-rules';
import { merged } from './sorted-tables';
import { type KeyTexts, type Row, type Sides, TableSide } from './table-side';
import type { TablesByHash, TablesMemory } from './tables-before';
import { tablesByHash } from './tables-by-hash';

export interface TablesRequest {
	readonly databases: { readonly a: PgSettings; readonly b: PgSettings };
	readonly tables: { readonly a: TableName; readonly b: TableName };
	readonly keys: ListRules['keys'];
	/** None: all columns that both tables have by the same name. */
	readonly fields: readonly ListField[];
	/** See `tablesByHash`. */
	readonly memory: TablesMemory | null;
}

/** Compares two tables with each other, without a policy or a store. */
export async function compareTables(context: IExecuteFunctions): Promise<Outputs> {
	const ofA = oneOf('Connect Table A With', context.getNodeParameter('connectWith', 0), CONNECT_WITH);
	const ofB = CONNECT_WITH.find((type) => type !== ofA);
	const keys = keysOf(context.getNodeParameter('key', 0));
	const tables = { a: tableOf('Table A', context.getNodeParameter('tableA', 0)), b: tableOf('Table B', context.getNodeParameter('tableB', 0)) };
	const databases = { a: await databaseSettings(context, ofA), b: await databaseSettings(context, ofB) };
	const fields = fieldsOf(context.getNodeParameter('fields', 0, {}));
	const { onlyChanged } = context.getNodeParameter('tableOptions', 0, {}) as IDataObject;
	return await compareTwoTables({ databases, tables, keys, fields, memory: onlyChanged === true ? context.getWorkflowStaticData('node') : null });
}

/** @throws SyncError TABLE_MISSING, PRIVILEGE_MISSING, and those of `connect` */
export async function compareTwoTables({ databases, tables, keys, fields, memory }: TablesRequest): Promise<Outputs> {
	const startedMs = performance.now();
	const opened = {
		a: async () => await TableSide.open(databases.a, { ...tables.a, key: keys.map(({ a }) => a) }),
		b: async () => await TableSide.open(databases.b, { ...tables.b, key: keys.map(({ b }) => b) }),
	};
	return await withSides(opened, async (sides) => {
		const { rules, notCompared } = await rulesOf(sides, { keys, given: fields });
		const found = await new TableComparison(sides, rules, memory).run();
		return reportOf(found, rules, { notCompared, durationMs: Math.round(performance.now() - startedMs) });
	});
}

/** Opens both, and closes what was opened, also where the other one could not be. */
async function withSides<T>(opened: { readonly a: () => Promise<TableSide>; readonly b: () => Promise<TableSide> }, work: (sides: Sides) => Promise<T>): Promise<T> {
	const opening = [opened.a(), opened.b()] as const;
	try {
		const [a, b] = await settled(opening);
		return await work({ a, b });
	} finally {
		for (const side of await Promise.allSettled(opening)) if (side.status === 'fulfilled') await side.value.close();
	}
}

function tableOf(label: string, given: unknown): TableName {
	const [first = '', second, ...more] = text(label, given).split('.');
	if (first === '' || second === '' || more.length > 0) throw invalid(label, 'must be the name of a table, such as "customers" or "sales.customers"');
	return second === undefined ? { schema: 'public', table: first } : { schema: first, table: second };
}

/** Without a list of fields: all columns that both have by the same name. */
async function rulesOf({ a, b }: Sides, { keys, given }: { keys: ListRules['keys']; given: readonly ListField[] }): Promise<{ rules: ListRules; notCompared: IDataObject }> {
	if (given.length > 0) return { rules: { keys, fields: given }, notCompared: { a: [], b: [] } };
	const [ofA, ofB] = [await a.columns(), await b.columns()].map((columns) => columns.map(({ name }) => name));
	const isKey = new Set(keys.flatMap((key) => [key.a, key.b]));
	const rest = (mine: readonly string[] = [], theirs: readonly string[] = []): string[] => mine.filter((name) => !theirs.includes(name) && !isKey.has(name));
	const both = (ofA ?? []).filter((name) => ofB?.includes(name) && !isKey.has(name));
	return { rules: { keys, fields: plainFields(both) }, notCompared: { a: rest(ofA, ofB), b: rest(ofB, ofA) } };
}

interface Found {
	readonly rows: { readonly a: number; readonly b: number };
	readonly withoutKey: { readonly a: number; readonly b: number };
	readonly lists: Lists;
	readonly comparison: ListComparison;
	/** Why all rows were read, or of which time the last comparison of all of them is. Empty: all were told by hashes. */
	readonly how: { readonly readWhole?: string; readonly lastWhole?: string };
}

/** Rows that are read at once. */
const READ = 500;

/**
 * First the keys of rows that may differ: by hashes, or by reading both tables sorted. Then these rows are read again,
 * at a later moment, and compared: what was on its way between the two moments of the first look is there by then.
 */
class TableComparison {
	readonly #keys = new Map<string, KeyTexts>();
	#rows = { a: 0, b: 0 };

	constructor(
		private readonly sides: Sides,
		private readonly rules: ListRules,
		/** See `tablesByHash`. */
		private readonly memory: TablesMemory | null,
	) {}

	async run(): Promise<Found> {
		const { a, b } = this.sides;
		const byHash = await tablesByHash(this.sides, this.rules, this.memory);
		if (typeof byHash === 'string') await this.#bySorting();
		else {
			this.#rows = byHash.rows;
			for (const key of byHash.keys) this.#suspect(key);
		}
		const withoutKey = { a: await a.rowsWithoutKey(), b: await b.rowsWithoutKey() };
		const { lists, comparison } = await this.#readAgain();
		return { rows: this.#rows, withoutKey, lists, comparison, how: typeof byHash === 'string' ? { readWhole: byHash } : lastWholeOf(byHash) };
	}

	#suspect(key: KeyTexts): void {
		this.#keys.set(JSON.stringify(key), key);
	}

	async #bySorting(): Promise<void> {
		await withSides(this.#later, async (sides) => {
			for await (const batch of merged(sides)) {
				this.#rows = { a: this.#rows.a + batch.a.length, b: this.#rows.b + batch.b.length };
				this.#suspectFound(batch, compareLists(batch.a, batch.b, this.rules));
			}
		});
	}

	#suspectFound({ a, b }: Lists, { different, onlyInA, onlyInB, duplicates }: ListComparison): void {
		const ofSide = { a: [...different.map((one) => one.a), ...onlyInA], b: [...onlyInB] };
		for (const { side, places } of duplicates) ofSide[side].push(...places);
		for (const at of ofSide.a) this.#suspect(this.sides.a.keyOf(a[at] ?? {}));
		for (const at of ofSide.b) this.#suspect(this.sides.b.keyOf(b[at] ?? {}));
	}

	async #readAgain(): Promise<Pick<Found, 'lists' | 'comparison'>> {
		const kept = new KeptRows();
		if (this.#keys.size === 0) return kept;
		await withSides(this.#later, async ({ a, b }) => {
			for (const keys of chunks([...this.#keys.values()], READ)) {
				const [mine, theirs] = await settled([a.read(keys), b.read(keys)] as const);
				kept.add({ a: mine, b: theirs }, compareLists(mine, theirs, this.rules));
			}
		});
		return kept;
	}

	/** Both tables at a later moment. */
	get #later(): Parameters<typeof withSides>[0] {
		const [ofA, ofB] = this.#columns;
		return { a: async () => await this.sides.a.later(ofA), b: async () => await this.sides.b.later(ofB) };
	}

	get #columns(): [string[], string[]] {
		return [this.rules.fields.map(({ a }) => a), this.rules.fields.map(({ b }) => b)];
	}
}

const lastWholeOf = ({ wholeAtMs }: TablesByHash): Found['how'] => (wholeAtMs === undefined ? {} : { lastWhole: new Date(wholeAtMs).toISOString() });

/** What was found in batches, with the rows that it is about. */
class KeptRows {
	readonly lists: { a: Row[]; b: Row[] } = { a: [], b: [] };
	readonly comparison = { different: [], onlyInA: [], onlyInB: [], duplicates: [], withoutKey: [], equal: 0 } as {
		-readonly [Name in keyof ListComparison]: ListComparison[Name] extends readonly (infer One)[] ? One[] : ListComparison[Name];
	};

	add({ a, b }: Lists, found: ListComparison): void {
		const keep = (side: 'a' | 'b', place: number): number => this.lists[side].push((side === 'a' ? a : b)[place] ?? {}) - 1;
		const { comparison } = this;
		for (const { a: mine, b: theirs, fields } of found.different) comparison.different.push({ a: keep('a', mine), b: keep('b', theirs), fields });
		comparison.onlyInA.push(...found.onlyInA.map((place) => keep('a', place)));
		comparison.onlyInB.push(...found.onlyInB.map((place) => keep('b', place)));
		for (const { side, places } of found.duplicates) comparison.duplicates.push({ side, places: places.map((place) => keep(side, place)) });
	}
}

function reportOf({ rows, withoutKey, lists, comparison, how }: Found, rules: ListRules, facts: { notCompared: IDataObject; durationMs: number }): Outputs {
	const outputs = outputsOf(lists, comparison, rules);
	const summary = outputs[3]?.[0]?.json ?? {};
	const isEqual = summary['equal'] === true && withoutKey.a + withoutKey.b === 0;
	const { same: _counted, ...rest } = summary;
	const whole = { ...rest, equal: isEqual, rows, withoutKey, ...how, ...facts };
	return [...outputs.slice(0, 3), [{ json: whole }]].map((output) => output.map(({ json }) => ({ json, pairedItem: { item: 0 } })));
}
