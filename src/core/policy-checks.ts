import { carriersOf, type EntityPolicy, type TableBinding } from './policy';
import { checkGiven, columnOfField } from './policy-columns';
import { checkParts } from './policy-parts';
import type { PolicyPath, PolicyProblems } from './policy-problems';
import { isSameScalar } from './row-scope';
import { didYouMean } from './suggest';

interface CheckContext {
	readonly problems: PolicyProblems;
	/** Ends with the entity's name. */
	readonly path: PolicyPath;
}

/** Checks what the parts of an entity say about each other. */
export function checkEntity(entity: EntityPolicy, context: CheckContext): void {
	const { problems, path } = context;
	for (const system of entity.tables.keys()) checkColumns(entity, system, context);
	checkSystemsOfFields(entity, context);
	entity.match.forEach((_, index) => checkMatchRule(entity, index, context));
	for (const part of ['required', 'sensitive'] as const)
		for (const field of entity[part]) checkFieldExists(entity, field, [...path, part], problems);
}

/** Each table belongs to one entity, so that a change event's entity is never in doubt. */
export function checkTables(entities: Iterable<EntityPolicy>, problems: PolicyProblems): void {
	const entityOf = new Map<string, string>();
	for (const entity of entities) {
		for (const { system, schema, table, path } of tablesOf(entity)) {
			if (table === '') continue; // Unreadable, and reported as such.
			const name = JSON.stringify([system, schema, table]);
			const other = entityOf.get(name);
			if (other !== undefined) {
				const message = `is already the table of the entity "${other}"`;
				problems.add(['entities', entity.name, system, ...path, 'table'], message);
			}
			entityOf.set(name, entity.name);
		}
	}
}

/** The main tables and the parts, and where under its system the document names each. */
function tablesOf({ tables }: EntityPolicy): { system: string; schema: string; table: string; path: string[] }[] {
	return [...tables.values()].flatMap(({ system, schema, table, parts }) => [
		{ system, schema, table, path: [] },
		...[...parts.values()].map((part) => ({ system, schema: part.schema, table: part.table, path: ['parts', part.name] })),
	]);
}

/** No column of a system may get its value from two places. */
function checkColumns(
	entity: EntityPolicy,
	system: string,
	{ problems, path }: CheckContext,
): void {
	const fieldOf = new Map<string, string>();
	for (const field of entity.fields.values()) {
		const column = field.columns.get(system)?.column ?? '';
		if (column === '') continue; // Not carried, or unreadable and reported as such.
		const other = fieldOf.get(column);
		if (other !== undefined) {
			const message = `names the column "${column}", which the field "${other}" already has`;
			problems.add([...path, 'fields', field.name, system], message);
		}
		fieldOf.set(column, field.name);
	}
	const table = entity.tables.get(system);
	if (!table) return;
	const soft = entity.deletes.as.get(system)?.column;
	checkParts(entity, table, { problems, path: [...path, system] });
	checkScope(table, { problems, path: [...path, system] }, fieldOf);
	const filled = new Map([...fieldOf].map(([column, field]) => [column, columnOfField(field)]));
	if (soft !== undefined) filled.set(soft, 'how the row says whether it is deleted (deletes.as)');
	checkGiven(table, filled, { problems, path: [...path, system] });
}

/** What we write must not lie outside, and a new row needs one value where several are allowed. */
function checkScope(
	{ where, insert, stamp }: TableBinding,
	{ problems, path }: CheckContext,
	fieldOf: ReadonlyMap<string, string>,
): void {
	for (const [column, values] of where) {
		for (const [part, given] of [['insert', insert.get(column)], ['stamp', stamp.get(column)]] as const) {
			if (given?.kind !== 'constant' || values.some((value) => isSameScalar(given.value, value))) continue;
			problems.add([...path, part, column], 'is not a value that "where" lets in: the row would be none of ours');
		}
		const isGiven = insert.has(column) || stamp.has(column) || fieldOf.has(column);
		if (values.length > 1 && !isGiven) {
			problems.add([...path, 'where', column], 'has several values: say under insert which one a new row gets');
		}
	}
}

function checkSystemsOfFields(entity: EntityPolicy, { problems, path }: CheckContext): void {
	for (const field of entity.fields.values()) {
		for (const system of carriersOf(field)) {
			if (entity.tables.has(system)) continue;
			const message = `names a column, but the entity has no table in ${system}`;
			problems.add([...path, 'fields', field.name, system], message);
		}
	}
}

function checkMatchRule(
	entity: EntityPolicy,
	index: number,
	{ problems, path }: CheckContext,
): void {
	const rule = entity.match[index] ?? [];
	const place = [...path, 'match', index];
	const allExist = rule
		.map((field, at) => checkFieldExists(entity, field, [...place, at], problems))
		.every(Boolean);
	if (!allExist) return;
	const carriers = [...entity.tables.keys()].filter((system) =>
		rule.every((name) => {
			const field = entity.fields.get(name);
			return field !== undefined && carriersOf(field).includes(system);
		}),
	);
	if (carriers.length < 2) {
		problems.add(
			place,
			'can match nothing: fewer than two systems have columns for all its fields',
		);
	}
}

function checkFieldExists(
	entity: EntityPolicy,
	field: string,
	path: PolicyPath,
	problems: PolicyProblems,
): boolean {
	if (entity.fields.has(field)) return true;
	problems.add(
		path,
		`"${field}" is not a field of this entity${didYouMean(field, entity.fields.keys())}`,
	);
	return false;
}
