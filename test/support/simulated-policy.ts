import type { Json } from '../../src/core/canonical-json';
import { inForce, type PolicyInForce } from '../../src/core/observe';
import { parsePolicy } from '../../src/core/parse-policy';
import type { EntityPolicy } from '../../src/core/policy';

export const SIMULATED_POLICY = 'simulated';
export const SIMULATED_ENTITY = 'customer';

/** Per field, what the policy says beyond the columns: `owner: crm`, `owner: shared, resolve: prefer(crm)` … */
export type FieldRules = Readonly<Record<string, Readonly<Record<string, Json>>>>;

/** One of each kind of rule. */
export const FIELD_RULES: readonly FieldRules[string][] = [
	{ owner: 'shared', resolve: 'prefer(crm)' },
	{ owner: 'shared', resolve: 'prefer(billing)' },
	{ owner: 'shared', resolve: 'review' },
	{ owner: 'crm' },
	{ owner: 'billing', onForeignEdit: 'ignore' },
	{ owner: 'crm', onForeignEdit: 'review' },
	{ owner: 'crm', onForeignEdit: 'propose' },
	{ owner: 'shared', resolve: 'max' },
	{ owner: 'shared', resolve: 'min' },
	{ owner: 'shared', resolve: 'longest' },
	{ owner: 'shared', resolve: 'latest' },
	{ owner: 'shared', resolve: 'prefer(crm)', nulls: 'ignore' },
	{ owner: 'shared', resolve: 'max', nulls: 'never-wins' },
	{ owner: 'crm', nulls: 'ignore' },
	{ owner: 'shared', resolve: 'latest', valid: { oneOf: ['x', 'y', '1', '2.50'], required: true } },
	{ owner: 'shared', resolve: 'prefer(billing)', valid: { transitions: { x: ['y'], y: ['z', 'x'] } } },
];

/** Rules that make a value of several: nobody is its author. */
export const MERGING_RULES: readonly FieldRules[string][] = [
	{ owner: 'shared', resolve: 'union' },
	{ owner: 'shared', resolve: 'delta' },
];

export type DeleteRule = 'review' | 'update-wins' | 'delete-wins';

/**
 * A policy for one entity whose fields have a column of the same name in every system; `ref`
 * identifies the record and belongs to the first system.
 *
 * @param more - what else the policy says of the entity
 */
export function simulatedPolicy(
	systems: readonly string[],
	fields: FieldRules,
	deletes: DeleteRule = 'review',
	more: Readonly<Record<string, Json>> = {},
): PolicyInForce {
	const [first = ''] = systems;
	const mapped = { ref: { owner: first }, ...fields };
	const columns = (name: string) => systems.map((system) => [system, name]);
	const document = {
		policy: SIMULATED_POLICY,
		systems,
		entities: {
			[SIMULATED_ENTITY]: {
				...Object.fromEntries(
					systems.map((system) => [system, { table: `public.${system}_rows`, key: ['id'] }]),
				),
				match: [['ref']],
				deletes: { conflict: deletes },
				...more,
				fields: Object.fromEntries(
					Object.entries(mapped).map(([name, rules]) => [
						name,
						{ ...Object.fromEntries(columns(name)), ...rules },
					]),
				),
			},
		},
	};
	return inForce(parsePolicy(JSON.stringify(document)));
}

export function simulatedEntity({ policy }: PolicyInForce): EntityPolicy {
	const entity = policy.entities.get(SIMULATED_ENTITY);
	if (!entity) throw new Error('the simulated policy has no entity');
	return entity;
}
