import { readColumnNames } from '../../src/postgres/column-names';
import type { EventOrigin } from '../../src/postgres/event-envelope';
import { conditionedTables, filteredTables } from '../../src/postgres/filtered-tables';
import type { WantedTable } from '../../src/postgres/preflight-facts';
import { readPrimaryKeys } from '../../src/postgres/source-setup';
import { tableName } from '../../src/postgres/sql';
import { tablesShape } from './event-shapes';
import type { TableSource, TriggerSettings } from './settings';
import { checkRules, type TableRule } from './table-rules';

/** The tables that the node names. */
export interface TableLook {
	/** As they are to be published. */
	readonly wanted: readonly WantedTable[];
	/** What of their events may leave. */
	readonly shape: NonNullable<EventOrigin['shape']>;
}

/**
 * Holds the node's rules against the tables as they are.
 *
 * @param settings.isPublished - whether changes are read from the log, by way of the publication
 * @throws SyncError TABLE_MISSING, INVALID_SETTING
 */
export async function lookAtTables(
	{ connection, publication, isPublished }: Pick<TriggerSettings, 'connection' | 'publication'> & { readonly isPublished: boolean },
	{ tables: rules, maskKey }: TableSource,
): Promise<TableLook> {
	const keyed = await readPrimaryKeys(connection, rules);
	const names = await readColumnNames(connection, rules);
	const tables = rules.map((rule, at) => ({ ...rule, key: keyed[at]?.key ?? [], present: [...(names.get(tableName(rule))?.keys() ?? [])] }));
	checkRules(tables);
	const sent = tables.map(({ schema, table, key, where, ...rule }) => ({ schema, table, key, where, columns: sentColumns(rule) }));
	return {
		wanted: isPublished ? await filteredTables(connection, { publication, tables: sent }) : await conditionedTables(connection, sent),
		// A masked column that is given another name later must not come without its mask: what is not known now is left out.
		shape: tablesShape(tables.map((rule) => ({ ...rule, columns: rule.columns ?? (rule.masks.size > 0 ? rule.present : null) })), maskKey),
	};
}

/** What is dropped need not leave the server either, where the others are named. */
const sentColumns = ({ columns, masks }: Pick<TableRule, 'columns' | 'masks'>): readonly string[] | null =>
	columns?.filter((column) => masks.get(column) !== 'drop') ?? null;
