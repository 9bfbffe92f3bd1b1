import { z } from 'zod/v4';
import type { Json } from './canonical-json';
import { apiOf, type ApiTier, type EntityPolicy, type TableBinding } from './policy';
import { documentOfColumnRules, readColumnRules } from './policy-columns';
import { mustBe, type PolicyPath, type PolicyProblems } from './policy-problems';

/** A system whose records are reached through an API: what the document says instead of a table. */

const TIERS: readonly ApiTier[] = ['conditional', 'verified', 'blind'];

const apiShape = {
	api: z.enum(TIERS, 'must be conditional, verified or blind'),
	key: z
		.array(z.string('must be a property name').min(1, 'must not be empty'), mustBe('a list of property names, [id]'))
		.min(1, 'must name at least one property')
		.refine((names) => new Set(names).size === names.length, 'names a property twice'),
	condition: z.enum(['etag', 'version'], 'must be etag or version: what a conditional write names').optional(),
	insert: z.unknown(),
	where: z.unknown(),
};

/** Why a key of a table makes no sense for an API; a sentence without its subject. */
const TABLE_ONLY: Readonly<Record<string, string>> = {
	table: 'does not go with api: a system has either a table or an API',
	stamp: 'is for tables: an API sets its own times',
	parts: 'is for tables: name nested properties with dots, address.city',
};

interface ApiContext {
	readonly problems: PolicyProblems;
	/** Ends with the system's name. */
	readonly path: PolicyPath;
}

export function isApiDocument(value: unknown): boolean {
	return typeof value === 'object' && value !== null && Object.hasOwn(value, 'api');
}

export function readApi(system: string, value: unknown, { problems, path }: ApiContext): TableBinding {
	const document: Readonly<Record<string, unknown>> = Object.fromEntries(problems.readEntries(value, path));
	for (const [key, why] of Object.entries(TABLE_ONLY)) {
		if (Object.hasOwn(document, key)) problems.add([...path, key], why);
	}
	const known = Object.fromEntries(Object.entries(document).filter(([key]) => !Object.hasOwn(TABLE_ONLY, key)));
	const read = problems.readObject(known, apiShape, path);
	const rules = readColumnRules({ insert: read.insert, where: read.where }, { problems, path });
	for (const [property, given] of rules.insert) {
		if (given.kind !== 'constant') problems.add([...path, 'insert', property], 'must be a constant: an API has no defaults or sequences to be named');
	}
	if (read.condition !== undefined && read.api !== 'conditional') problems.add([...path, 'condition'], 'is for api: conditional, which alone writes on a condition');
	const condition = read.condition === 'version' ? { condition: read.condition } : {};
	return { system, api: read.api ?? 'blind', ...condition, schema: '', table: '', key: read.key ?? [], ...rules, parts: new Map() };
}

export function documentOfApi(api: ApiTier, { key, condition, ...rules }: TableBinding): Json {
	const { insert = {}, where } = documentOfColumnRules(rules);
	return { api, key: [...key], ...(condition === undefined ? {} : { condition }), ...(rules.insert.size > 0 ? { insert } : {}), ...(where === undefined ? {} : { where }) };
}

/** What cannot be promised of a system that is reached through an API. */
export function checkApi(entity: EntityPolicy, { problems, path }: ApiContext): void {
	for (const [system, { column, ...soft }] of entity.deletes.as) {
		if (apiOf(entity, system) === null || !('passed' in soft)) continue;
		problems.add([...path, 'deletes', 'as', system], `cannot go by the date in ${column}: an API tells nobody the time`);
	}
	for (const { name, columns, authority } of entity.fields.values()) {
		const blind = [...columns.keys()].filter((system) => apiOf(entity, system) === 'blind');
		if (blind.length === 0 || authority.kind !== 'shared' || authority.resolve.kind === 'review') continue;
		const message = `cannot be decided by a rule, because ${blind.join(' and ')} may be changed unseen at the moment of a write: set resolve: review, or give the field an owner`;
		problems.add([...path, 'fields', name, 'resolve'], message);
	}
}
