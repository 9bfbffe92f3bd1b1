import { equalJson } from './canonical-json';
import { explain, freeze, unfreeze, type Draft } from './draft';
import {
	EXISTENCE,
	fieldOf,
	type FieldState,
	type LinkState,
	type MergedVersion,
	type View,
} from './link';
import { judge, type Rules } from './strategies';
import { compare, increment, join, type VersionVector } from './version-vector';

/**
 * Brings one field's merged version up to date with the views of all systems: a star of
 * three-way merges in a fixed order of systems. Writes nothing to any system; what a system
 * lacks afterwards is `plan-operations`' part.
 *
 * @returns whether anything changed
 */
export function mergeField(draft: Draft, name: string, rules: Rules): boolean {
	const field = fieldOf(draft.state, name);
	if (field.frozen !== null && !settledByItself(draft, field)) return false;
	let changed = false;
	for (const step of [absorb, agree]) {
		for (const system of systemsInOrder(name, rules)) {
			const view = field.views[system];
			if (field.frozen !== null || view === undefined || view.unreadable !== undefined) continue;
			if (step(draft, { name, system, field, view, rules })) changed = true;
		}
	}
	return changed;
}

interface Place {
	readonly name: string;
	readonly system: string;
	readonly field: FieldState;
	readonly view: View;
	readonly rules: Rules;
}

/** The owner first, so that its value stands before a stranger's is judged against it. */
function systemsInOrder(name: string, { policy, entity }: Rules): string[] {
	const authority = entity.fields.get(name)?.authority;
	const owner = authority?.kind === 'owned' ? authority.owner : null;
	const others = policy.systems.filter((system) => system !== owner);
	return owner === null ? others : [owner, ...others];
}

/** A conflict whose sides have become equal needs no person any more. */
function settledByItself(draft: Draft, field: FieldState): boolean {
	const { frozen } = field;
	if (frozen === null || frozen.kind !== 'conflict') return false;
	const views = Object.values(field.views);
	const [first] = views;
	const held = Object.values(draft.state.fields).filter((other) => other.frozen?.review === frozen.review);
	if (first === undefined || held.length > 1) return false;
	if (!views.every((view) => equalJson(view.canon, first.canon))) return false;
	unfreeze(draft, frozen.review, 'the systems became equal');
	return true;
}

/** Takes into the merged version what the view has and it has not. */
function absorb(draft: Draft, place: Place): boolean {
	const { field, system, view } = place;
	const { merged } = field;
	if (merged === null) {
		field.merged = { canon: view.canon, vector: view.vector, from: system };
		field.views[system] = { ...view, base: view.canon };
		return true;
	}
	const ordering = compare(view.vector, merged.vector);
	if (ordering === 'before') return false;
	if (equalJson(view.canon, merged.canon)) return absorbEqual(draft, place, merged);
	if (ordering === 'equal') return overtake(place, merged);
	return absorbDifferent(draft, place, { merged, dominates: ordering === 'after' });
}

function absorbEqual(draft: Draft, { field, system, view, name }: Place, merged: MergedVersion): boolean {
	const vector = join(view.vector, merged.vector);
	if (compare(vector, merged.vector) === 'equal') return false;
	if (compare(vector, view.vector) !== 'equal') explain(draft, 'agreed', { field: name, system });
	field.views[system] = { ...view, base: view.canon };
	setMerged(field, { ...merged, vector });
	return true;
}

/**
 * A view that shows the merged value has seen all of it, without a write. Not while an operation
 * is in flight to that system: it may still replace the value, and whoever edits that one has
 * seen the operation's version only.
 */
function agree(draft: Draft, { field, system, view }: Place): boolean {
	const { merged } = field;
	if (merged === null || !equalJson(view.canon, merged.canon)) return false;
	if (draft.state.inFlight[system] !== undefined) return false;
	const sameBase = view.base !== undefined && equalJson(view.base, view.canon);
	const sameVector = compare(view.vector, merged.vector) === 'equal';
	if (sameBase && sameVector && view.accepted === undefined) return false;
	const { accepted: _over, ...rest } = view;
	field.views[system] = { ...rest, vector: merged.vector, base: view.canon };
	return true;
}

/**
 * A view with the merged version's own vector and another value: our write, decided on an older
 * version, overwrote a value that had been set back to what it expected. The merged version
 * stands, as a newer one.
 */
function overtake({ field, view }: Place, merged: MergedVersion): boolean {
	if (view.accepted !== undefined) return false;
	setMerged(field, { ...merged, vector: increment(merged.vector, 'sync') });
	return true;
}

function absorbDifferent(
	draft: Draft,
	place: Place,
	{ merged, dominates }: { merged: MergedVersion; dominates: boolean },
): boolean {
	const { name, system, field, view, rules } = place;
	const existence = draft.state.fields[EXISTENCE];
	if (name === EXISTENCE && goneEverywhere(draft.state)) {
		setMerged(field, { canon: false, vector: join(view.vector, merged.vector), from: system });
		return true;
	}
	const { verdict, rule } = judge({ field: name, system, view, merged, existence, dominates }, rules);
	if (verdict.kind === 'review') {
		freeze(draft, [name], { kind: 'conflict', reason: verdict.reason });
		return true;
	}
	const vector = join(view.vector, merged.vector);
	const takes = verdict.kind === 'take';
	explainVerdict(draft, { place, rule, dominates, kind: verdict.kind, merged });
	field.views[system] = { ...view, base: view.canon };
	if (takes) setMerged(field, { canon: view.canon, vector, from: system });
	else setMerged(field, { ...merged, vector: newer(vector, view.vector) });
	if (verdict.kind === 'tolerate') field.views[system] = { ...view, base: view.canon, accepted: true };
	return true;
}

/** A version that is rejected although it had seen everything: the one that stands is newer than it. */
function newer(joined: VersionVector, rejected: VersionVector): VersionVector {
	return compare(joined, rejected) === 'equal' ? increment(joined, 'sync') : joined;
}

/** An accepted difference is over as soon as there is another value to differ from. */
function setMerged(field: FieldState, merged: MergedVersion): void {
	const sameValue = field.merged !== null && equalJson(field.merged.canon, merged.canon);
	field.merged = merged;
	if (sameValue) return;
	for (const [system, { accepted, ...view }] of Object.entries(field.views)) {
		if (accepted) field.views[system] = view;
	}
}

/** No system has the record, and no insert is under way that would bring it back. */
function goneEverywhere({ fields, inFlight }: LinkState): boolean {
	const views = Object.values(fields[EXISTENCE]?.views ?? {});
	const inserting = Object.values(inFlight).some((op) => op.kind === 'insert');
	return !inserting && views.every((view) => view.canon === false);
}

function explainVerdict(
	draft: Draft,
	why: { place: Place; rule: string; dominates: boolean; kind: 'take' | 'keep' | 'tolerate'; merged: MergedVersion },
): void {
	const { place, rule, dominates, kind, merged } = why;
	const { name: field, system, view } = place;
	const values = { view: view.canon, merged: merged.canon, from: merged.from };
	const vectors = { viewVector: { ...view.vector }, mergedVector: { ...merged.vector } };
	const detail = { rule, kept: kind === 'take' ? system : merged.from, ...values, ...vectors };
	if (!dominates) explain(draft, 'conflict', { field, system, detail });
	if (kind === 'tolerate') explain(draft, 'ignored', { field, system, detail });
	else if (kind === 'keep' && rule.startsWith('owner')) explain(draft, 'revert', { field, system, detail });
	else if (dominates) explain(draft, 'propagated', { field, system, detail });
}
