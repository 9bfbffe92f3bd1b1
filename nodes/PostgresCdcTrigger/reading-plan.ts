import type { Policy } from '../../src/core/policy';
import { EXISTENCE } from '../../src/core/link';
import type { Position } from '../../src/core/position';
import { depthsOf } from '../../src/core/reference-graph';
import { type Scopes, scopeText, unreadScopes } from '../../src/core/scopes';
import type { EventTable } from '../../src/postgres/event-tables';
import { labelOf } from '../../src/postgres/snapshot-columns';
import type { StreamRecord, TableReading } from '../../src/store/stream-record';

export interface ReadingNeeds {
	readonly policy: Policy;
	readonly system: string;
	readonly tables: readonly EventTable[];
	/** What the stream has read by now, and how far it had come with the rest. */
	readonly record: Pick<StreamRecord, 'filterHash' | 'reading'>;
	/** Scopes whose columns are not there to be read. */
	readonly gone: Scopes;
	/** The store may know records of this system from before: those that are gone must be found. */
	readonly hasHistory: boolean;
	/** See `RecordChange`; null: the system has not been put back. */
	readonly restoredTo: Position | null;
}

/**
 * The tables whose rows have to be read, because the policy names something of them that has not
 * been read yet: all of them at first, later those of a new entity or a new field. One that was
 * being read for the same scopes goes on where it stood. Parents come before their children, which are
 * found by them. Pure.
 */
export function planReading({
	policy,
	system,
	tables,
	record,
	gone,
	hasHistory,
	restoredTo,
}: ReadingNeeds): TableReading[] {
	const unread = unreadScopes(policy, system, record.filterHash).filter((scope) => !gone.has(scopeText(scope)));
	const depths = depthsOf(policy);
	const depth = ({ entity }: EventTable): number => depths.get(entity) ?? 0;
	const inOrder = [...tables].sort((a, b) => depth(a) - depth(b));
	return inOrder.flatMap((table): TableReading[] => {
		const wanted = unread.filter(({ entity }) => entity === table.entity);
		if (wanted.length === 0) return [];
		const hash = wanted
			.map((scope) => scope.hash)
			.sort()
			.join('.');
		const begun = record.reading?.find((one) => one.table === labelOf(table) && one.hash === hash);
		if (begun) return [begun];
		// The rows of a table that is already followed are known: only their columns are new.
		const looksBack = hasHistory && wanted.some(({ field }) => field === EXISTENCE);
		return [
			{
				table: labelOf(table),
				entity: table.entity,
				hash,
				phase: looksBack ? 'known' : 'rows',
				after: null,
				rows: 0,
				estimate: null,
				...(restoredTo === null ? {} : { restoredTo }),
			},
		];
	});
}

/** Whether two states are of the same reading. */
export const isSameReading = (one: TableReading, other: TableReading): boolean => one.table === other.table && one.asked === other.asked;

/** "Read 1,200 of about 5,000 rows of public.customers", for a log. */
export function inWords({ table, rows, estimate, phase }: TableReading): string {
	if (phase === 'known') return `Looking for known records that are gone from ${table}`;
	const count = rows.toLocaleString('en-US');
	if (phase === 'done') return `Read all ${count} rows of ${table}`;
	const of =
		estimate === null ? '' : ` of about ${Math.max(estimate, rows).toLocaleString('en-US')}`;
	return `Read ${count}${of} rows of ${table}`;
}
