import type { EntityPolicy, FieldPolicy, Policy } from './policy';

/** A field whose values name records of another entity (or of its own). */
export type ReferenceField = FieldPolicy & { readonly references: string };

export function referenceFields({ fields }: EntityPolicy): ReferenceField[] {
	return [...fields.values()].filter((field): field is ReferenceField => field.references !== null);
}

/**
 * Whether a record is created in a system only once the record that the field names has a row there. One
 * that leads back to the entity itself (a manager, a customer's main contact) would wait for
 * ever: it is left out at first and written afterwards, unless the policy says that the record is
 * nothing without it.
 */
export function holdsInsert(
	{ policy, entity }: { readonly policy: Policy; readonly entity: EntityPolicy },
	{ name, references }: FieldPolicy,
): boolean {
	if (references === null) return false;
	if (entity.parent === name || entity.required.has(name)) return true;
	return !reaches(policy, { from: references, to: entity.name });
}

function reaches({ entities }: Policy, { from, to }: { from: string; to: string }): boolean {
	const met = new Set([from]);
	for (const name of met) {
		if (name === to) return true;
		const entity = entities.get(name);
		for (const { references } of entity ? referenceFields(entity) : []) met.add(references);
	}
	return false;
}

/** The entities whose records are named by others: to delete one may take others along. */
export function referredEntities(policy: Policy): ReadonlySet<string> {
	const known = referredByPolicy.get(policy);
	if (known) return known;
	const names = [...policy.entities.values()].flatMap((entity) => referenceFields(entity).map(({ references }) => references));
	const referred = new Set(names);
	referredByPolicy.set(policy, referred);
	return referred;
}

const referredByPolicy = new WeakMap<Policy, ReadonlySet<string>>();

/**
 * How deep each entity stands below those that its records wait for; 0 where they wait for none. Whoever
 * writes or reads in this order finds parents before their children.
 */
export function depthsOf(policy: Policy): ReadonlyMap<string, number> {
	const known = depthsByPolicy.get(policy);
	if (known) return known;
	const depths = new Map<string, number>();
	for (const name of policy.entities.keys()) depths.set(name, depthOf(policy, name, []));
	depthsByPolicy.set(policy, depths);
	return depths;
}

/** Asked for every batch and every write. */
const depthsByPolicy = new WeakMap<Policy, ReadonlyMap<string, number>>();

/** @param below - entities on the way here: what leads back to one of them does not count */
function depthOf(policy: Policy, name: string, below: readonly string[]): number {
	const entity = policy.entities.get(name);
	if (!entity) return 0;
	const path = [...below, name];
	const parents = referenceFields(entity)
		.filter((field) => holdsInsert({ policy, entity }, field) && !path.includes(field.references))
		.map(({ references }) => 1 + depthOf(policy, references, path));
	return Math.max(0, ...parents);
}
