import type pg from 'pg';

import { canonicalJson, type Json } from '../../src/core/canonical-json';
import type { Policy } from '../../src/core/policy';
import { isExpected } from './compare-value';
import type { ExpectedRows } from './expectation';
import { bindingOf, quotedName, tableNameOf } from './table-name';

/** A row's columns as text, lists and documents as JSON text. */
type FoundRow = Readonly<Record<string, string | null>>;
type ExpectedRow = ExpectedRows[string][number];

interface TablePlace {
	readonly system: string;
	readonly table: string;
	readonly policy: Policy;
}

/** How a system's rows differ from those expected: each of them exists with these values, and no others exist. */
export async function wrongRows(
	pool: pg.Pool,
	expected: ExpectedRows,
	{ system, policy }: Omit<TablePlace, 'table'>,
): Promise<string[]> {
	const problems: string[] = [];
	for (const [table, rows] of Object.entries(expected)) {
		const found = await readRows(pool, table);
		problems.push(...compareRows(found, rows, { system, table, policy }));
	}
	return problems;
}

/** The same for records that were read already. */
export function wrongRecords(
	records: readonly Readonly<Record<string, Json>>[],
	expected: ExpectedRows,
	place: Omit<TablePlace, 'table'>,
): string[] {
	const found = records.map((record) => Object.fromEntries(Object.entries(record).map(([name, value]) => [name, textOf(value)])));
	return Object.entries(expected).flatMap(([table, rows]) => compareRows(found, rows, { ...place, table }));
}

function textOf(value: Json): string | null {
	return value === null || typeof value === 'string' ? value : canonicalJson(value);
}

async function readRows(pool: pg.Pool, table: string): Promise<FoundRow[]> {
	const { rows } = await pool.query<{ row: FoundRow }>(
		`select (select json_object_agg(key, value) from jsonb_each_text(to_jsonb(t))) as row
		 from ${quotedName(tableNameOf(table))} t order by t::text`,
	);
	return rows.map(({ row }) => row);
}

function compareRows(found: readonly FoundRow[], expected: readonly ExpectedRow[], place: TablePlace): string[] {
	const sets = setColumns(place);
	const known = new Set(found.flatMap((row) => Object.keys(row)));
	const wrongColumns = found.length === 0 ? [] : expected.flatMap((row) => Object.keys(row).filter((column) => !known.has(column)));
	if (wrongColumns.length > 0) {
		return [`${place.system} ${place.table} has no column ${[...new Set(wrongColumns)].map((column) => `"${column}"`).join(', ')}`];
	}
	const differing = (row: FoundRow, wanted: ExpectedRow): string[] =>
		Object.keys(wanted).filter((column) => !isExpected(row[column] ?? null, wanted[column] ?? null, { asSet: sets.has(column) }));
	const pairs = pairUp(expected.length, found.length, (e, f) => differing(found[f] ?? {}, expected[e] ?? {}).length === 0);
	const missing = expected.filter((_, index) => !pairs.has(index));
	const taken = new Set(pairs.values());
	const extra = found.filter((_, index) => !taken.has(index));
	return describe({ missing, extra, differing, place });
}

/** The largest set of pairs that fit: rows that say little must not take the row of one that says more. */
function pairUp(left: number, right: number, fits: (left: number, right: number) => boolean): Map<number, number> {
	const ownerOf = new Map<number, number>();
	const claim = (one: number, tried: Set<number>): boolean => {
		for (let other = 0; other < right; other++) {
			if (tried.has(other) || !fits(one, other)) continue;
			tried.add(other);
			const owner = ownerOf.get(other);
			if (owner !== undefined && !claim(owner, tried)) continue;
			ownerOf.set(other, one);
			return true;
		}
		return false;
	};
	for (let one = 0; one < left; one++) claim(one, new Set());
	return new Map([...ownerOf].map(([other, one]) => [one, other]));
}

interface Differences {
	readonly missing: readonly ExpectedRow[];
	readonly extra: readonly FoundRow[];
	readonly differing: (row: FoundRow, wanted: ExpectedRow) => string[];
	readonly place: TablePlace;
}

/** A row that was expected is told with the one that has its key, or the one that is nearest to it. */
function describe({ missing, extra, differing, place }: Differences): string[] {
	const left = new Set(extra);
	const where = `${place.system} ${place.table}`;
	const key = bindingOf(place.policy, place.system, place.table)?.binding.key ?? [];
	const problems = missing.map((wanted) => {
		const keyed = key.length > 0 && key.every((column) => column in wanted);
		const near = [...left]
			.filter((row) => !keyed || !key.some((column) => differing(row, wanted).includes(column)))
			.sort((a, b) => differing(a, wanted).length - differing(b, wanted).length)[0];
		if (!near) return `${where}: there is no row ${show(wanted)}`;
		left.delete(near);
		const columns = differing(near, wanted).map((column) => `${column} is ${shown(near[column])}, expected ${shown(wanted[column])}`);
		return `${where} ${show(pick(near, key))}: ${columns.join('; ')}`;
	});
	return [...problems, ...[...left].map((row) => `${where}: there is another row ${show(row)}`)];
}

function pick(row: FoundRow, key: readonly string[]): Record<string, Json> {
	const columns = key.length > 0 ? key : Object.keys(row);
	return Object.fromEntries(columns.map((column) => [column, row[column] ?? null]));
}

const shown = (value: Json | undefined): string => canonicalJson(value ?? null);
const show = (row: Readonly<Record<string, Json>>): string =>
	`{ ${Object.entries(row).map(([column, value]) => `${column}: ${shown(value)}`).join(', ')} }`;

/** Columns of fields that are sets, in which the order says nothing. */
function setColumns({ policy, system, table }: TablePlace): Set<string> {
	const entity = policy.entities.get(bindingOf(policy, system, table)?.entity ?? '');
	const fields = [...(entity?.fields.values() ?? [])].filter(
		({ authority }) => authority.kind === 'shared' && authority.resolve.kind === 'union',
	);
	return new Set(fields.flatMap(({ columns }) => columns.get(system)?.column ?? []));
}
