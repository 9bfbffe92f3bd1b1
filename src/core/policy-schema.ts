import { z } from 'zod/v4';
import { mustBe } from './policy-problems';

/** The shapes of the policy document, key by key. What one key means for another is checked by the readers. */

/** `constructor` and the like are found on every object, set or not: records by name would give wrong answers. */
const isFreeName = (text: string) => !(text in Object.prototype);
const RESERVED = 'is a reserved word; choose another name';

/** A text of this form; a text of another form has just that one problem. */
const wordOf = (pattern: RegExp, form: string) =>
	z.string(mustBe('a name')).regex(pattern, { error: form, abort: true });

export const entityName = wordOf(
	/^[a-z][a-z0-9_-]{0,62}$/,
	'must be 1 to 63 small letters, digits, underscores and hyphens, a letter first',
).refine(isFreeName, RESERVED);

export const fieldName = wordOf(
	/^[A-Za-z][A-Za-z0-9_]{0,62}$/,
	'must be 1 to 63 letters, digits and underscores, a letter first',
).refine(isFreeName, RESERVED);

const ENTITY_WORDS = ['match', 'fields', 'deletes', 'required', 'sensitive', 'parent', 'similar', 'where', 'parts', 'recheck'];
const FIELD_WORDS = ['owner', 'onForeignEdit', 'resolve', 'codec', 'map', 'nulls', 'valid', 'references'];
/** A system with such a name could not be told from the document's own words, or from a vector's other components. */
const RESERVED_SYSTEMS = new Set([...ENTITY_WORDS, ...FIELD_WORDS, 'human', 'sync', 'shared']);

/** A value for an unmapped column. */
export const scalar = z.union(
	[z.null(), z.boolean(), z.string(), z.number().refine(isExactNumber)],
	{
		error: 'must be a text, a number, true, false or null (put long numbers in quotes)',
	},
);

const column = nonEmpty('a column name');
export const columnName = column.optional();

const systemName = wordOf(
	/^[a-z][a-z0-9_]{0,30}$/,
	'must be 1 to 31 small letters, digits and underscores, a letter first',
).refine((text) => !RESERVED_SYSTEMS.has(text) && isFreeName(text), RESERVED);

export const documentShape = {
	policy: wordOf(
		/^[a-z][a-z0-9-]{0,62}$/,
		'must be 1 to 63 small letters, digits and hyphens, a letter first',
	),
	systems: z
		.array(systemName, mustBe('a list of 2 to 8 system names'))
		.min(2, 'must name at least 2 systems')
		.max(8, 'must name at most 8 systems')
		.refine(isDistinct, 'names a system twice'),
	entities: z.unknown(),
	signOff: z.enum(['required', 'warn', 'off'], 'must be required, warn or off').optional(),
};

export const tableShape = {
	table: nameInSchema('table'),
	key: z
		.array(column, mustBe('a list of column names, [id]'))
		.min(1, 'must name at least one column')
		.refine(isDistinct, 'names a column twice'),
	insert: z.unknown(),
	stamp: z.unknown(),
	where: z.unknown(),
	parts: z.unknown(),
};

/** A further table of the same records. */
export const partShape = {
	table: nameInSchema('table'),
	key: z
		.array(column, mustBe('a list of column names, [customer_id]'))
		.min(1, 'must name at least one column')
		.refine(isDistinct, 'names a column twice'),
	insert: z.unknown(),
	stamp: z.unknown(),
};

/** Of a column under `insert` that is numbered by the target. */
export const sequenceShape = { sequence: nameInSchema('sequence') };

/** Of an entity; the keys of its systems come beside these. */
export const entityShape = {
	match: z
		.array(
			z
				.array(
					z.string('must be a field name'),
					'must be a list of field names; write [[email]], not [email]',
				)
				.min(1, 'must name at least one field')
				.refine(isDistinct, 'names a field twice'),
			mustBe('a list of lists of field names, [[email]]'),
		)
		.optional(),
	fields: z.unknown(),
	deletes: z.unknown(),
	required: fieldNames().optional(),
	sensitive: fieldNames().optional(),
	parent: z.unknown(),
	similar: z.unknown(),
};

/** Which records a person is asked about. */
export const similarShape = {
	fields: z
		.array(z.string('must be a field name'), mustBe('a list of field names, [name, city]'))
		.min(1, 'must name at least one field')
		.refine(isDistinct, 'names a field twice'),
	above: z.number('must be a number between 0.5 and 1').min(0.5, 'must be at least 0.5').max(1, 'must be at most 1').optional(),
};

/** The entity whose record this one is a part of, and the field that names it. */
export const parentShape = {
	entity: z.string(mustBe('the name of an entity')),
	field: z.string(mustBe('the name of a field')),
};

/** Of a field; the keys of its systems, with a column name each, come beside these. */
export const fieldShape = {
	owner: z.string(mustBe('the name of a system, or shared')),
	onForeignEdit: z
		.enum(
			['revert', 'ignore', 'review', 'propose'],
			'must be revert, ignore, review or propose',
		)
		.optional(),
	resolve: z.string('must be a strategy, such as prefer(crm) or review').optional(),
	codec: z.unknown(),
	map: z.unknown(),
	nulls: z
		.enum(['clear', 'ignore', 'never-wins'], 'must be clear, ignore or never-wins')
		.optional(),
	valid: z.unknown(),
	references: z.string(mustBe('the name of an entity')).optional(),
};

export const validShape = {
	pattern: z
		.string(mustBe('a regular expression'))
		.refine(isRegularExpression, 'is not a regular expression')
		.optional(),
	oneOf: z.array(scalar, mustBe('a list of values')).min(1, 'must name at least one value').optional(),
	transitions: z.unknown(),
	required: z.boolean('must be true or false').optional(),
};

/** The values that may follow one. */
export const followers = z.array(scalar, mustBe('a list of values'));

export const deletesShape = {
	conflict: z
		.enum(
			['review', 'update-wins', 'delete-wins'],
			'must be review, update-wins or delete-wins',
		)
		.optional(),
	massDelete: z.unknown(),
	as: z.unknown(),
};

/** How a row says that it is deleted, and that it is not. */
export const softDeleteShape = { deleted: scalar, live: scalar };

/** A row is deleted once the column's time has passed. */
export const datedDeleteShape = { passed: z.literal(true, 'must be true'), live: scalar.optional() };

export const massDeleteShape = {
	rows: z
		.int('must be a whole number of rows, or null')
		.min(1, 'must be at least 1')
		.nullable()
		.optional(),
	percent: z
		.number('must be a percentage, or null')
		.gt(0, 'must be more than 0')
		.max(100, 'must be at most 100')
		.nullable()
		.optional(),
};

export const mapValue = z.union([z.boolean(), z.string(), z.number().refine(isExactNumber)], {
	error: 'must be a text, a number, true or false (null always stays null)',
});

/** The schema and table of `schema.table`, `table` (schema public), or `"odd.schema"."odd.table"`; null when it is none of these. */
export function splitTableName(text: string): { schema: string; table: string } | null {
	const part = String.raw`("(?:[^"]|"")+"|[^".]+)`;
	const [, first, second] = new RegExp(`^${part}(?:\\.${part})?$`).exec(text) ?? [];
	if (first === undefined) return null;
	if (second === undefined) return { schema: 'public', table: unquote(first) };
	return { schema: unquote(first), table: unquote(second) };
}

function nameInSchema(what: string) {
	return z
		.string(mustBe(`a ${what} name, schema.${what}`))
		.transform(splitTableName)
		.refine(
			(parts) => parts !== null,
			`must be a ${what} name, schema.${what}, with names that hold a dot in double quotes`,
		);
}

function fieldNames() {
	return z.array(z.string('must be a field name'), mustBe('a list of field names'));
}

function isRegularExpression(text: string): boolean {
	try {
		new RegExp(text, 'u');
		return true;
	} catch {
		return false;
	}
}

function nonEmpty(what: string) {
	return z
		.string(mustBe(what))
		.min(1, `must be ${what}, not an empty text`)
		.refine((text) => !text.includes('\0'), `must be ${what}, without a zero byte`);
}

function unquote(text: string): string {
	return text.startsWith('"') ? text.slice(1, -1).replaceAll('""', '"') : text;
}

function isDistinct(names: readonly string[]): boolean {
	return new Set(names).size === names.length;
}

/** Whole numbers beyond 2^53 arrive with wrong last digits. */
function isExactNumber(value: number): boolean {
	return Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value));
}
