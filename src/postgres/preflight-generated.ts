import type { Problem } from './preflight';
import type { ColumnFacts, PreflightFacts, StorageFacts, TableFacts, WantedTable } from './preflight-facts';
import { ident, tableName } from './sql';

/**
 * From this version on a replica identity may hold no generated column that is not published: the
 * server refuses every update and delete of the table (42P10), ours and those of the applications.
 * Looked for before there is a publication, because it is the publication that makes them fail.
 */
const STRICT_VERSION = 180_000;

const OPTION = 'publish_generated_columns = stored';

/** A table whose updates and deletes fail, or will once it is published. */
interface UnpublishedIdentity {
	readonly table: WantedTable;
	/** The table, or those of its partitions, that log whole old rows. */
	readonly full: readonly StorageFacts[];
	readonly columns: readonly ColumnFacts[];
}

export function unpublishedIdentities(
	{ server, publication }: PreflightFacts,
	tables: readonly { readonly table: WantedTable; readonly of: TableFacts | null }[],
): UnpublishedIdentity[] {
	if (server.versionNum < STRICT_VERSION) return [];
	return tables.flatMap(({ table, of }) => {
		const published = publication?.tables.find((one) => one.schema === table.schema && one.table === table.table);
		const full = of?.storage.filter(({ replicaIdentity }) => replicaIdentity === 'full') ?? [];
		const columns = of?.columns.filter(({ name, isGenerated }) => isGenerated && !published?.columns?.includes(name)) ?? [];
		return full.length > 0 && columns.length > 0 ? [{ table, full, columns }] : [];
	});
}

/** Virtual columns cannot be published. */
const isPublishable = ({ columns }: UnpublishedIdentity): boolean => !columns.some(({ isVirtual }) => isVirtual);

/** The statements, one that creates the publication with the option that these tables need. */
export function publishingGenerated(statements: readonly string[], found: readonly UnpublishedIdentity[]): string[] {
	if (!found.some(isPublishable)) return [...statements];
	return statements.map((statement) => (statement.startsWith('create ') ? statement.replace(/\)$/, `, ${OPTION})`) : statement));
}

/** @param creating - what creates the publication, where no other problem says so */
export function judgeGenerated(found: readonly UnpublishedIdentity[], publication: string, creating: readonly string[]): Problem[] {
	return found.map((one) => {
		const { table, full, columns } = one;
		const list = columns.map(({ name }) => ident(name)).join(', ');
		const message = `The replica identity of ${tableName(table)} takes in ${list}, which is generated and not published: updates and deletes of its rows fail, for every user`;
		const publish = creating.length > 0 ? creating : [`alter publication ${ident(publication)} set (${OPTION})`];
		const narrow = full.map((place) => `alter table ${tableName(place)} replica identity default`);
		const fix = (isPublishable(one) ? publish : narrow).map((statement) => `${statement};`).join(' ');
		return { severity: 'error', code: 'IDENTITY_UNPUBLISHED', message, fix };
	});
}
