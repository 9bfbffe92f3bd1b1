import type { IDataObject, INodeExecutionData } from 'n8n-workflow';
import { z } from 'zod/v4';

import { SyncError } from '../../src/core/errors';
import { parsePolicy } from '../../src/core/parse-policy';
import type { TableFacts } from '../../src/core/table-facts';
import type { PgSettings } from '../../src/postgres/connect';
import { readTableFacts } from '../../src/postgres/table-facts';
import { isBehindApi } from '../../src/store/approve-first-contact';
import { withDatabase } from '../shared/open-database';
import { defaultName } from '../PostgresCdcTrigger/settings';

/**
 * What a system's database says about the policy's tables, for Lint. The facts that came in with
 * the items go out again, so that one such node after the other describes all systems.
 *
 * @throws SyncError POLICY_INVALID; INVALID_SETTING when the policy has no such system
 */
export async function describeTables(
	database: PgSettings,
	{ document, system, given }: { document: string; system: string; given: readonly TableFacts[] },
): Promise<IDataObject> {
	const policy = parsePolicy(document);
	const tables = [...policy.entities.values()].flatMap((entity) => {
		const table = entity.tables.get(system);
		const all = table && table.api === undefined ? [table, ...table.parts.values()] : [];
		return all.map(({ schema, table: name }) => ({ schema, table: name }));
	});
	if (tables.length === 0) {
		const known = policy.systems.filter((one) => !isBehindApi(policy, one)).join(', ');
		throw new SyncError('INVALID_SETTING', `"System" must be one of ${known}, not "${system}"`);
	}
	const publication = defaultName('bisync', policy.name);
	const read = await withDatabase(
		database,
		async (pool) => await readTableFacts(pool, { system, tables, publication }),
	);
	const facts = [...given.filter((other) => other.system !== system), ...read];
	const missing = tables
		.filter(
			({ schema, table }) => !read.some((one) => one.schema === schema && one.table === table),
		)
		.map(({ schema, table }) => `${schema}.${table}`);
	return {
		policy: policy.name,
		system,
		missing,
		document,
		facts: facts.map((one) => ({ ...one })) as unknown as IDataObject[],
	};
}

const names = z.array(z.string());

const columnShape = z.looseObject({
	name: z.string(),
	notNull: z.boolean(),
	hasDefault: z.boolean(),
});

const factsShape = z.array(
	z.looseObject({
		system: z.string(),
		schema: z.string(),
		table: z.string(),
		columns: z.array(columnShape),
		uniqueKeys: z.array(names).optional(),
	}),
);

/**
 * The facts that the items bring from Describe Tables; none is no error.
 *
 * @throws SyncError INVALID_SETTING when an item's `facts` are something else
 */
export function givenFacts(items: readonly INodeExecutionData[]): TableFacts[] {
	return items.flatMap(({ json }) => {
		if (json['facts'] === undefined) return [];
		const read = factsShape.safeParse(json['facts']);
		if (read.success) return read.data as unknown as TableFacts[];
		throw new SyncError(
			'INVALID_SETTING',
			`The item's "facts" must come from Sync Policy: Describe Tables; ${read.error.issues[0]?.path.join('.') ?? ''} is not as there`,
		);
	});
}
