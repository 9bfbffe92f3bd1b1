import { isDeepStrictEqual } from 'node:util';

import type { MaskKind } from '../../src/core/shape-event';
import type { PublishedOperation, TableName } from '../../src/postgres/publication';
import { labelOf } from '../../src/postgres/snapshot-columns';
import { invalid, nameList, oneOf, optionalText, secret, text } from '../shared/settings';

/** A table whose changes are wanted, and what of them. */
export interface TableRule extends TableName {
	/** Those that are sent, besides the key; null: all. */
	readonly columns: readonly string[] | null;
	/** A condition in SQL on one row, as it was typed; null: all rows. */
	readonly where: string | null;
	readonly masks: ReadonlyMap<string, MaskKind>;
}

export interface TableRules {
	readonly tables: readonly TableRule[];
	readonly operations: readonly PublishedOperation[];
	/** Of the hashes; '' where nothing is hashed. */
	readonly maskKey: string;
}

export const OPERATIONS: readonly PublishedOperation[] = ['insert', 'update', 'delete', 'truncate'];

/** A shorter key can be found out by whoever knows one value and its hash. */
const MIN_KEY_LENGTH = 16;

/**
 * Reads which changes are wanted, from the node's parameters.
 *
 * @throws SyncError INVALID_SETTING, naming the field
 */
export function readTableRules(parameter: (name: string) => unknown): TableRules {
	const tables = nameList('Tables', parameter('tables')).map((name) => tableOf('Tables', name));
	const rules = entriesOf(parameter('tableRules'), 'rule').map((given) => ({
		table: knownTable('Table Rules', given['table'], tables),
		columns: given['columns'] === undefined || given['columns'] === '' ? null : nameList('Columns', given['columns']),
		where: optionalText('Only Rows Where', given['where']) || null,
	}));
	const masks = entriesOf(parameter('masks'), 'mask').flatMap((given) => {
		const table = knownTable('Masked Columns', given['table'], tables);
		const mask = oneOf('Mask', given['mask'], ['hash', 'redact', 'drop'] as const);
		return nameList('Columns', given['columns']).map((column) => ({ table, column, mask }));
	});
	const of = <T extends { readonly table: TableName }>(all: readonly T[], table: TableName): T[] => all.filter((one) => isDeepStrictEqual(one.table, table));
	return {
		tables: tables.map((table) => ({ ...table, ...ruleOf(table, of(rules, table)), masks: masksOf(table, of(masks, table)) })),
		operations: operationsOf(parameter('operations')),
		maskKey: maskKeyOf(parameter('maskKey'), masks.some(({ mask }) => mask === 'hash')),
	};
}

type Given = Readonly<Record<string, unknown>>;

/** What was entered in a collection that may have several entries. */
function entriesOf(collection: unknown, name: string): readonly Given[] {
	const entries = (collection as Given | undefined)?.[name];
	return Array.isArray(entries) ? (entries as Given[]) : [];
}

function ruleOf(table: TableName, rules: readonly Pick<TableRule, 'columns' | 'where'>[]): Pick<TableRule, 'columns' | 'where'> {
	if (rules.length > 1) throw invalid('Table Rules', `have two rules for ${labelOf(table)}; make them one`);
	const { columns = null, where = null } = rules[0] ?? {};
	return { columns, where };
}

function masksOf(table: TableName, given: readonly { readonly column: string; readonly mask: MaskKind }[]): Map<string, MaskKind> {
	const masks = new Map<string, MaskKind>();
	for (const { column, mask } of given) {
		if (masks.has(column)) throw invalid('Masked Columns', `name the column ${column} of ${labelOf(table)} twice`);
		masks.set(column, mask);
	}
	return masks;
}

function operationsOf(given: unknown): PublishedOperation[] {
	if (given === undefined) return [...OPERATIONS];
	const wanted = nameList('Operations', given);
	for (const one of wanted) oneOf('Operations', one, OPERATIONS);
	return OPERATIONS.filter((one) => wanted.includes(one));
}

function maskKeyOf(given: unknown, isNeeded: boolean): string {
	const key = secret('Key for Hashes', given);
	if (!isNeeded) return '';
	if (key.length >= MIN_KEY_LENGTH) return key;
	throw invalid('Key for Hashes', `must have at least ${MIN_KEY_LENGTH} characters, or hashed values could be guessed`);
}

function knownTable(label: string, given: unknown, tables: readonly TableName[]): TableName {
	const table = tableOf(label, text('Table', given));
	if (tables.some((one) => isDeepStrictEqual(one, table))) return table;
	throw invalid(label, `name the table ${labelOf(table)}, which is not among "Tables"`);
}

/** "schema.table", or "table" in the schema public. */
function tableOf(label: string, name: string): TableName {
	const parts = name.split('.');
	const [schema = '', table = ''] = parts.length === 1 ? ['public', name] : parts;
	if (parts.length <= 2 && schema !== '' && table !== '') return { schema, table };
	throw invalid(label, `must be a list of names such as public.customers; "${name}" is not one`);
}

/** A table with its rules, and what it is. */
export interface LookedAtTable extends TableRule {
	readonly key: readonly string[];
	/** All columns that it has. */
	readonly present: readonly string[];
}

/**
 * Holds the rules against the tables as they are. Pure.
 *
 * @throws SyncError INVALID_SETTING for a column that is not there, whose name may have been mistyped: a mask would hide nothing
 */
export function checkRules(tables: readonly LookedAtTable[]): void {
	for (const { columns, masks, key, present, ...table } of tables) {
		const missing = (list: Iterable<string>): string | undefined => [...list].find((column) => !present.includes(column));
		const [unknown, unmasked] = [missing(columns ?? []), missing(masks.keys())];
		if (unknown !== undefined) throw invalid('Table Rules', `name the column ${unknown}, which ${labelOf(table)} does not have`);
		if (unmasked !== undefined) throw invalid('Masked Columns', `name the column ${unmasked}, which ${labelOf(table)} does not have`);
		const bare = key.find((column) => masks.has(column) && masks.get(column) !== 'hash');
		if (bare !== undefined) {
			throw invalid('Masked Columns', `can only hash ${bare}, which is of the key of ${labelOf(table)}: without it nobody could tell its rows apart`);
		}
	}
}
