import { equalJson } from './canonical-json';
import { decide } from './decide';
import { openReviews } from './draft';
import { EXISTENCE, existsIn, type LinkState } from './link';
import type { PolicyInForce } from './observe';
import type { EntityPolicy, FieldPolicy, Policy } from './policy';

/** What approving the first contact of two populated systems would do, counted per entity. */
export interface EntityReport {
	readonly entity: string;
	/** Records found in more than one system, equal in every field. */
	linkedEqual: number;
	/** Records found in more than one system that differ in some field. */
	linkedDifferent: number;
	/** By system: records that no other system has. */
	onlyIn: Record<string, number>;
	/** Records whose match values another record of the same system has already: a person decides. */
	ambiguous: number;
	/** By system: rows that would be made in it. */
	inserts: Record<string, number>;
	/** By field name; fields that are equal everywhere are left out. */
	fields: Record<string, FieldReport>;
}

export interface FieldReport {
	/** Linked records in which the systems differ. */
	different: number;
	/** Who decides: "owned by crm", "shared, prefer crm", "shared, review". */
	readonly rule: string;
	/** By system: rows in which it would be overwritten. */
	writes: Record<string, number>;
	/** Records that would wait for a person. */
	reviews: number;
}

/** A report of nothing, to which `addToReport` adds link by link. By entity. */
export function emptyReport({ entities }: Policy): Map<string, EntityReport> {
	return new Map([...entities.keys()].map((entity) => [entity, emptyEntity(entity)]));
}

function emptyEntity(entity: string): EntityReport {
	return {
		entity,
		linkedEqual: 0,
		linkedDifferent: 0,
		onlyIn: {},
		ambiguous: 0,
		inserts: {},
		fields: {},
	};
}

/**
 * Counts one link in. What would be done is not guessed: R2 itself decides on a copy of the state.
 *
 * @param report - changed in place
 */
export function addToReport(
	report: Map<string, EntityReport>,
	state: LinkState,
	inForce: PolicyInForce,
): void {
	const entity = inForce.policy.entities.get(state.entity);
	const mine = report.get(state.entity);
	if (!entity || !mine) return;
	const present = inForce.policy.systems.filter((system) => existsIn(state, system));
	if (present.length === 0) return;
	const different = present.length > 1 ? differentFields(state, entity, present) : [];
	if (isAmbiguous(state)) mine.ambiguous += 1;
	else if (present.length === 1) count(mine.onlyIn, present[0] ?? '');
	else if (different.length === 0) mine.linkedEqual += 1;
	else mine.linkedDifferent += 1;
	for (const field of different) fieldReport(mine, field).different += 1;
	addPlans(mine, { state, entity, inForce });
}

function addPlans(
	mine: EntityReport,
	{ state, entity, inForce }: { state: LinkState; entity: EntityPolicy; inForce: PolicyInForce },
): void {
	const decision = decide(state, inForce, 'live');
	for (const op of decision.ops) {
		if (op.kind === 'insert') count(mine.inserts, op.system);
		if (op.kind !== 'update') continue;
		for (const name of Object.keys(op.fields)) {
			const field = entity.fields.get(name);
			if (field) count(fieldReport(mine, field).writes, op.system);
		}
	}
	for (const name of openReviews(decision.state, inForce.policy.name).flatMap(
		({ fields }) => fields,
	)) {
		const field = entity.fields.get(name);
		if (field) fieldReport(mine, field).reviews += 1;
	}
}

function isAmbiguous({ fields }: LinkState): boolean {
	return fields[EXISTENCE]?.frozen?.kind === 'identity';
}

function differentFields(
	state: LinkState,
	entity: EntityPolicy,
	present: readonly string[],
): FieldPolicy[] {
	return [...entity.fields.values()].filter(({ name }) => {
		const views = present.flatMap((system) => state.fields[name]?.views[system] ?? []);
		const [first] = views;
		return views.some((view) => first !== undefined && !equalJson(view.canon, first.canon));
	});
}

function fieldReport(mine: EntityReport, field: FieldPolicy): FieldReport {
	return (mine.fields[field.name] ??= {
		different: 0,
		rule: ruleOf(field),
		writes: {},
		reviews: 0,
	});
}

function ruleOf({ authority }: FieldPolicy): string {
	if (authority.kind === 'owned') return `owned by ${authority.owner}`;
	const { resolve } = authority;
	return resolve.kind === 'prefer' ? `shared, prefer ${resolve.system}` : 'shared, review';
}

function count(counts: Record<string, number>, name: string): void {
	counts[name] = (counts[name] ?? 0) + 1;
}
