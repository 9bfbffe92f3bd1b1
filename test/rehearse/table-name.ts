import type { Policy, TableBinding } from '../../src/core/policy';
import { ident } from '../../src/postgres/sql';

/** What the records of a system that is an API are called where its tables are named. */
export const COLLECTION = 'customers';

export interface TableName {
	readonly schema: string;
	readonly table: string;
}

/** "accounts" or "sales.accounts". */
export function tableNameOf(text: string): TableName {
	const [first = '', second] = text.split('.');
	return second === undefined ? { schema: 'public', table: first } : { schema: first, table: second };
}

/** Short where the schema is "public". */
export const shortName = ({ schema, table }: TableName): string => (schema === 'public' ? table : `${schema}.${table}`);

export const quotedName = ({ schema, table }: TableName): string => `${ident(schema)}.${ident(table)}`;

/** The table as the policy knows it in a system, and of which entity its rows are. */
export function bindingOf(
	policy: Policy,
	system: string,
	name: string,
): { readonly entity: string; readonly binding: TableBinding } | null {
	const { schema, table } = tableNameOf(name);
	for (const [entity, { tables }] of policy.entities) {
		const binding = tables.get(system);
		if (binding?.api !== undefined && name === COLLECTION) return { entity, binding };
		if (binding?.schema === schema && binding.table === table) return { entity, binding };
	}
	return null;
}
