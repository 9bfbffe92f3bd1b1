import type { LintFinding } from './lint-finding';
import type { EntityFacts } from './lint-required';
import { columnOf, type EntityPolicy, type Policy } from './policy';
import { holdsInsert, referenceFields, type ReferenceField } from './reference-graph';
import { listOf } from './suggest';
import type { TableFacts } from './table-facts';

/** What an entity's references mean for its new records, and for telling its records apart. */
export function lintReferences(policy: Policy, entity: EntityPolicy, facts: EntityFacts): LintFinding[] {
	const fields = referenceFields(entity);
	return [
		...fields.flatMap((field) =>
			holdsInsert({ policy, entity }, field) ? lintWaiting(policy, entity, field) : lintLater(entity, field, facts),
		),
		...fields.flatMap((field) => lintIdentity(entity, field, facts)),
	];
}

/** References by which records of several entities would wait for each other. */
function lintWaiting(policy: Policy, entity: EntityPolicy, { name, references }: ReferenceField): LintFinding[] {
	const met = new Set([references]);
	for (const other of met) {
		const target = policy.entities.get(other);
		if (!target || other === entity.name) continue;
		for (const field of referenceFields(target)) {
			if (holdsInsert({ policy, entity: target }, field)) met.add(field.references);
		}
	}
	if (references === entity.name || !met.has(entity.name)) return [];
	return [
		{
			severity: 'warning',
			path: `entities.${entity.name}.fields.${name}`,
			message: `A new ${entity.name} waits for its ${references}, which in turn waits for a ${entity.name}: where they name each other, neither is created.`,
			fix: 'Take one of the fields out of required, or say parent for one of the two entities only.',
		},
	];
}

/** One that leads back to its own entity is written once the record is there. */
function lintLater(entity: EntityPolicy, field: ReferenceField, facts: EntityFacts): LintFinding[] {
	const path = `entities.${entity.name}.fields.${field.name}`;
	const written = [...field.columns].filter(
		([system]) => field.authority.kind === 'shared' || field.authority.owner !== system,
	);
	const strict = written.flatMap(([system, { column }]) => {
		const found = facts.get(system)?.columns.find(({ name }) => name === column);
		return found?.notNull && !found.hasDefault ? [`"${column}" of ${system}`] : [];
	});
	const why = `"${field.name}" leads back to ${entity.name}, so a new record is created without it and gets it afterwards`;
	const fix = `Say parent: { entity: ${field.references}, field: ${field.name} } if no ${entity.name} is without one, or let the column be null.`;
	if (strict.length > 0) {
		return [{ severity: 'error', path, message: `${why}, but ${listOf(strict, 'and')} must not be null.`, fix }];
	}
	return [{ severity: 'info', path, message: `${why}.`, fix }];
}

/** A number that is unique only within its parent says nothing of whose it is. */
function lintIdentity(entity: EntityPolicy, field: ReferenceField, facts: EntityFacts): LintFinding[] {
	return entity.match.flatMap((rule, index): LintFinding[] => {
		if (rule.includes(field.name)) return [];
		const [system] = [...facts].find(([of, table]) => isWithinParent(entity, { rule, field, system: of, table })) ?? [];
		if (system === undefined) return [];
		return [
			{
				severity: 'warning',
				path: `entities.${entity.name}.match.${index}`,
				message: `In ${system}, ${listOf(rule, 'and')} ${rule.length === 1 ? 'is' : 'are'} unique only together with ${field.name}: records of different ${field.references} records would be matched.`,
				fix: `Write [${[field.name, ...rule].join(', ')}]; ${field.name} compares the records that are named, not their numbers.`,
			},
		];
	});
}

/** Whether the table has a unique key that needs the parent's column beside the rule's. */
function isWithinParent(
	{ fields }: EntityPolicy,
	{ rule, field, system, table }: {
		readonly rule: readonly string[];
		readonly field: ReferenceField;
		readonly system: string;
		readonly table: TableFacts;
	},
): boolean {
	const columns = rule.map((name) => columnOf({ fields }, name, system));
	const parent = field.columns.get(system)?.column;
	const unique = table.uniqueKeys ?? [];
	if (parent === undefined || columns.includes(undefined)) return false;
	if (unique.some((key) => key.every((column) => columns.includes(column)))) return false;
	return unique.some(
		(key) => key.includes(parent) && key.every((column) => column === parent || columns.includes(column)),
	);
}
