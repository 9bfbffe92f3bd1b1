import type { LintFinding } from './lint-finding';
import type { EntityPolicy, TableBinding } from './policy';
import { didYouMean, listOf } from './suggest';

/** What a system's database says about one table. */
export interface TableFacts {
	readonly system: string;
	readonly schema: string;
	readonly table: string;
	readonly columns: readonly ColumnFacts[];
	/** Columns of each primary key and full unique index; left out when not looked up. */
	readonly uniqueKeys?: readonly (readonly string[])[];
	/** pg_class.relreplident; left out for other databases. */
	readonly replicaIdentity?: 'default' | 'full' | 'index' | 'nothing';
}

export interface ColumnFacts {
	readonly name: string;
	readonly notNull: boolean;
	/** A default, an identity or a generated column: an insert may leave it out. */
	readonly hasDefault: boolean;
}

/** Holds what an entity says about a system's table against what the table is. */
export function lintTable(
	entity: EntityPolicy,
	binding: TableBinding,
	facts: TableFacts,
): LintFinding[] {
	return [
		...lintNames(entity, binding, facts),
		...lintRequired(entity, binding, facts),
		...lintKey(entity, binding, facts),
		...lintReplicaIdentity(entity, binding, facts),
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
	{ system, key, insert, stamp }: TableBinding,
): { column: string; path: string }[] {
	const table = pathOf(entity, system);
	const fields = [...entity.fields.values()].flatMap(({ name, columns }) => {
		const column = columns.get(system)?.column;
		return column === undefined
			? []
			: [{ column, path: `entities.${entity.name}.fields.${name}.${system}` }];
	});
	return [
		...key.map((column) => ({ column, path: `${table}.key` })),
		...[...insert.keys()].map((column) => ({ column, path: `${table}.insert` })),
		...[...stamp.keys()].map((column) => ({ column, path: `${table}.stamp` })),
		...fields,
	];
}

function lintRequired(
	entity: EntityPolicy,
	binding: TableBinding,
	facts: TableFacts,
): LintFinding[] {
	const { system, insert, stamp } = binding;
	const mapped = [...entity.fields.values()].map(({ columns }) => columns.get(system)?.column);
	const given = new Set([...mapped, ...insert.keys(), ...stamp.keys()]);
	const missing = facts.columns
		.filter(({ name, notNull, hasDefault }) => notNull && !hasDefault && !given.has(name))
		.map(({ name }) => `"${name}"`);
	if (missing.length === 0) return [];
	return [
		{
			severity: 'error',
			path: `${pathOf(entity, system)}.insert`,
			message: `New records cannot be created in ${system}: ${listOf(missing, 'and')} must not be null and nothing gives a value.`,
			fix: 'Give each a value under insert, map a field to it, or give the column a default.',
		},
	];
}

function lintKey(
	entity: EntityPolicy,
	{ system, key }: TableBinding,
	facts: TableFacts,
): LintFinding[] {
	// A key with more columns than a unique one is unique too.
	const isUnique = facts.uniqueKeys?.some((unique) =>
		unique.every((column) => key.includes(column)),
	);
	if (isUnique !== false) return [];
	return [
		{
			severity: 'error',
			path: `${pathOf(entity, system)}.key`,
			message: `No primary key or unique index of ${system} covers the key, so one write could change several rows.`,
			fix: 'Name the columns of the primary key or of a unique index.',
		},
	];
}

function lintReplicaIdentity(
	entity: EntityPolicy,
	{ system, schema, table }: TableBinding,
	{ replicaIdentity }: TableFacts,
): LintFinding[] {
	if (replicaIdentity === undefined || replicaIdentity === 'full') return [];
	const isNothing = replicaIdentity === 'nothing';
	return [
		{
			severity: isNothing ? 'error' : 'info',
			path: pathOf(entity, system),
			message: isNothing
				? `With replica identity nothing ${system} refuses updates and deletes of the table once it is published.`
				: `With replica identity ${replicaIdentity} a deleted row of ${system} arrives without its values, and a large unchanged column without its old one.`,
			fix: `Run in ${system}: alter table ${quote(schema)}.${quote(table)} replica identity full;`,
		},
	];
}

function pathOf(entity: EntityPolicy, system: string): string {
	return `entities.${entity.name}.${system}`;
}

function quote(name: string): string {
	return `"${name.replaceAll('"', '""')}"`;
}
