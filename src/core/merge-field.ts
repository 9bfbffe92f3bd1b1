import { equalJson, type Json } from './canonical-json';
import { explain, explainTogether, freeze, freezeUnreadable, unfreeze, type Draft } from './draft';
import { fightReason, isFight, withTurn } from './fight';
import { unseenEdits, type UnseenEdit } from './judge-existence';
import {
	EXISTENCE,
	fieldOf,
	type FieldState,
	type LinkState,
	type MergedVersion,
	type View,
} from './link';
import { invalidity } from './policy-valid';
import { isDecidedByTime, laterOf } from './latest';
import { judge, outranks, type Rules, type Verdict } from './strategies';
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
	if (field.held !== undefined || (name !== EXISTENCE && isGone(draft.state))) return false;
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
	const isOver = name === EXISTENCE && isGone(draft.state) && goneEverywhere(draft.state);
	return (isOver && closeQuestions(draft)) || changed;
}

/** Nobody need answer what is asked about the values of a record that is deleted everywhere. */
function closeQuestions(draft: Draft): boolean {
	const open = Object.values(draft.state.fields).flatMap(({ frozen }) => frozen?.review ?? []);
	for (const review of new Set(open)) unfreeze(draft, review, 'the record is deleted everywhere');
	return open.length > 0;
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
function systemsInOrder(name: string, { policy, entity }: Rules, { views, merged }: FieldState): string[] {
	if (name === EXISTENCE) {
		const has = (system: string): boolean => views[system]?.canon === true;
		return [...policy.systems.filter(has), ...policy.systems.filter((system) => !has(system))];
	}
	const authority = entity.fields.get(name)?.authority;
	if (authority?.kind === 'shared' && authority.resolve.kind === 'latest') {
		// What replaces the merged version first, then the latest: those before it then lose to it,
		// instead of being too close to one that does not count any more.
		const time = (system: string): number => views[system]?.atMs ?? 0;
		const rank = (system: string): number => (merged && compare(views[system]?.vector ?? NOTHING_SEEN, merged.vector) === 'after' ? 0 : 1);
		return [...policy.systems].sort((a, b) => rank(a) - rank(b) || time(b) - time(a));
	}
	const owner = authority?.kind === 'owned' ? authority.owner : null;
	const others = policy.systems.filter((system) => system !== owner);
	return owner === null ? others : [owner, ...others];
}

/** A conflict whose sides have become equal, or that a later change has decided, needs no person any more. */
function settledByItself(draft: Draft, name: string, rules: Rules): boolean {
	const field = fieldOf(draft.state, name);
	const { frozen } = field;
	if (frozen === null) return false;
	if (name === EXISTENCE && (frozen.kind !== 'approval' || frozen.proposal !== undefined) && field.merged?.canon !== true && goneEverywhere(draft.state)) {
		unfreeze(draft, frozen.review, 'the record is deleted everywhere');
		return true;
	}
	if (frozen.kind !== 'conflict' && frozen.proposal === undefined) return false;
	const held = Object.values(draft.state.fields).filter((other) => other.frozen?.review === frozen.review);
	if (held.length !== 1) return false;
	const agreed = agreedVersion(draft, name, rules);
	if (agreed !== null) {
		unfreeze(draft, frozen.review, 'the systems became equal');
		setMerged(field, agreed);
		return true;
	}
	if (!isDecidedByTime(field, name, rules)) return false;
	unfreeze(draft, frozen.review, 'a later change decides');
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
		const invalid = invalidReason(place, view.canon);
		if (invalid !== null) {
			freeze(draft, [place.name], { kind: 'failure', reason: invalid });
			return true;
		}
		field.merged = { canon: view.canon, vector: view.vector, from: system, ...timeOf(place) };
		field.views[system] = { ...view, base: view.canon };
		return true;
	}
	const ordering = compare(view.vector, merged.vector);
	if (ordering === 'before') return false;
	const isEqual = equalJson(view.canon, merged.canon);
	if (isEqual && !(ordering === 'concurrent' && addsUp(place))) return absorbEqual(draft, place, merged);
	if (ordering === 'equal') return overtake(place, merged);
	return absorbDifferent(draft, place, { merged, dominates: ordering === 'after' });
}

/** Two systems that each add one have added two, although their values are equal. */
function addsUp({ name, view, rules }: Place): boolean {
	const authority = rules.entity.fields.get(name)?.authority;
	const isDelta = authority?.kind === 'shared' && authority.resolve.kind === 'delta';
	return isDelta && view.base !== undefined && !equalJson(view.base, view.canon);
}

/** The view's time, where the rule will ask for it. */
function timeOf({ name, view, rules }: Place): { atMs?: number } {
	const authority = rules.entity.fields.get(name)?.authority;
	const asks = authority?.kind === 'shared' && authority.resolve.kind === 'latest';
	return asks && view.atMs !== undefined ? { atMs: view.atMs } : {};
}

/** Why the policy does not let a value into the other systems; null when it does. */
function invalidReason({ name, system, field, rules }: Place, canon: Json): string | null {
	const valid = rules.entity.fields.get(name)?.valid;
	const why = valid ? invalidity(valid, canon, field.merged?.canon) : null;
	return why === null ? null : `The new value of ${name} in ${system} ${why}`;
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
	setMerged(field, { ...merged, ...laterOf(merged, timeOf(place)), vector, from });
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
	const { accepted: _over, atMs: _shown, ...rest } = view;
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
	if (name === EXISTENCE && goneEverywhere(draft.state)) {
		setMerged(field, { canon: false, vector: join(view.vector, merged.vector), from: system });
		return true;
	}
	const claim = { field: name, system, view, merged, state: draft.state, dominates };
	const { verdict, rule } = judge(claim, rules);
	const next = nextVersion(place, { merged, verdict, dominates });
	if (verdict.kind === 'review') {
		agreeOrAsk(draft, place, verdict);
		return true;
	}
	if (verdict.kind === 'take' || verdict.kind === 'merge') {
		const turns = withTurn(field, system, { view, merged });
		const invalid = invalidReason(place, next.canon);
		if (isFight(next, turns)) {
			agreeOrAsk(draft, place, { reason: fightReason(name, system, merged.from) });
			return true;
		}
		if (invalid !== null) {
			freeze(draft, [name], { kind: 'failure', reason: invalid });
			return true;
		}
		if (turns === undefined) delete field.turns;
		else field.turns = turns;
	}
	explainVerdict(draft, { place, rule, dominates, kind: verdict.kind, merged });
	field.views[system] = { ...view, base: view.canon };
	setMerged(field, next);
	if (verdict.kind === 'tolerate') field.views[system] = { ...view, base: view.canon, accepted: true };
	else if (rule === 'nulls(ignore)') tolerateNulls(field);
	return true;
}

/** The merged version that a verdict makes. */
function nextVersion(
	place: Place,
	{ merged, verdict, dominates }: { merged: MergedVersion; verdict: Verdict; dominates: boolean },
): MergedVersion {
	const { view, system } = place;
	const vector = join(view.vector, merged.vector);
	const rewritten = view.residual ? { rewrites: (merged.rewrites ?? 0) + 1 } : {};
	switch (verdict.kind) {
		case 'take':
			return { canon: view.canon, vector, from: system, ...timeOf(place), ...rewritten };
		case 'merge':
			// Should it be equal to what stood there, that one still is from whom it was.
			return { ...versionOfMerge(place, { merged, canon: verdict.canon }), vector: dominates ? newer(vector, view.vector) : vector, ...rewritten };
		case 'keep':
			return { ...merged, vector: newer(vector, view.vector) };
		default:
			return { ...merged, vector };
	}
}

function versionOfMerge(
	{ view, system }: Place,
	{ merged, canon }: { merged: MergedVersion; canon: Json },
): Pick<MergedVersion, 'canon' | 'from'> {
	if (equalJson(canon, merged.canon)) return { canon, from: merged.from };
	return { canon, from: equalJson(canon, view.canon) ? system : 'merge' };
}

/** Where null says nothing, a system that has none keeps none until somebody changes the value again. */
function tolerateNulls(field: FieldState): void {
	for (const [system, view] of Object.entries(field.views)) {
		if (view.canon === null) field.views[system] = { ...view, accepted: true };
	}
}

function agreeOrAsk(
	draft: Draft,
	{ name, system, rules }: Place,
	{ reason, proposal }: { reason: string; proposal?: true },
): void {
	const agreed = agreedVersion(draft, name, rules);
	if (agreed === null) {
		if (proposal) freeze(draft, [name], { kind: 'approval', reason, proposal: system });
		else freeze(draft, [name], { kind: 'conflict', reason });
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

/** The record is deleted everywhere, or is about to be: what its fields say interests nobody any more. */
function isGone(state: LinkState): boolean {
	return state.fields[EXISTENCE]?.merged?.canon === false;
}

function isInserting({ inFlight }: LinkState): boolean {
	return Object.values(inFlight).some((op) => op.kind === 'insert');
}

function explainVerdict(
	draft: Draft,
	why: { place: Place; rule: string; dominates: boolean; kind: Verdict['kind']; merged: MergedVersion },
): void {
	const { place, rule, dominates, kind, merged } = why;
	const { name: field, system, view, rules } = place;
	const values = { view: view.canon, merged: merged.canon, from: merged.from };
	const vectors = { viewVector: { ...view.vector }, mergedVector: { ...merged.vector } };
	const kept = { take: system, merge: 'merge', keep: merged.from, tolerate: merged.from, review: merged.from }[kind];
	const detail = { rule, kept, ...values, ...vectors };
	const lost = field === EXISTENCE ? lostToDelete(draft.state, rules, system) : [];
	if (!dominates || (lost.length > 0 && view.canon === false)) explain(draft, 'conflict', { field, system, detail });
	if ((kind === 'take') === (view.canon === false)) nameTheLost(draft, { lost, rule, by: kept });
	if (kind === 'tolerate') explain(draft, 'ignored', { field, system, detail });
	else if (kind === 'keep' && (rule.startsWith('owner') || dominates)) explain(draft, 'revert', { field, system, detail });
	else if (dominates) explainTogether(draft, 'propagated', { field, system, reason: rule });
}

/** What the delete that `system` is a party to takes along, and whoever deleted had not seen. */
function lostToDelete(state: LinkState, { entity }: Rules, system: string): UnseenEdit[] {
	const views = state.fields[EXISTENCE]?.views ?? {};
	if (views[system]?.canon !== true) return unseenEdits(state, system, entity);
	const gone = [...entity.tables.keys()].filter((other) => views[other]?.canon === false);
	if (gone.length > 0) return gone.flatMap((other) => unseenEdits(state, other, entity));
	// Whoever deleted it has it again by now, through a write of ours: what had been seen is not known any more.
	return [...entity.fields.keys()].map((field) => ({ field, system }));
}

/** A delete that wins takes values along that whoever deleted had not seen: the journal keeps them. */
function nameTheLost(
	draft: Draft,
	{ lost, rule, by }: { lost: readonly UnseenEdit[]; rule: string; by: string },
): void {
	for (const { field, system } of lost) {
		const { views = {}, merged = null } = draft.state.fields[field] ?? {};
		const version = views[system] ?? merged;
		if (!version) continue;
		const detail = { rule, kept: by, view: version.canon, viewVector: { ...version.vector } };
		explain(draft, 'conflict', { field, system, detail });
	}
}
