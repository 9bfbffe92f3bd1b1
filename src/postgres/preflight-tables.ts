import type { Problem } from './preflight';
import type { PreflightFacts, PreflightRequest, ServerFacts, TableFacts, WantedTable } from './preflight-facts';
import { ident, tableName } from './sql';

/** What is wrong with one table. Pure. */
export function judgeTable(
	wanted: WantedTable,
	facts: TableFacts | null,
	{ server, publication }: PreflightFacts,
	{ requireFull = false }: PreflightRequest,
): Problem[] {
	const name = tableName(wanted);
	const published = publication?.tables.find(({ schema, table }) => schema === wanted.schema && table === wanted.table);
	const shared = judgePolledTable(wanted, facts, server, published?.columns ?? []);
	if (!facts || (facts.kind !== 'r' && facts.kind !== 'p')) return shared;
	return [...judgePersistence(name, facts), ...shared, ...judgeIdentity(name, wanted, facts, requireFull)];
}

/**
 * The same of one whose changes are not read from the log: any table whose rows can be read and told apart. Pure.
 *
 * @param published - columns that the log has in any case, generated ones among them (Postgres 18 on)
 */
export function judgePolledTable(
	wanted: WantedTable,
	facts: TableFacts | null,
	server: Pick<ServerFacts, 'database' | 'role'>,
	published: readonly string[] = [],
): Problem[] {
	const name = tableName(wanted);
	if (!facts) {
		return [
			{
				severity: 'error',
				code: 'TABLE_MISSING',
				message: `There is no table ${name} in database ${ident(server.database)}`,
				fix: 'Correct the name in the policy, or create the table.',
			},
		];
	}
	if (facts.kind !== 'r' && facts.kind !== 'p') {
		return [
			{
				severity: 'error',
				code: 'TABLE_MISSING',
				message: `${name} is not a table but a ${KINDS[facts.kind] ?? 'something else'}; changes are logged for tables only`,
				fix: 'Name the table behind it in the policy.',
			},
		];
	}
	return [...judgeColumns(name, wanted, facts, published), ...judgeAccess(name, wanted, facts, ident(server.role)), ...judgeKey(name, wanted, facts)];
}

const KINDS: Readonly<Record<string, string>> = {
	v: 'view',
	m: 'materialized view',
	f: 'foreign table',
};

function judgePersistence(name: string, { persistence }: TableFacts): Problem[] {
	if (persistence === 'p') return [];
	const isTemporary = persistence === 't';
	const message = `${name} is ${isTemporary ? 'temporary' : 'unlogged'}: its changes are not in the log`;
	const fix = isTemporary
		? 'Name a permanent table in the policy.'
		: `alter table ${name} set logged;`;
	return [{ severity: 'error', code: 'TABLE_NOT_LOGGED', message, fix }];
}

function judgeColumns(name: string, wanted: WantedTable, { columns }: TableFacts, published: readonly string[]): Problem[] {
	const byName = new Map(columns.map((column) => [column.name, column]));
	return wantedColumns(wanted).flatMap((column): Problem[] => {
		const found = byName.get(column);
		if (!found) {
			const message = `${name} has no column ${ident(column)}`;
			const fix = 'Correct the column in the policy, or add it to the table.';
			return [{ severity: 'error', code: 'COLUMN_MISSING', message, fix }];
		}
		if (!found.isGenerated || published.includes(column)) return [];
		const message = `Column ${ident(column)} of ${name} is generated, and such columns are not in the change stream`;
		const fix = 'Leave the column out, and name the columns it is computed from; on Postgres 18 or later a publication can carry stored ones (publish_generated_columns = stored).';
		return [{ severity: 'error', code: 'COLUMN_GENERATED', message, fix }];
	});
}

function judgeAccess(
	name: string,
	wanted: WantedTable,
	facts: TableFacts,
	role: string,
): Problem[] {
	const problems: Problem[] = [];
	const denied = facts.columns.filter(
		({ name: column, maySelect }) => !maySelect && wantedColumns(wanted).includes(column),
	);
	const grants = [
		...(facts.mayUseSchema ? [] : [`grant usage on schema ${ident(wanted.schema)} to ${role};`]),
		...(denied.length > 0 ? [`grant select on ${name} to ${role};`] : []),
	];
	if (grants.length > 0) {
		const message = `The role ${role} may not read ${name}, so there is no first read of its rows`;
		problems.push({ severity: 'error', code: 'SELECT_DENIED', message, fix: grants.join(' ') });
	}
	if (facts.hidesRows) {
		const message = `Row level security hides rows of ${name} from the role ${role}, but not from the change stream`;
		problems.push({
			severity: 'error',
			code: 'ROWS_HIDDEN',
			message,
			fix: `alter role ${role} bypassrls;`,
		});
	}
	return problems;
}

function judgeKey(
	name: string,
	{ key }: WantedTable,
	{ columns, uniqueKeys }: TableFacts,
): Problem[] {
	const problems: Problem[] = [];
	const list = key.map(ident).join(', ');
	if (!uniqueKeys.some((unique) => unique.every((column) => key.includes(column)))) {
		const message = `Nothing keeps the key (${list}) of ${name} unique, so one key could mean several rows`;
		const fix = `create unique index on ${name} (${list});`;
		problems.push({ severity: 'error', code: 'KEY_NOT_UNIQUE', message, fix });
	}
	for (const { name: column, isNullable } of columns) {
		if (!isNullable || !key.includes(column)) continue;
		const message = `Key column ${ident(column)} of ${name} can be null, and a row without a key cannot be synced`;
		const fix = `alter table ${name} alter column ${ident(column)} set not null;`;
		problems.push({ severity: 'warning', code: 'KEY_NULLABLE', message, fix });
	}
	return problems;
}

/** Each partition has a replica identity of its own, by which its old rows are logged; what of them is sent, that of the partitioned table says. */
function judgeIdentity(
	name: string,
	{ key }: WantedTable,
	{ storage, root = null }: TableFacts,
	requireFull: boolean,
): Problem[] {
	const setFull = (places: TableFacts['storage']) =>
		places.map((place) => `alter table ${tableName(place)} replica identity full;`).join(' ');
	const notFull = [...(root === null ? [] : [root]), ...storage].filter(({ replicaIdentity }) => replicaIdentity !== 'full');
	const without = notFull.filter((place) => place !== root && place.identityColumns.length === 0);
	if (without.length > 0) {
		const message = `${name} has no replica identity: once it is published, updates and deletes of it fail, for every user`;
		return [{ severity: 'error', code: 'IDENTITY_NOTHING', message, fix: setFull([...without, ...notFull.filter((place) => place === root)]) }];
	}
	const lacking = notFull.filter(
		({ identityColumns }) => !key.every((column) => identityColumns.includes(column)),
	);
	if (lacking.length > 0) {
		const message = `The log names deleted rows of ${name} by other columns than the key (${key.map(ident).join(', ')})`;
		return [{ severity: 'error', code: 'IDENTITY_LACKS_KEY', message, fix: setFull(lacking) }];
	}
	if (notFull.length === 0) return [];
	const severity = requireFull ? 'error' : 'warning';
	const message = `The log has only the key of old rows of ${name}: no values before a change, and none of large columns that did not change`;
	return [{ severity, code: 'IDENTITY_KEY_ONLY', message, fix: setFull(notFull) }];
}

function wantedColumns({ key, columns }: WantedTable): string[] {
	return [...new Set([...key, ...columns])];
}
