import type { LintFinding } from './lint-finding';
import { quoteName } from './lint-quote';
import { columnsRead, type EntityPolicy, type PartBinding, type TableBinding } from './policy';
import { columnsOfTable } from './record-parts';
import { listOf } from './suggest';
import type { TableFacts } from './table-facts';

/**
 * Whether a table's change stream tells all that the policy needs: old rows, and every mapped column.
 *
 * @param part - of the binding, when it is not its main table
 */
export function lintStream(
	entity: EntityPolicy,
	binding: TableBinding,
	facts: TableFacts,
	part: PartBinding | null = null,
): LintFinding[] {
	const table = streamedTable(entity, binding, part);
	return [...lintReplicaIdentity(table, facts), ...lintPublication(table, facts)];
}

interface StreamedTable {
	readonly system: string;
	readonly schema: string;
	readonly table: string;
	readonly key: readonly string[];
	/** Those of fields. */
	readonly mapped: readonly string[];
	/** All that are read. */
	readonly columns: readonly string[];
	readonly path: string;
}

function streamedTable(entity: EntityPolicy, binding: TableBinding, part: PartBinding | null): StreamedTable {
	const { system, where } = binding;
	const { schema, table, key } = part ?? binding;
	const read = [...entity.fields.values()].flatMap((field) => columnsRead(field, system));
	const mapped = columnsOfTable(binding, { schema, table }, read);
	const soft = entity.deletes.as.get(system);
	const others = part ? [] : [...where.keys(), ...(soft ? [soft.column] : [])];
	const path = `entities.${entity.name}.${system}${part ? `.parts.${part.name}` : ''}`;
	return { system, schema, table, key, mapped, columns: [...key, ...others, ...mapped], path };
}

/**
 * Less than full is enough where the log names an old row by the policy's key: a delete is told by
 * its key, and a value that is not sent because it did not change is known from before. Only a
 * record that was never read whole lacks it.
 */
function lintReplicaIdentity(
	{ system, schema, table, key, mapped, path }: StreamedTable,
	facts: TableFacts,
): LintFinding[] {
	const { replicaIdentity, identityColumns } = facts;
	if (replicaIdentity === undefined || replicaIdentity === 'full') return [];
	const fix = `Run in ${system}: alter table ${quoteName(schema)}.${quoteName(table)} replica identity full;`;
	if (replicaIdentity === 'nothing') {
		const message = `With replica identity nothing ${system} refuses updates and deletes of the table once it is published.`;
		return [{ severity: 'error', path, message, fix }];
	}
	if (identityColumns && !key.every((column) => identityColumns.includes(column))) {
		const message = `With replica identity ${replicaIdentity} the log of ${system} names a deleted row by ${listOf(
			identityColumns.map((column) => `"${column}"`),
			'and',
		)}, which is not the policy's key.`;
		return [{ severity: 'error', path, message, fix }];
	}
	const large = largeColumns(mapped, facts);
	if (large?.length === 0) return [];
	const what = large
		? listOf(
				large.map((column) => `"${column}"`),
				'and',
			)
		: 'a large column';
	const message = `With replica identity ${replicaIdentity} the log of ${system} leaves out ${what} while it is large and does not change; a record that was never read whole lacks it until then.`;
	return [{ severity: 'info', path, message, fix }];
}

/** Mapped columns whose values may be stored apart; undefined when that is not known of every one. */
function largeColumns(mapped: readonly string[], { columns }: TableFacts): string[] | undefined {
	const known = columns.filter(({ name }) => mapped.includes(name));
	if (known.some(({ isToastable }) => isToastable === undefined)) return undefined;
	return known.filter(({ isToastable }) => isToastable).map(({ name }) => name);
}

/** What the publication leaves out is never heard of, and would look as if it did not change. */
function lintPublication(
	{ system, schema, table, columns: read, path }: StreamedTable,
	{ publication, columns }: TableFacts,
): LintFinding[] {
	if (!publication || publication.columns === null) return [];
	const published = publication.columns;
	const known = columns.map(({ name }) => name);
	const missing = [...new Set(read)].filter(
		(name) => known.includes(name) && !published.includes(name),
	);
	if (missing.length === 0) return [];
	const [name, place] = [quoteName(publication.name), `${quoteName(schema)}.${quoteName(table)}`];
	const isOut = published.length === 0;
	const drop = isOut ? '' : `alter publication ${name} drop table ${place}; `;
	return [
		{
			severity: 'error',
			path,
			message: isOut
				? `The publication ${name} of ${system} does not carry the table ${schema}.${table}, so its changes are not seen.`
				: `The publication ${name} of ${system} leaves out ${listOf(
						missing.map((column) => `"${column}"`),
						'and',
					)}, whose changes are not seen.`,
			fix: `Run in ${system}: ${drop}alter publication ${name} add table ${place};`,
		},
	];
}
