import type { LintFinding } from './lint-finding';
import { quoteName } from './lint-quote';
import { lintStream } from './lint-stream';
import { columnsRead, type EntityPolicy, type PartBinding, type TableBinding } from './policy';
import { columnOfPart, columnsOfTable, partColumn, partOfField } from './record-parts';
import { didYouMean, listOf } from './suggest';
import type { TableFacts } from './table-facts';

/** What is known of a table, if anything. */
export type FactsOf = (table: Pick<PartBinding, 'schema' | 'table'>) => TableFacts | undefined;

/**
 * The facts of a record of a system as if its tables were one, for what asks about columns. What joins a part
 * to its record is left out: nobody has to give it a value.
 */
export function joinedFacts(binding: TableBinding, factsOf: FactsOf): TableFacts | undefined {
	const main = factsOf(binding);
	if (main === undefined || binding.parts.size === 0) return main;
	const known = [...binding.parts.values()].flatMap((part) => {
		const facts = factsOf(part);
		return facts ? [{ part, facts }] : [];
	});
	const columns = known.flatMap(({ part: { name, key }, facts }) =>
		facts.columns
			.filter((column) => !key.includes(column.name))
			.map((column) => ({ ...column, name: columnOfPart(name, column.name), part: name })),
	);
	const unique = known.flatMap(({ part, facts }) =>
		(facts.uniqueKeys ?? []).map((key) => key.map((column) => columnOfPart(part.name, column))),
	);
	const { uniqueKeys } = main;
	return { ...main, columns: [...main.columns, ...columns], ...(uniqueKeys ? { uniqueKeys: [...uniqueKeys, ...unique] } : {}) };
}

/** Holds what an entity says about the parts of a system's table against what their tables are. */
export function lintParts(entity: EntityPolicy, binding: TableBinding, factsOf: FactsOf): LintFinding[] {
	const found = [...binding.parts.values()].flatMap((part) => {
		const facts = factsOf(part);
		if (!facts) return [];
		return [
			...lintNames(entity, binding, { part, facts }),
			...lintJoin(entity, binding, { part, facts }),
			...lintStream(entity, binding, facts, part),
		];
	});
	return [...lintMatching(entity, binding), ...found];
}

interface KnownPart {
	readonly part: PartBinding;
	readonly facts: TableFacts;
}

function lintNames(entity: EntityPolicy, binding: TableBinding, { part, facts }: KnownPart): LintFinding[] {
	const known = facts.columns.map(({ name }) => name);
	const path = pathOf(entity, binding, part);
	const ofFields = [...entity.fields.values()].flatMap((field) =>
		columnsOfTable(binding, part, columnsRead(field, binding.system)).map((column) => ({
			column,
			path: `entities.${entity.name}.fields.${field.name}.${binding.system}`,
		})),
	);
	const named = [
		...part.key.map((column) => ({ column, path: `${path}.key` })),
		...[...part.insert.keys()].map((column) => ({ column, path: `${path}.insert` })),
		...[...part.stamp.keys()].map((column) => ({ column, path: `${path}.stamp` })),
		...ofFields,
	];
	return named
		.filter(({ column }) => !known.includes(column))
		.map(({ column, path: place }) => ({
			severity: 'error',
			path: place,
			message: `The table ${part.schema}.${part.table} of ${binding.system} has no column "${column}"${didYouMean(column, known) || '.'}`,
			fix: 'Correct the name, or add the column to the table.',
		}));
}

/** One-to-one, and never without its record: what is not so is not seen from the rows alone. */
function lintJoin(entity: EntityPolicy, binding: TableBinding, { part, facts }: KnownPart): LintFinding[] {
	const { system } = binding;
	const { uniqueKeys, foreignKeys } = facts;
	const path = `${pathOf(entity, binding, part)}.key`;
	const table = nameOf(part);
	const columns = part.key.map(quoteName).join(', ');
	const findings: LintFinding[] = [];
	if (uniqueKeys && !uniqueKeys.some((unique) => unique.every((column) => part.key.includes(column)))) {
		findings.push({
			severity: 'error',
			path,
			message: `A record of ${system} could have several rows of the part "${part.name}": no primary key or unique index covers ${listOf(part.key, 'and')}.`,
			fix: `Run in ${system}: create unique index on ${table} (${columns}); or make its rows an entity of their own.`,
		});
	}
	if (foreignKeys && !foreignKeys.some((key) => joins(key, part, binding))) {
		findings.push({
			severity: 'warning',
			path,
			message: `Nothing keeps a row of the part "${part.name}" of ${system} from being there before its record, or staying after it: what such a row holds is not known before it changes again.`,
			fix: `Run in ${system}: alter table ${table} add foreign key (${columns}) references ${nameOf(binding)} (${binding.key.map(quoteName).join(', ')}) on update cascade on delete cascade;`,
		});
	}
	return findings;
}

function joins(
	{ columns, to, schema, table }: NonNullable<TableFacts['foreignKeys']>[number],
	part: PartBinding,
	main: TableBinding,
): boolean {
	if (schema !== main.schema || table !== main.table || columns.length !== part.key.length) return false;
	return part.key.every((column, at) => to[columns.indexOf(column)] === main.key[at]);
}

/** A record is looked for when its main row comes; what its parts say may come later. */
function lintMatching(entity: EntityPolicy, { system, parts }: TableBinding): LintFinding[] {
	if (parts.size === 0) return [];
	const late = [...new Set(entity.match.flat())].filter(
		(field) => partOfField(entity, system, field) !== null && !entity.required.has(field),
	);
	return late.map((field) => ({
		severity: 'warning',
		path: `entities.${entity.name}.match`,
		message: `The match field "${field}" stands in a part of ${system}: a record whose main row is saved before that part is created in the other systems without having been looked for there.`,
		fix: `Add required: [${field}], so that the record waits for it, or match by a field of the main table.`,
	}));
}

function pathOf({ name }: EntityPolicy, { system }: TableBinding, part: PartBinding): string {
	return `entities.${name}.${system}.parts.${part.name}`;
}

const nameOf = ({ schema, table }: Pick<PartBinding, 'schema' | 'table'>): string => `${quoteName(schema)}.${quoteName(table)}`;

/** Whether the policy gives a value to a column of a part itself. */
export function isGivenInPart(binding: TableBinding, column: string): boolean {
	const found = partColumn(binding, column);
	return found !== null && (found.part.insert.has(found.column) || found.part.stamp.has(found.column));
}
