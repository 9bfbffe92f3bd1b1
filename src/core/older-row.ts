import { equalJson, type Json } from './canonical-json';
import { unrelated } from './foreign-view';
import type { LinkState, View } from './link';
import { columnsRead, type EntityPolicy } from './policy';
import type { RecordChange } from './record-change';

/**
 * A system that was put back to an older copy of itself (a backup, a standby that had not heard of everything)
 * shows values that it had before. They are nobody's edits: taken for changes, a backup of yesterday would
 * undo the day in all other systems. Such a row has seen what its own system had changed, and
 * nothing of what others had: what the sync holds is newer, and is written to the system again.
 *
 * A value that the system had never shown is an edit that the copy holds, or that somebody has made in it since.
 */

/**
 * Whether the row may be older than what was observed of it before. Whatever was observed by the place that the
 * copy holds is still in it: there, a difference is a change.
 */
export function isOlderRow({ seen }: LinkState, { system, restoredTo }: RecordChange): boolean {
	const last = seen[system];
	return restoredTo !== undefined && last !== undefined && last > restoredTo;
}

/** The columns with a value that the system had shown before: what `shown` of such a change is to be. */
export function columnsShown({ columns }: RecordChange, history: readonly RecordChange[]): string[] {
	const isShown = (column: string, value: Json): boolean =>
		history.some((earlier) => Object.hasOwn(earlier.columns, column) && equalJson(earlier.columns[column] ?? null, value));
	return Object.entries(columns).flatMap(([column, value]) => (isShown(column, value) ? [column] : []));
}

/** Whether the columns by which the system says the field hold nothing but what they had held before. */
export function isShownField(field: string, { system, columns, shown = [] }: RecordChange, { fields }: EntityPolicy): boolean {
	const policy = fields.get(field);
	const sent = policy === undefined ? [] : columnsRead(policy, system).filter((column) => Object.hasOwn(columns, column));
	return sent.every((column) => shown.includes(column));
}

/** The same of all fields: the record as it once was. */
export function isShownRecord(change: RecordChange, entity: EntityPolicy): boolean {
	return [...entity.fields.keys()].every((field) => isShownField(field, change, entity));
}

/** What the ledger of a copy lacks is no news when the next gap is looked at. */
export function noteCopy(state: LinkState, { system, restoredTo }: RecordChange): void {
	if (restoredTo === undefined || state.applied === undefined) return;
	const { [system]: _before, ...others } = state.applied;
	state.applied = others;
}

/** The view that such a row gives: behind the merged version, as long as that has heard of the system's last change. */
export function olderView(view: View, { raw, canon }: { readonly raw: Json; readonly canon: Json }, system: string): View {
	const { atMs: _lost, unreadable: _gone, ...plain } = unrelated(view, system);
	return { ...plain, raw, canon, base: canon };
}
