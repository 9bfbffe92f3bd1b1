import { EXISTENCE, type LinkState } from './link';
import type { Authority } from './policy';
import { includes } from './version-vector';

/**
 * Whether a change of the field by the system comes to nothing without anybody's being asked: another system owns it.
 * Such an edit is no reason to keep a record that is deleted elsewhere, or it would depend on which of
 * the two is heard first: an edit that was put back before the delete came holds nothing up either.
 */
export function isOverruled(state: LinkState, authority: Authority | undefined, system: string): boolean {
	if (authority?.kind !== 'owned' || authority.owner === system) return false;
	return (authority.onForeignEdit === 'revert' || authority.onForeignEdit === 'ignore') && hasSay(state, authority.owner);
}

/** Whether the owner has the record, or its delete is what is being decided; without it, whatever others say stands. */
function hasSay(state: LinkState, owner: string): boolean {
	const { views = {}, merged = null } = state.fields[EXISTENCE] ?? {};
	const view = views[owner];
	if (view === undefined) return false;
	if (view.canon === true) return true;
	return view.accepted !== true && !(merged?.canon === true && includes(merged.vector, view.vector));
}
