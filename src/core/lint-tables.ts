import type { LintFinding } from './lint-finding';
import { lintStream } from './lint-stream';
import { columnOf, columnsRead, type EntityPolicy, type TableBinding } from './policy';
import { partColumn } from './record-parts';
import { quoteName } from './lint-quote';
import { didYouMean, listOf } from './suggest';
import type { TableFacts } from './table-facts';

/** Holds what an entity says about a system's table against what the table is. */
export function lintTable(
	entity: EntityPolicy,
	binding: TableBinding,
	facts: TableFacts,
): LintFinding[] {
	return [
		...lintNames(entity, binding, facts),
		...lintKey(entity, binding, facts),
		...lintMatchColumns(entity, binding, facts),
		...lintDate(entity, binding, facts),
		...lintStream(entity, binding, facts),
	];
}

function lintNames(
	entity: EntityPolicy,
	binding: TableBinding,
	{ columns }: TableFacts,
): LintFinding[] {
	const known = columns.map(({ name }) => name);
	return namesIn(entity, binding)
		.filter(({ column }) => !known.includes(column))
		.map(({ column, path }) => ({
			severity: 'error',
			path,
			message: `The table ${binding.schema}.${binding.table} of ${binding.system} has no column "${column}"${didYouMean(column, known) || '.'}`,
			fix: 'Correct the name, or add the column to the table.',
		}));
}

/** Every place of the policy that names a column of the table. */
function namesIn(
	entity: EntityPolicy,
	{ system, key, insert, stamp, where, parts }: TableBinding,
): { column: string; path: string }[] {
	const table = pathOf(entity, system);
	const soft = entity.deletes.as.get(system);
	const fields = [...entity.fields.values()].flatMap((field) => {
		const path = `entities.${entity.name}.fields.${field.name}.${system}`;
		const own = columnsRead(field, system).filter((column) => partColumn({ parts }, column) === null);
		return own.map((column) => ({ column, path }));
	});
	return [
		...key.map((column) => ({ column, path: `${table}.key` })),
		...[...insert.keys()].map((column) => ({ column, path: `${table}.insert` })),
		...[...stamp.keys()].map((column) => ({ column, path: `${table}.stamp` })),
		...[...where.keys()].map((column) => ({ column, path: `${table}.where` })),
		...(soft ? [{ column: soft.column, path: `entities.${entity.name}.deletes.as.${system}` }] : []),
		...fields,
	];
}

function lintKey(
	entity: EntityPolicy,
	{ system, key }: TableBinding,
	{ columns, uniqueKeys }: TableFacts,
): LintFinding[] {
	const path = `${pathOf(entity, system)}.key`;
	const findings: LintFinding[] = [];
	// A key with more columns than a unique one is unique too.
	if (uniqueKeys && !isUnique(key, uniqueKeys)) {
		findings.push({
			severity: 'error',
			path,
			message: `No primary key or unique index of ${system} covers the key, so one write could change several rows.`,
			fix: 'Name the columns of the primary key or of a unique index.',
		});
	}
	const nullable = columns.filter(({ name, notNull }) => key.includes(name) && !notNull);
	if (nullable.length > 0) {
		const names = listOf(
			nullable.map(({ name }) => `"${name}"`),
			'and',
		);
		findings.push({
			severity: 'warning',
			path,
			message: `The key column ${names} of ${system} can be null, and a row without a key cannot be synced.`,
			fix: 'Make it not null, or name the columns of the primary key.',
		});
	}
	return findings;
}

/** Records of one system that agree in all fields of a match rule are left to a person. */
function lintMatchColumns(
	entity: EntityPolicy,
	binding: TableBinding,
	{ uniqueKeys }: TableFacts,
): LintFinding[] {
	const { system } = binding;
	return entity.match.flatMap((rule, index): LintFinding[] => {
		const columns = rule.flatMap(
			(name) => columnOf(entity, name, system) ?? [],
		);
		if (!uniqueKeys || columns.length < rule.length || isUnique(columns, uniqueKeys)) return [];
		const list = columns.map((column) => `"${column}"`);
		const places = columns.map((column) => partColumn(binding, column));
		const { schema, table } = places[0]?.part ?? binding;
		const own = columns.map((column, at) => places[at]?.column ?? column);
		const isInOne = places.every((place) => place?.part === places[0]?.part);
		return [
			{
				severity: 'info',
				path: `entities.${entity.name}.match.${index}`,
				message: `Nothing keeps ${listOf(list, 'and')} of ${system} unique; records that share the value are left to a person.`,
				fix: isInOne
					? `Run in ${system}: create unique index on ${quoteName(schema)}.${quoteName(table)} (${own.map(quoteName).join(', ')});`
					: 'Match by fields of one table, where a unique index can cover them.',
			},
		];
	});
}

const DATES: readonly string[] = ['date', 'timestamp', 'timestamptz'];

/** The column by whose date rows are deleted: it must hold one, and what brings a row back. */
function lintDate(entity: EntityPolicy, { system }: TableBinding, { columns }: TableFacts): LintFinding[] {
	const soft = entity.deletes.as.get(system);
	const column = columns.find(({ name }) => name === soft?.column);
	if (!soft || !('passed' in soft) || !column) return [];
	const path = `entities.${entity.name}.deletes.as.${system}`;
	if (column.kind !== undefined && !DATES.includes(column.kind)) {
		const message = `"${column.name}" of ${system} holds no date or time, so it never passes.`;
		return [{ severity: 'error', path, message, fix: 'Name a column of type date, timestamp or timestamptz, or say which value a deleted row has.' }];
	}
	if (soft.live === null && column.notNull) {
		const message = `"${column.name}" of ${system} must not be null, and null is what brings a row back and what new rows get.`;
		return [{ severity: 'error', path, message, fix: "Say { passed: true, live: infinity }, or the date that stands for 'for ever' there." }];
	}
	if (column.kind !== 'timestamp') return [];
	return [
		{
			severity: 'info',
			path,
			message: `"${column.name}" of ${system} has no time zone; it is read as UTC.`,
			fix: 'Make it a timestamptz where it holds local time.',
		},
	];
}

function isUnique(columns: readonly string[], uniqueKeys: readonly (readonly string[])[]): boolean {
	return uniqueKeys.some((unique) => unique.every((column) => columns.includes(column)));
}

function pathOf(entity: EntityPolicy, system: string): string {
	return `entities.${entity.name}.${system}`;
}
