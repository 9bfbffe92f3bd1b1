import type { Json } from './canonical-json';
import { columnsRead, type EntityPolicy, type PartBinding, type TableBinding } from './policy';
import { checkGiven, columnOfField, documentOfColumnRules, quoteName, readColumnRules } from './policy-columns';
import type { PolicyPath, PolicyProblems } from './policy-problems';
import { fieldName, partShape } from './policy-schema';
import { partColumn } from './record-parts';
import { didYouMean, listOf } from './suggest';

interface PartsContext {
	readonly problems: PolicyProblems;
	/** Ends with the system's name. */
	readonly path: PolicyPath;
}

/** Reads a table's `parts`. */
export function readParts(value: unknown, { problems, path: table }: PartsContext): TableBinding['parts'] {
	if (value === undefined) return new Map();
	const path = [...table, 'parts'];
	const entries = problems.readEntries(value, path, 'must name at least one table');
	const parts = entries.map(([name, given]): [string, PartBinding] => {
		const place = [...path, name];
		problems.read(fieldName, name, place);
		const read = problems.readObject(given, partShape, place);
		const { insert, stamp } = readColumnRules(read, { problems, path: place });
		const [schema, own] = [read.table?.schema ?? '', read.table?.table ?? ''];
		return [name, { name, schema, table: own, key: read.key ?? [], insert, stamp }];
	});
	return new Map(parts);
}

/** The parts as the document writes them; none are not mentioned. */
export function documentOfParts({ parts }: Pick<TableBinding, 'parts'>): { [key: string]: Json } {
	if (parts.size === 0) return {};
	const written = [...parts].map(([name, { schema, table, key, insert, stamp }]): [string, Json] => [
		name,
		{
			table: [schema, table].map(quoteName).join('.'),
			key: [...key],
			...documentOfColumnRules({ insert, stamp, where: new Map() }),
		},
	]);
	return { parts: Object.fromEntries(written) };
}

/** Checks what an entity says of the parts of one system's table. */
export function checkParts(entity: EntityPolicy, binding: TableBinding, { problems, path }: PartsContext): void {
	const { parts, key, where, insert, stamp, system } = binding;
	if (parts.size === 0) return;
	if (where.size > 0) {
		problems.add([...path, 'where'], 'cannot stand beside parts: a row that comes in would come without what its parts hold');
	}
	const soft = entity.deletes.as.get(system)?.column;
	if (soft !== undefined && partColumn(binding, soft)) {
		problems.add([...path.slice(0, -1), 'deletes', 'as'], `must name a column of ${system}'s main table, not of a part: the main row says whether the record is there`);
	}
	for (const [rule, columns] of Object.entries({ insert, stamp })) {
		for (const column of columns.keys()) {
			const found = partColumn(binding, column);
			if (found) problems.add([...path, rule, column], `is a column of a part; write it under parts.${found.part.name}.${rule}`);
		}
	}
	for (const part of parts.values()) checkPart(entity, part, { problems, path: [...path, 'parts', part.name], key, system });
	checkNames(entity, binding, { problems, path });
}

function checkPart(
	{ fields }: EntityPolicy,
	part: PartBinding,
	{ problems, path, key, system }: PartsContext & { readonly key: readonly string[]; readonly system: string },
): void {
	if (part.key.length > 0 && key.length > 0 && part.key.length !== key.length) {
		problems.add([...path, 'key'], `must have as many columns as the table's key, in its order: they hold the key of the main row (${listOf(key, 'and')})`);
	}
	const read = [...fields.values()].flatMap((field) => columnsRead(field, system));
	if (!read.some((column) => column.startsWith(`${part.name}.`))) {
		problems.add(path, `is used by no field; name one of its columns as ${part.name}.column, or leave the part out`);
	}
	const columns = [...fields.values()].flatMap(({ name, columns: bySystem }) => {
		const column = bySystem.get(system)?.column ?? '';
		return column.startsWith(`${part.name}.`) ? [[column.slice(part.name.length + 1), columnOfField(name)] as const] : [];
	});
	const joining = part.key.map((column) => [column, 'what joins the part to its record'] as const);
	checkGiven(part, new Map([...columns, ...joining]), { problems, path });
}

/** A dot is a part's: a column of the main table that has one in its name cannot be told from it. */
function checkNames({ fields }: EntityPolicy, binding: TableBinding, { problems, path }: PartsContext): void {
	const { system, parts } = binding;
	for (const field of fields.values()) {
		const place = [...path.slice(0, -1), 'fields', field.name, system];
		const tables = new Set(columnsRead(field, system).map((column) => partColumn(binding, column)?.part));
		if (tables.size > 1) problems.add(place, 'is computed from columns of several tables, of which a change shows one; name columns of one of them');
		for (const column of columnsRead(field, system)) {
			const found = partColumn(binding, column);
			if (found && found.part.key.includes(found.column) && field.columns.has(system)) {
				problems.add(place, `is what joins the part "${found.part.name}" to its record, and cannot be a value; map the key of the main table`);
			}
			if (found || !column.includes('.')) continue;
			const [name = ''] = column.split('.');
			problems.add(place, `names the part "${name}", which ${system} has not; it has ${listOf([...parts.keys()], 'and')}${didYouMean(name, parts.keys())}`);
		}
	}
}
