import { canonicalJson, sha256Hex } from './canonical-json';
import { EXISTENCE } from './link';
import { documentOfWhere } from './policy-columns';
import { columnsRead, mapDocument, type EntityPolicy, type FieldPolicy, type Policy, type TableBinding } from './policy';
import { partColumn } from './record-parts';

/**
 * One field of one entity in one system: the unit that a first contact reads, reports and a person
 * approves. The record itself is the field `∃`.
 */
export interface Scope {
	readonly entity: string;
	readonly field: string;
	readonly system: string;
}

/** Scopes by their texts. */
export type Scopes = ReadonlySet<string>;

export const NO_SCOPES: Scopes = new Set();

/** No name has a dot in it. */
export function scopeText({ entity, field, system }: Scope): string {
	return `${entity}.${field}.${system}`;
}

/** The inverse of {@link scopeText}. */
export function parseScope(text: string): Scope {
	const [entity = '', field = '', system = ''] = text.split('.');
	return { entity, field, system };
}

/**
 * The scopes of `after` that `before` has not, or takes from another table or column, or reads
 * through another codec: nobody knows yet what they hold. Who owns a field, and what decides about
 * it, is no part of a scope: that may change while its values stay what they are. Sorted.
 */
export function newScopes(before: Policy | null, after: Policy): string[] {
	const known = before === null ? new Map<string, string>() : bindings(before);
	const added = [...bindings(after)].filter(([scope, binding]) => known.get(scope) !== binding);
	return added.map(([scope]) => scope).sort();
}

/** Those of `scopes` that the policy has. Sorted. */
export function scopesIn(policy: Policy, scopes: Iterable<string>): string[] {
	const known = bindings(policy);
	return [...scopes].filter((scope) => known.has(scope)).sort();
}

/**
 * What the stream of a system reads, for its registration: one short hash per scope, which reveals no names.
 *
 * @param without - scopes that cannot be read, because their columns are gone
 */
export function readHash(policy: Policy, system: string, without: Scopes = NO_SCOPES): string {
	const read = [...hashesOf(policy, system)].filter(([, scope]) => !without.has(scopeText(scope)));
	return read.map(([hash]) => hash).sort().join('.');
}

/** Of what was read by `hash`, the part that this policy still has. */
export function stillRead(policy: Policy, system: string, { hash, without }: { hash: string; without: Scopes }): string {
	const read = new Set(hash.split('.'));
	return [...hashesOf(policy, system)]
		.flatMap(([one, scope]) => (read.has(one) && !without.has(scopeText(scope)) ? [one] : []))
		.sort()
		.join('.');
}

/** A scope that a system's stream has not read yet, and its hash. */
export interface UnreadScope extends Scope {
	readonly hash: string;
}

/** The scopes of a system whose rows were not read under a registration with this hash. */
export function unreadScopes(policy: Policy, system: string, hash: string): UnreadScope[] {
	const read = new Set(hash.split('.'));
	return [...hashesOf(policy, system)].flatMap(([one, scope]) =>
		read.has(one) ? [] : [{ ...scope, hash: one }],
	);
}

function hashesOf(policy: Policy, system: string): Map<string, Scope> {
	const hashes = new Map<string, Scope>();
	for (const [text, binding] of bindings(policy)) {
		const scope = parseScope(text);
		if (scope.system === system) hashes.set(sha256Hex(`${text} ${binding}`).slice(0, 16), scope);
	}
	return hashes;
}

/** By scope, where its values come from. */
function bindings({ entities }: Policy): Map<string, string> {
	return new Map([...entities.values()].flatMap((entity) => bindingsOf(entity)));
}

function bindingsOf(entity: EntityPolicy): [string, string][] {
	const { name, tables, fields } = entity;
	return [...tables].flatMap(([system, binding]) => {
		const { schema, table, key, where } = binding;
		const row = [schema, table, [...key], ...(where.size > 0 ? [documentOfWhere(where)] : [])];
		const ofFields = [...fields.values()].flatMap((field): [string, string][] => {
			const column = field.columns.get(system) ?? field.computed.get(system);
			if (column === undefined) return [];
			const { codec: _made, ...named } = column;
			const map = field.map ? mapDocument(field.map) : null;
			const joined = partsRead(field, binding);
			const said = [row, named, map, ...(field.references === null ? [] : [field.references]), ...joined];
			const from = JSON.parse(JSON.stringify(said)) as unknown;
			return [[scopeText({ entity: name, field: field.name, system }), canonicalJson(from)]];
		});
		const existence = scopeText({ entity: name, field: EXISTENCE, system });
		const soft = entity.deletes.as.get(system);
		return [
			[existence, canonicalJson(soft ? [...row, { ...soft }] : row)] as [string, string],
			...ofFields,
		];
	});
}

/** The parts that the field's columns are of, as far as they say where values come from. */
function partsRead(field: FieldPolicy, binding: TableBinding): { readonly part: readonly string[] }[] {
	const parts = columnsRead(field, binding.system).flatMap((column) => partColumn(binding, column)?.part ?? []);
	return [...new Set(parts)].map(({ name, schema, table, key }) => ({ part: [name, schema, table, ...key] }));
}
