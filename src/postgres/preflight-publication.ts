import type { Problem } from './preflight';
import type { PreflightFacts, PreflightRequest, TableFacts, WantedTable } from './preflight-facts';
import { judgeGenerated, publishingGenerated, unpublishedIdentities } from './preflight-generated';
import { type PublicationState, publicationSql, publishedTable, type PublishedTable } from './publication';
import { judgeFilteredIdentity, publishedOperations } from './row-filter';
import { ident, tableName } from './sql';

/**
 * What is wrong with the publication. Pure. What `ensurePublication` can mend by itself is no
 * problem, unless there is a slot already: then it comes too late for the changes since. Not for tables
 * whose rows have yet to be read.
 */
export function judgePublication(facts: PreflightFacts, request: PreflightRequest): Problem[] {
	const { publication } = facts;
	// Missing tables are reported as such; a publication cannot name them.
	const tables = request.tables.filter((_, index) => isPublishable(facts, index));
	const factsOf = (table: WantedTable): TableFacts | null => facts.tables[request.tables.indexOf(table)] ?? null;
	const unpublished = unpublishedIdentities(facts, tables.map((table) => ({ table, of: factsOf(table) })));
	const statements = publishingGenerated(publicationSql(request.publication, publication, tables, request.operations), unpublished);
	const filters = [
		...tables.flatMap((table) => (publication ? judgeFilters(publication, table, factsOf(table)) : [])),
		...tables.flatMap((table) => judgeFilteredIdentity(table, factsOf(table), publishedOperations(request, publication))),
	];
	const alone = [...filters, ...judgeGenerated(unpublished, request.publication, publication ? [] : statements)];
	if (statements.length === 0 || tables.length === 0) return alone;
	const followed = tables.filter(({ isUnread }) => !isUnread);
	const isInTime = facts.slot === null || publicationSql(request.publication, publication, followed, request.operations).length === 0;
	if (isInTime && canMend(facts, tables, request)) return alone;
	const name = ident(request.publication);
	return [
		{
			severity: 'error',
			code: publication ? 'PUBLICATION_INCOMPLETE' : 'PUBLICATION_MISSING',
			message: publication
				? `Publication ${name} does not cover all that is to be read`
				: `There is no publication ${name}`,
			fix: fixOf(statements, isInTime),
		},
		...filters,
		...judgeGenerated(unpublished, request.publication, []),
	];
}

function fixOf(statements: readonly string[], isInTime: boolean): string {
	const sql = statements.map((statement) => `${statement};`).join(' ');
	if (isInTime) return `${sql} -- as the owner of the tables`;
	return `${sql} -- what changed before is not read: drop the slot, so that the tables are read anew`;
}

function isPublishable({ tables }: PreflightFacts, index: number): boolean {
	const kind = tables[index]?.kind;
	return kind === 'r' || kind === 'p';
}

function canMend(
	{ server, publication, tables }: PreflightFacts,
	wanted: readonly WantedTable[],
	request: PreflightRequest,
): boolean {
	const mayChange = publication ? publication.mayAlter : server.mayCreate;
	const ownsAll = wanted.every((table) => tables[request.tables.indexOf(table)]?.isOwner === true);
	return mayChange && ownsAll;
}

function judgeFilters(
	publication: PublicationState,
	table: WantedTable,
	facts: TableFacts | null | undefined,
): Problem[] {
	const published = publication.tables.find(
		(other) => other.schema === table.schema && other.table === table.table,
	);
	if (!published) return [];
	const name = tableName(table);
	const label = ident(publication.name);
	const fix = `begin; alter publication ${label} drop table ${name}; alter publication ${label} add table ${publishedTable(table)}; commit;`;
	const problems: Problem[] = [];
	const leftOut = publishableColumns(table, facts).filter(
		(column) => published.columns !== null && !published.columns.includes(column),
	);
	if (leftOut.length > 0) {
		const message = `Publication ${label} leaves out ${leftOut.map(ident).join(', ')} of ${name}`;
		problems.push({ severity: 'error', code: 'PUBLICATION_INCOMPLETE', message, fix });
	}
	return [...problems, ...judgeRowFilter(published, { table, name, label, fix })];
}

function judgeRowFilter(
	{ rowFilter }: PublishedTable,
	{ table, name, label, fix }: { readonly table: WantedTable; readonly name: string; readonly label: string; readonly fix: string },
): Problem[] {
	const wanted = table.rowFilter ?? null;
	if (rowFilter === wanted) return [];
	if (wanted === null) {
		const message = `Publication ${label} leaves out rows of ${name}; a row that no longer passes its filter looks deleted`;
		return [{ severity: 'warning', code: 'PUBLICATION_FILTERS', message, fix }];
	}
	const had = rowFilter === null ? 'publishes all rows' : `publishes the rows where ${rowFilter}`;
	const message = `Publication ${label} ${had} of ${name}, and those where ${wanted} are wanted`;
	return [{ severity: 'error', code: 'PUBLICATION_FILTERS', message, fix: `${fix} -- holds for changes from then on` }];
}

/** Missing and generated columns are problems of the table, reported there. */
function publishableColumns(table: WantedTable, facts: TableFacts | null | undefined): string[] {
	const present = facts?.columns.filter(({ isGenerated }) => !isGenerated) ?? [];
	return present
		.map(({ name }) => name)
		.filter((name) => [...table.key, ...table.columns].includes(name));
}
