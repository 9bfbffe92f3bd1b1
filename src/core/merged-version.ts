import { equalJson } from './canonical-json';
import type { Draft } from './draft';
import { EXISTENCE, fieldOf, isStill, type FieldState, type LinkState, type MergedVersion, type View } from './link';
import { outranks, type Rules } from './strategies';
import { compare, join, NOTHING_SEEN } from './version-vector';

/** Whether the merged version has taken the view into account, or a person has decided over it. */
export function isContained({ vector, defaulted }: View, merged: MergedVersion | null): boolean {
	if (merged === null) return false;
	if (defaulted) return true;
	const ordering = compare(vector, merged.vector);
	return ordering === 'before' || ordering === 'equal';
}

/**
 * The owner first, so that its value stands before a stranger's is judged against it; and who has
 * the record before who has not, so that a delete is judged against a record that is there.
 */
export function systemsInOrder(name: string, { policy, entity }: Rules, { views, merged }: FieldState): string[] {
	if (name === EXISTENCE) {
		const has = (system: string): boolean => views[system]?.canon === true;
		return [...policy.systems.filter(has), ...policy.systems.filter((system) => !has(system))];
	}
	const authority = entity.fields.get(name)?.authority;
	// What replaces the merged version goes first: nobody need be compared with a value that is gone.
	const replaces = (system: string): boolean => merged !== null && compare(views[system]?.vector ?? NOTHING_SEEN, merged.vector) === 'after';
	const rank = (system: string): number => (replaces(system) ? 0 : 1);
	if (authority?.kind === 'shared' && authority.resolve.kind === 'latest') {
		// Those before the latest then lose to it, instead of being too close to one that loses itself.
		const time = (system: string): number => views[system]?.atMs ?? 0;
		return [...policy.systems].sort((a, b) => rank(a) - rank(b) || time(b) - time(a));
	}
	const owner = authority?.kind === 'owned' ? authority.owner : null;
	if (owner === null) return [...policy.systems].sort((a, b) => rank(a) - rank(b));
	return [owner, ...policy.systems.filter((system) => system !== owner)];
}

/**
 * What all systems show is the merged version, whatever it was: to merge equal views one by one
 * could end in a conflict of the first with a version that no system has any more.
 *
 * @returns null when they differ, or the merged version is newer than all of them
 */
export function agreedVersion(draft: Draft, name: string, rules: Rules): MergedVersion | null {
	// A system without a view of ∃ is about to get the record: what the others agree on is not all there is.
	if (name === EXISTENCE && isInserting(draft.state)) return null;
	const field = fieldOf(draft.state, name);
	const { views, merged } = field;
	const all = systemsInOrder(name, rules, field).flatMap((system) => {
		const view = views[system];
		return view ? [{ system, view }] : [];
	});
	const [first] = all;
	if (first === undefined || all.some(({ view }) => view.unreadable !== undefined)) return null;
	const { canon } = first.view;
	if (!all.every(({ view }) => equalJson(view.canon, canon))) return null;
	const vector = all.reduce((seen, { view }) => join(seen, view.vector), merged?.vector ?? NOTHING_SEEN);
	const isSame = merged !== null && equalJson(canon, merged.canon);
	if (merged !== null && !isSame && compare(vector, merged.vector) === 'equal') return null;
	const best = all.reduce((a, b) => (outranks(b.system, a.system, { field: name, rules }) ? b : a));
	return { canon, vector, from: isSame ? merged.from : best.system };
}

/** An accepted difference is over as soon as there is another value to differ from. */
export function setMerged(field: FieldState, merged: MergedVersion): void {
	const sameValue = field.merged !== null && equalJson(field.merged.canon, merged.canon);
	field.merged = merged;
	if (sameValue) return;
	for (const [system, { accepted, ...view }] of Object.entries(field.views)) {
		if (accepted) field.views[system] = view;
	}
}

/** Whether every system plainly shows the merged value under its vector: there is nothing to merge. Nearly all fields of a change are so. */
export function isFieldAtRest(field: FieldState | undefined): boolean {
	if (field === undefined) return true;
	const { merged, views } = field;
	if (isStill(field)) return false;
	const all = Object.values(views);
	if (merged === null) return all.length === 0;
	return all.every(
		({ canon, base, vector, accepted, unreadable }) =>
			accepted === undefined &&
			unreadable === undefined &&
			base !== undefined &&
			compare(vector, merged.vector) === 'equal' &&
			equalJson(canon, merged.canon) &&
			equalJson(base, merged.canon),
	);
}

/** No system has the record, and no insert is under way that would bring it back. */
export function goneEverywhere(state: LinkState): boolean {
	const views = Object.values(state.fields[EXISTENCE]?.views ?? {});
	return !isInserting(state) && views.every((view) => view.canon === false);
}

/** The record is deleted everywhere, or is about to be: what its fields say interests nobody any more. */
export function isGone(state: LinkState): boolean {
	return state.fields[EXISTENCE]?.merged?.canon === false;
}

function isInserting({ inFlight }: LinkState): boolean {
	return Object.values(inFlight).some((op) => op.kind === 'insert');
}
