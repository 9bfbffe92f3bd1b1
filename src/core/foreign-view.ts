import type { Json } from './canonical-json';
import { unfreeze, type Draft } from './draft';
import { EXISTENCE, type View } from './link';
import type { RecordChange } from './record-change';
import { counterOf, increment, NOTHING_SEEN } from './version-vector';

/** The view after a change that was not ours: it has seen what the view has, and is one more of its system. */
export function foreignView(
	view: View | undefined,
	{ raw, canon }: { raw: Json; canon: Json },
	{ system, tsMs, snapshot }: RecordChange,
): View {
	const vector = increment(view?.vector ?? NOTHING_SEEN, system);
	const base = view?.base === undefined ? {} : { base: view.base };
	// A row that is read as it is says nothing of when it was changed.
	return { raw, canon, vector, ...base, ...(snapshot ? {} : { atMs: tsMs }) };
}

/** The view as one that has seen its own system's changes only, and that no merged version is made of. */
export function unrelated({ raw, canon, vector, atMs, unreadable }: View, system: string): View {
	return {
		raw,
		canon,
		vector: { [system]: counterOf(vector, system) },
		...(atMs === undefined ? {} : { atMs }),
		...(unreadable === undefined ? {} : { unreadable }),
	};
}

/**
 * A newer foreign change is a new chance: the refused value need not be written any more. Not
 * where a value cannot be read: nobody knows what it says, so no other one may replace it.
 */
export function liftFailure(draft: Draft, name: string): void {
	for (const field of [name, EXISTENCE]) {
		const { frozen, views } = draft.state.fields[field] ?? { frozen: null, views: {} };
		if (Object.values(views).some(({ unreadable }) => unreadable !== undefined)) continue;
		if (frozen?.kind === 'failure') unfreeze(draft, frozen.review, 'a newer change of the field');
	}
}
