import { SyncError } from '../../src/core/errors';
import { shapeChanges, shapeInWords } from '../../src/postgres/shape-changes';
import type { SourceTransaction } from '../../src/postgres/source-transaction';

/**
 * Stops before a transaction in which columns that the policy reads are gone or have another type: reading starts
 * anew there, looks at the tables, and lets their fields wait.
 *
 * @param mapped - the columns that fields read
 * @throws SyncError SCHEMA_CHANGED
 */
export function requireShape(
	transaction: Pick<SourceTransaction, 'changes'>,
	mapped: readonly { readonly schema: string; readonly table: string; readonly columns: readonly string[] }[],
): void {
	const news = shapeChanges(transaction).filter(({ schema, table, gone, retyped }) => {
		const read = mapped.find((one) => one.schema === schema && one.table === table)?.columns ?? [];
		return [...gone, ...retyped].some((column) => read.includes(column));
	});
	if (news.length > 0) throw new SyncError('SCHEMA_CHANGED', news.map(shapeInWords).join('; '));
}
