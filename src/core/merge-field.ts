import { equalJson } from './canonical-json';
import { explain, explainTogether, freeze, freezeUnreadable, unfreeze, type Draft } from './draft';
import {
	EXISTENCE,
	fieldOf,
	type FieldState,
	type LinkState,
	type MergedVersion,
	type View,
} from './link';
import { judge, outranks, type Rules } from './strategies';
import { compare, increment, join, NOTHING_SEEN, type VersionVector } from './version-vector';

/**
 * Brings one field's merged version up to date with the views of all systems: a star of
 * three-way merges in a fixed order of systems. Writes nothing to any system; what a system
 * lacks afterwards is `plan-operations`' part.
 *
 * @returns whether anything changed
 */
export function mergeField(draft: Draft, name: string, rules: Rules): boolean {
	const field = fieldOf(draft.state, name);
	let changed = false;
	if (field.frozen !== null) {
		if (!settledByItself(draft, name, rules)) return false;
		changed = true;
	}
	for (const step of [absorb, agree]) {
		for (const system of systemsInOrder(name, rules, field)) {
			const view = field.views[system];
			if (field.frozen !== null || view === undefined) continue;
			if (view.unreadable === undefined) {
				if (step(draft, { name, system, field, view, rules })) changed = true;
			} else if (!isContained(view, field.merged)) {
				freezeUnreadable(draft, { field: name, system, reason: view.unreadable });
				changed = true;
			}
		}
	}
	return changed;
}

/** Whether the merged version has taken the view into account, or a person has decided over it. */
function isContained({ vector }: View, merged: MergedVersion | null): boolean {
	if (merged === null) return false;
	const ordering = compare(vector, merged.vector);
	return ordering === 'before' || ordering === 'equal';
}

interface Place {
	readonly name: string;
	readonly system: string;
	readonly field: FieldState;
	readonly view: View;
	readonly rules: Rules;
}

/**
 * The owner first, so that its value stands before a stranger's is judged against it; and who has
 * the record before who has not, so that a delete is judged against a record that is there.
 */
function systemsInOrder(name: string, { policy, entity }: Rules, { views }: FieldState): string[] {
	if (name === EXISTENCE) {
		const has = (system: string): boolean => views[system]?.canon === true;
		return [...policy.systems.filter(has), ...policy.systems.filter((system) => !has(system))];
	}
	const authority = entity.fields.get(name)?.authority;
	const owner = authority?.kind === 'owned' ? authority.owner : null;
	const others = policy.systems.filter((system) => system !== owner);
	return owner === null ? others : [owner, ...others];
}

/** A conflict whose sides have become equal needs no person any more. */
function settledByItself(draft: Draft, name: string, rules: Rules): boolean {
	const field = fieldOf(draft.state, name);
	const { frozen } = field;
	if (frozen === null || frozen.kind !== 'conflict') return false;
	const held = Object.values(draft.state.fields).filter((other) => other.frozen?.review === frozen.review);
	const agreed = held.length === 1 ? agreedVersion(draft, name, rules) : null;
	if (agreed === null) return false;
	unfreeze(draft, frozen.review, 'the systems became equal');
	setMerged(field, agreed);
	return true;
}

/**
 * What all systems show is the merged version, whatever it was: to merge equal views one by one
 * could end in a conflict of the first with a version that no system has any more.
 *
 * @returns null when they differ, or the merged version is newer than all of them
 */
function agreedVersion(draft: Draft, name: string, rules: Rules): MergedVersion | null {
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

function absorbEqual(draft: Draft, place: Place, merged: MergedVersion): boolean {
	const { field, system, view, name, rules } = place;
	const vector = join(view.vector, merged.vector);
	if (compare(vector, merged.vector) === 'equal') return false;
	const isNewer = compare(vector, view.vector) === 'equal';
	if (!isNewer) explainTogether(draft, 'agreed', { field: name, system, reason: 'equal values' });
	field.views[system] = { ...view, base: view.canon };
	// It counts as the value of whoever would win with it, or a third system could beat the preferred one's.
	const from = isNewer || outranks(system, merged.from, { field: name, rules }) ? system : merged.from;
	setMerged(field, { ...merged, vector, from });
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

/** Two triggers that answer each other would go on for ever; one that only normalises needs a single turn. */
const MAX_REWRITES = 3;

function fightReason(name: string, system: string, other: string): string {
	return `${system} and ${other} are fighting: each changes what the sync writes to ${name}`;
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
	const rewrites = view.residual ? (merged.rewrites ?? 0) + 1 : 0;
	const { verdict, rule } = judge({ field: name, system, view, merged, existence, dominates }, rules);
	if (verdict.kind === 'review' || rewrites > MAX_REWRITES) {
		const reason = verdict.kind === 'review' ? verdict.reason : fightReason(name, system, merged.from);
		agreeOrAsk(draft, place, reason);
		return true;
	}
	const vector = join(view.vector, merged.vector);
	const takes = verdict.kind === 'take';
	explainVerdict(draft, { place, rule, dominates, kind: verdict.kind, merged });
	field.views[system] = { ...view, base: view.canon };
	const rewritten = rewrites > 0 ? { rewrites } : {};
	if (takes) setMerged(field, { canon: view.canon, vector, from: system, ...rewritten });
	else if (verdict.kind === 'keep') setMerged(field, { ...merged, vector: newer(vector, view.vector) });
	else tolerate(place, { ...merged, vector });
	return true;
}

/** Both stand, and with equal vectors: whoever changes either of them next has seen the other one. */
function tolerate({ field, system, view }: Place, merged: MergedVersion): void {
	setMerged(field, merged);
	field.views[system] = { ...view, base: view.canon, accepted: true };
}

function agreeOrAsk(draft: Draft, { name, rules }: Place, reason: string): void {
	const agreed = agreedVersion(draft, name, rules);
	if (agreed === null) {
		freeze(draft, [name], { kind: 'conflict', reason });
		return;
	}
	setMerged(fieldOf(draft.state, name), agreed);
	explain(draft, 'agreed', { field: name });
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
function goneEverywhere(state: LinkState): boolean {
	const views = Object.values(state.fields[EXISTENCE]?.views ?? {});
	return !isInserting(state) && views.every((view) => view.canon === false);
}

function isInserting({ inFlight }: LinkState): boolean {
	return Object.values(inFlight).some((op) => op.kind === 'insert');
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
	else if (dominates) explainTogether(draft, 'propagated', { field, system, reason: rule });
}
