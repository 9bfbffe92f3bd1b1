import { lintApis } from './lint-api';
import { lintCodecs } from './lint-codecs';
import type { LintFinding } from './lint-finding';
import { lintColumns } from './lint-columns';
import { type FactsOf, joinedFacts, lintParts } from './lint-parts';
import { lintReferences } from './lint-references';
import { lintRequired, type EntityFacts } from './lint-required';
import { lintTable } from './lint-tables';
import { carriersOf, type EntityPolicy, type FieldPolicy, type Policy, type TableBinding } from './policy';
import type { ColumnFacts, TableFacts } from './table-facts';

/**
 * Looks for what a policy allows and its author may not have meant. Findings come in the order
 * of the policy (entities and fields by name).
 *
 * @param facts - what the systems' databases say about the mapped tables; left out, or for tables
 * not among them, only the document itself is looked at
 */
export function lintPolicy(
	policy: Policy,
	facts: readonly TableFacts[] = [],
): readonly LintFinding[] {
	return [...policy.entities.values()].flatMap((entity) => {
		const known = factsOf(entity, facts);
		const parts = [...entity.tables.values()].flatMap((binding) => lintParts(entity, binding, ofSystem(facts, binding)));
		return [
			...lintMatch(entity),
			...lintApis(entity),
			...lintFields(entity, known),
			...lintReferences(policy, entity, known),
			...lintTables(entity, known),
			...parts,
		];
	});
}

function ofSystem(facts: readonly TableFacts[], { system }: TableBinding): FactsOf {
	return ({ schema, table }) => facts.find((one) => one.system === system && one.schema === schema && one.table === table);
}

function factsOf(entity: EntityPolicy, facts: readonly TableFacts[]): EntityFacts {
	const known = [...entity.tables.values()].flatMap((binding): [string, TableFacts][] => {
		const found = joinedFacts(binding, ofSystem(facts, binding));
		return found ? [[binding.system, found]] : [];
	});
	return new Map(known);
}

function lintTables(entity: EntityPolicy, facts: EntityFacts): LintFinding[] {
	return [...entity.tables.values()].flatMap((binding) => {
		const known = facts.get(binding.system);
		if (!known) return [];
		return [...lintTable(entity, binding, known), ...lintRequired(entity, binding, facts)];
	});
}

function lintMatch(entity: EntityPolicy): LintFinding[] {
	const path = `entities.${entity.name}.match`;
	if (entity.match.length === 0) {
		return [
			{
				severity: 'warning',
				path,
				message: `Without a match rule each ${entity.name} that both systems have already is created a second time in each.`,
				fix: 'Add match: [[field]] with a field that identifies the record in both systems.',
			},
		];
	}
	const names = new Set(entity.match.flat());
	return [...entity.fields.values()]
		.filter(({ name, authority }) => names.has(name) && isMutable(authority))
		.map(({ name }) => ({
			severity: 'warning',
			path,
			message: `The match field "${name}" can be edited in more than one system, so a record may be matched by a value that is no longer its own.`,
			fix: `Give "${name}" an owner with onForeignEdit: revert, or match by another field.`,
		}));
}

/** Whether a system other than the owner can leave its own value in the field. */
function isMutable(authority: FieldPolicy['authority']): boolean {
	return authority.kind === 'shared' || authority.onForeignEdit === 'ignore';
}

function lintFields(entity: EntityPolicy, facts: EntityFacts): LintFinding[] {
	return [...entity.fields.values()].flatMap((field) => {
		const path = `entities.${entity.name}.fields.${field.name}`;
		// Keys are compared by the records they name: each system has its own, of its own type.
		const isReference = field.references !== null;
		const codecs = isReference ? [] : lintCodecs(field, path);
		const isBroken = isReference || codecs.some(({ severity }) => severity === 'error');
		return [
			...lintCarriers(entity, field),
			...lintKeyColumns(entity, field),
			...codecs,
			...(isBroken ? [] : lintColumns(field, path, (system) => columnFacts(field, system, facts))),
		];
	});
}

function columnFacts(
	field: FieldPolicy,
	system: string,
	facts: EntityFacts,
): ColumnFacts | undefined {
	const column = field.columns.get(system)?.column;
	return facts.get(system)?.columns.find(({ name }) => name === column);
}

function lintCarriers(entity: EntityPolicy, field: FieldPolicy): LintFinding[] {
	const { name } = field;
	const [system, ...others] = carriersOf(field);
	if (others.length > 0) return [];
	return [
		{
			severity: 'info',
			path: `entities.${entity.name}.fields.${name}`,
			message: `Only ${system} has a column for this field, so it is read but goes nowhere.`,
			fix: 'Name its column in another system, or remove the field.',
		},
	];
}

/** Each system numbers its own records: writing another system's value over a key would move the record. */
function lintKeyColumns(entity: EntityPolicy, field: FieldPolicy): LintFinding[] {
	const { authority } = field;
	return [...field.columns].flatMap(([system, { column }]): LintFinding[] => {
		const isKey = entity.tables.get(system)?.key.includes(column) ?? false;
		const isOwn = authority.kind === 'owned' && authority.owner === system;
		if (!isKey || isOwn) return [];
		return [
			{
				severity: 'error',
				path: `entities.${entity.name}.fields.${field.name}.${system}`,
				message: `The sync would write the key column "${column}" of ${system}, whose records would change their identity.`,
				fix: `Set owner: ${system}, or map a column of ${system} that is not part of its key.`,
			},
		];
	});
}
