import { explain, freeze, type Draft } from './draft';
import { foreignView, liftFailure } from './foreign-view';
import { EXISTENCE, fieldOf, type Operation, type View } from './link';
import { olderView } from './older-row';
import type { RecordChange } from './record-change';
import { rawPresence, type RowPresence } from './row-presence';
import { counterOf, increment, join, NOTHING_SEEN } from './version-vector';

/** What a change shows of the record's row, and the operation that made it so; null: somebody else did. */
interface SeenRow {
	readonly change: RecordChange;
	readonly op: Operation | null;
	readonly presence: RowPresence;
	/** See `isOlderRow`. */
	readonly isOlder: boolean;
}

/** `raw` says whether there is a row, `canon` whether that is a record: a row may say of itself that it is deleted. */
export function observeExistence(draft: Draft, seen: SeenRow): { isForeign: boolean } {
	const { change, op, presence } = seen;
	const field = fieldOf(draft.state, EXISTENCE);
	const known = field.views[change.system];
	const view = viewAfter(known, seen);
	const isOlder = seen.isOlder && known !== undefined;
	const isForeign = view === 'foreign' && !isOlder;
	if (view === 'foreign') {
		const [raw, canon] = [rawPresence(presence), presence === 'record'];
		if (isOlder) field.views[change.system] = olderView(known, { raw, canon }, change.system);
		else field.views[change.system] = foreignView(field.views[change.system], { raw, canon }, change);
		liftFailure(draft, EXISTENCE);
		if (isOlder) explain(draft, 'restored', { field: EXISTENCE, system: change.system });
	} else if (view !== undefined) field.views[change.system] = view;
	if (change.awaits && field.frozen === null) field.frozen = { kind: 'approval', ...change.awaits };
	if (presence === 'outside' && op?.kind === 'insert') askAboutStray(draft, change.system);
	return { isForeign };
}

/** The view after the change; `foreign` when somebody else made the record come or go. */
function viewAfter(view: View | undefined, { op, presence }: SeenRow): View | undefined | 'foreign' {
	const [raw, exists] = [rawPresence(presence), presence === 'record'];
	const vector = view?.vector ?? NOTHING_SEEN;
	if (op !== null && op.existence !== null && (op.kind !== 'delete') === exists) {
		return { raw, canon: exists, vector: join(op.existence, vector), base: exists };
	}
	if (view !== undefined) return view.canon === exists ? { ...view, raw } : 'foreign';
	// That a row is archived of which nothing was known says something; that there is none does not.
	if (exists || presence === 'archived') return 'foreign';
	return presence === 'gone' ? undefined : { raw, canon: false, vector };
}

/** Something in the target has made another row of ours. To make one more would end there too. */
function askAboutStray(draft: Draft, system: string): void {
	freeze(draft, [EXISTENCE], {
		kind: 'identity',
		reason: `The row that was created in ${system} is not one of those that the policy covers: a trigger has changed it`,
	});
}

/**
 * A row that is there again is another row. Its values are nobody's edit of the old ones: a form
 * that was filled in anew has not seen what stood in the row that is gone.
 */
export function forgetRow(draft: Draft, system: string): void {
	for (const [name, { views }] of Object.entries(draft.state.fields)) {
		const view = views[system];
		if (name === EXISTENCE || view === undefined) continue;
		const { raw, canon, vector } = view;
		views[system] = { raw, canon, vector: { [system]: counterOf(vector, system) } };
	}
}

/**
 * Who edits a record that is deleted elsewhere says that it shall exist: a delete that was decided
 * without this edit must not take it along.
 */
export function insist(draft: Draft, system: string): void {
	const { views, merged } = fieldOf(draft.state, EXISTENCE);
	const view = views[system];
	const disputed = merged?.canon === false || Object.values(views).some(({ canon }) => canon === false);
	if (!disputed || view === undefined || view.accepted) return;
	views[system] = { ...view, vector: increment(view.vector, system) };
}

/** Edits that their owner would have put back, of a record that is being deleted: they go with it, and the journal keeps them. */
export function noteTooLate(draft: Draft, system: string, names: readonly string[]): void {
	const { merged } = fieldOf(draft.state, EXISTENCE);
	if (merged?.canon !== false) return; // What is not decided yet will name them.
	for (const name of names) {
		const view = fieldOf(draft.state, name).views[system];
		if (view === undefined) continue;
		const detail = { rule: 'delete', kept: merged.from, view: view.canon, viewVector: { ...view.vector } };
		explain(draft, 'revert', { field: name, system, detail });
	}
}
