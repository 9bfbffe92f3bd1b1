import { sha256Hex } from '../../src/core/canonical-json';
import type { Policy } from '../../src/core/policy';
import { columnNews, namedColumns, parseTyped } from '../../src/core/table-drift';
import type { StreamId } from '../../src/store/stream-record';
import type { SyncStore } from '../../src/store/sync-store';
import type { Log } from './deliver';

export interface ColumnsSeen {
	/** As the stream was registered last; null: nobody has looked before, so nothing is news. */
	readonly known: readonly string[] | null;
	readonly present: readonly string[];
	readonly policy: Policy;
	readonly log: Log;
}

/**
 * Tells a person, once, of columns that have been added to tables which the policy covers: they are not synced,
 * and somebody may have thought they were. The columns are registered with the stream, so that one which is added
 * while the trigger is off is noticed, too.
 */
export async function noteColumns(
	store: Pick<SyncStore, 'listReviews' | 'changeReviews'>,
	{ policy: name, system }: StreamId,
	{ known, present, policy, log }: ColumnsSeen,
): Promise<void> {
	if (known === null) return;
	const id = `added-columns-${name}-${system}`;
	const [item] = await store.listReviews({ ids: [id], state: 'open', limit: 1 });
	const before = (item?.detail as { readonly columns?: readonly string[] } | null | undefined)?.columns ?? [];
	const { added, told } = columnNews({ columns: labels(known), told: before }, labels(present), namedColumns(policy, system));
	if (told.length === 0) {
		if (item) await store.changeReviews(name, [{ action: 'close', id, how: 'superseded', by: 'sync' }]);
		return;
	}
	if (added.length === 0 && told.length === before.length) return;
	const what = told.length === 1 ? 'a new column' : 'new columns';
	const reason = `${system} has ${what}, ${told.join(', ')}, of which the policy says nothing: nothing of it is synced. Add a field for it, or dismiss this`;
	if (added.length > 0) log.warn(reason);
	const about = { kind: 'failure', policy: name, link: null, entity: null, fields: [] } as const;
	const token = sha256Hex(told.join()).slice(0, 16);
	await store.changeReviews(name, [{ action: 'open', item: { id, ...about, reason, token, detail: { columns: [...told] } } }]);
}

const labels = (columns: readonly string[]): string[] => columns.map((column) => parseTyped(column).label);
