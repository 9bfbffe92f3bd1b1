import type { Json } from '../../../src/core/canonical-json';
import type { Row } from '../../../src/core/mapping';
import type { EntityPolicy, FieldPolicy, Policy } from '../../../src/core/policy';
import { rawOf, rehearsedStart } from '../../../src/core/rehearse-values';
import { keyOfReferred, REFERRED } from '../../../src/core/rehearsed-record';

/** An entity, and the rows of its records by system. */
export interface EntityRows {
	readonly entity: EntityPolicy;
	readonly rows: ReadonlyMap<string, readonly Row[]>;
}

/** The records that an entity's fields can name: three of each, and those that these name in turn. @returns why there are none, as a text */
export function referredRows(policy: Policy, entity: EntityPolicy, above: readonly string[] = []): EntityRows[] | string {
	const path = [...above, entity.name];
	const found: EntityRows[] = [];
	for (const name of new Set([...entity.fields.values()].flatMap(({ references }) => references ?? []))) {
		const referred = policy.entities.get(name);
		if (referred === undefined) continue;
		if (path.includes(name)) return `${name} names records of its own kind: write a scenario of your own for it`;
		const own = rowsOf(referred);
		if (typeof own === 'string') return own;
		const further = referredRows(policy, referred, path);
		if (typeof further === 'string') return further;
		found.push({ entity: referred, rows: own }, ...further);
	}
	return found;
}

function rowsOf(entity: EntityPolicy): ReadonlyMap<string, Row[]> | string {
	const start = rehearsedStart(entity);
	const rows = new Map<string, Row[]>();
	for (const [system, binding] of entity.tables) {
		if (binding.key.length !== 1) return `the key of ${entity.name} in ${system} has several columns: write a scenario of your own for records that name it`;
		rows.set(system, []);
		for (const link of REFERRED) {
			const row: Row = { ...start.rows.get(system), [binding.key[0] ?? '']: keyOfReferred(link) };
			for (const field of identifying(entity)) Object.assign(row, identity(entity, field, { system, link, values: start.values.get(field.name) }));
			rows.get(system)?.push(row);
		}
	}
	return rows;
}

/** The fields by which the record of one system is found in another one. */
function identifying({ match, fields }: EntityPolicy): FieldPolicy[] {
	return [...new Set(match.flat())].flatMap((name) => fields.get(name) ?? []);
}

interface IdentityOf {
	readonly system: string;
	readonly link: (typeof REFERRED)[number];
	readonly values: { readonly before: Json; readonly one: Json; readonly other?: Json } | undefined;
}

/** What a record says in such a field: another one says something else, and every system the same. */
function identity(entity: EntityPolicy, field: FieldPolicy, { system, link, values }: IdentityOf): Row {
	const column = field.columns.get(system)?.column;
	if (column === undefined) return {};
	const isKey = [...field.columns].some(([name, bound]) => entity.tables.get(name)?.key.includes(bound.column));
	const invented = [values?.before, values?.one, values?.other][REFERRED.indexOf(link)] ?? null;
	const canon = field.references !== null ? link : isKey ? keyOfReferred(link) : invented;
	return { [column]: rawOf(entity, system, field, canon)?.raw ?? null };
}
