import { canonicalJson, type Json } from './canonical-json';
import { EXISTENCE } from './link';
import { type EntityPolicy, type FieldPolicy, mapDocument, type Policy, policyHash, type TableBinding } from './policy';
import { documentOfWhere, quoteName } from './policy-columns';
import { documentOfDeletes } from './policy-deletes';
import { strategyText } from './policy-strategy';
import { documentOfValid } from './policy-valid';
import { deletesInWords, fieldInWords, fieldTitle } from './sign-off-words';

/**
 * The sheet that both sides sign: the policy as it is carried out, one row for the records of an entity
 * and one for each of its fields. The same policy makes the same sheet, byte for byte.
 */
export interface SignOffSheet {
	readonly policy: string;
	/** Of the policy in force; null: the document has not been published. */
	readonly version: number | null;
	readonly hash: string;
	readonly systems: readonly string[];
	readonly columns: readonly SheetColumn[];
	readonly rows: readonly SheetRow[];
	readonly signatures: readonly SheetSignature[];
}

export interface SheetColumn {
	readonly title: string;
	/**
	 * - `fixed`: the mapping, which is not changed in a sheet.
	 * - `words`: follows from the others, and is not read back.
	 * - else the key of the document that it is.
	 */
	readonly holds: 'fixed' | 'words' | EditableKey;
}

export type EditableKey = FieldKey | 'sensitive' | DeleteKey;
export type FieldKey = 'owner' | 'onForeignEdit' | 'resolve' | 'nulls';
export type DeleteKey = 'conflict' | 'massDelete.rows' | 'massDelete.percent';

export interface SheetRow {
	readonly entity: string;
	/** `∃`: the records themselves. */
	readonly field: string;
	/** One per column. */
	readonly cells: readonly string[];
}

export interface SheetSignature {
	readonly by: string;
	/** Milliseconds since 1970. */
	readonly atMs: number;
}

const EDITABLE: Readonly<Record<EditableKey, string>> = {
	owner: 'Owner',
	onForeignEdit: 'Edits Elsewhere',
	resolve: 'Strategy',
	nulls: 'Nulls',
	sensitive: 'Sensitive',
	conflict: 'Delete Conflict',
	'massDelete.rows': 'Mass Delete Rows',
	'massDelete.percent': 'Mass Delete Percent',
};
const EDITABLE_KEYS = Object.keys(EDITABLE) as EditableKey[]; // Its keys are those of its type.

export function signOffSheet(
	policy: Policy,
	{ version = null, signatures = [] }: { version?: number | null; signatures?: readonly SheetSignature[] } = {},
): SignOffSheet {
	const { name, systems, entities } = policy;
	const columns: SheetColumn[] = [
		...['Entity', 'Field', ...systems.flatMap((system) => [`${system} Column`, `${system} Codec`])].map(fixed),
		...EDITABLE_KEYS.map((key) => ({ title: EDITABLE[key], holds: key })),
		fixed('Other Rules'),
		{ title: 'In Plain Words', holds: 'words' },
	];
	const rows = [...entities.values()].flatMap((entity) => [recordRow(entity, systems), ...fieldRows(entity, systems)]);
	return { policy: name, version, hash: policyHash(policy), systems, columns, rows, signatures };
}

const fixed = (title: string): SheetColumn => ({ title, holds: 'fixed' });

function recordRow(entity: EntityPolicy, systems: readonly string[]): SheetRow {
	const { conflict, massDelete } = entity.deletes;
	const edits: Editable = {
		conflict,
		'massDelete.rows': numberText(massDelete.rows),
		'massDelete.percent': numberText(massDelete.percent),
	};
	const places = systems.flatMap((system) => [placeOf(entity.tables.get(system)), '']);
	return rowOf(entity.name, EXISTENCE, [...places, ...editable(edits), recordRules(entity), deletesInWords(entity)]);
}

function fieldRows(entity: EntityPolicy, systems: readonly string[]): SheetRow[] {
	return [...entity.fields.values()].map((field) => {
		const { name, authority, nulls } = field;
		const isOwned = authority.kind === 'owned';
		const edits: Editable = {
			owner: isOwned ? authority.owner : 'shared',
			onForeignEdit: isOwned ? authority.onForeignEdit : '',
			resolve: isOwned ? '' : strategyText(authority.resolve),
			nulls,
			sensitive: entity.sensitive.has(name) ? 'yes' : 'no',
		};
		const places = systems.flatMap((system) => [carriedBy(field, system), codecsOf(field, system)]);
		return rowOf(entity.name, name, [...places, ...editable(edits), fieldRules(field, entity), fieldInWords(field)]);
	});
}

type Editable = Partial<Record<EditableKey, string>>;

function editable(edits: Editable): string[] {
	return EDITABLE_KEYS.map((key) => edits[key] ?? '');
}

function rowOf(entity: string, field: string, rest: readonly string[]): SheetRow {
	return { entity, field, cells: [entity, fieldTitle(field), ...rest].map(oneLine) };
}

/** A line break within a cell would be a new row to half of the programs that read such sheets. */
function oneLine(text: string): string {
	// eslint-disable-next-line no-control-regex -- they are what is looked for
	return text.replace(/[\u0000-\u001F\u007F\u0085\u2028\u2029]/g, '\uFFFD');
}

function numberText(value: number | null): string {
	return value === null ? '' : String(value);
}

function placeOf(table: TableBinding | undefined): string {
	if (table === undefined) return '';
	const parts = [...table.parts].map(([name, part]) => `${name}: ${tableText(part)}`);
	const where = table.api === undefined ? tableText(table) : `API, ${table.api}`;
	return [`${where} (${table.key.join(', ')})`, ...parts].join('; ');
}

function tableText({ schema, table }: Pick<TableBinding, 'schema' | 'table'>): string {
	return [schema, table].map(quoteName).join('.');
}

function carriedBy({ columns, computed }: FieldPolicy, system: string): string {
	const from = computed.get(system)?.from;
	if (from === undefined) return columns.get(system)?.column ?? '';
	return from.kind === 'constant' ? `always ${canonicalJson(from.value)}` : `made of ${from.template}`;
}

function codecsOf({ columns, computed }: FieldPolicy, system: string): string {
	return (columns.get(system) ?? computed.get(system))?.specs.join(', ') ?? '';
}

function recordRules({ match, tables, deletes, parent, fields, similar, required }: EntityPolicy): string {
	const { as } = documentOfDeletes(deletes) as { readonly as?: Json };
	const wheres = [...tables.values()].flatMap(({ system, where }) => (where.size === 0 ? [] : [said(`rows of ${system}`, documentOfWhere(where))]));
	return [
		`match by ${match.map((rule) => rule.join(' + ')).join(', else ') || 'nothing'}`,
		...wheres,
		...(as === undefined ? [] : [said('deleted as', as)]),
		...(required.size === 0 ? [] : [`new records need ${[...required].join(', ')}`]),
		...(parent === null ? [] : [`part of ${fields.get(parent)?.references ?? ''} by ${parent}`]),
		...(similar === null ? [] : [`ask about records alike in ${similar.fields.join(', ')} above ${similar.above}`]),
	].join('; ');
}

function fieldRules({ map, valid, references, name }: FieldPolicy, { required }: EntityPolicy): string {
	return [
		...(references === null ? [] : [`names a record of ${references}`]),
		...(map === null ? [] : [said('same values', mapDocument(map))]),
		...(valid === null ? [] : [said('valid', documentOfValid(valid))]),
		...(required.has(name) ? ['needed for a new record'] : []),
	].join('; ');
}

function said(what: string, rule: Json): string {
	return `${what}: ${canonicalJson(rule)}`;
}
