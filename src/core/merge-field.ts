import { equalJson, type Json } from './canonical-json';
import { closeQuestions, settledByItself } from './closing-questions';
import { explain, explainTogether, freeze, freezeUnreadable, type Draft } from './draft';
import { explainVerdict } from './explain-verdict';
import { fightReason, isFight, withTurn } from './fight';
import { laterOf } from './latest';
import { EXISTENCE, fieldOf, type FieldState, type MergedVersion, type View } from './link';
import { agreedVersion, goneEverywhere, isContained, isFieldAtRest, isGone, setMerged, systemsInOrder } from './merged-version';
import { invalidity } from './policy-valid';
import { judge, outranks, type Claimant, type Rules, type Verdict } from './strategies';
import { compare, increment, join, type VersionVector } from './version-vector';
import { entire, forgetLosers, hasSeenValue, withOwn } from './withdrawn';

/**
 * Brings one field's merged version up to date with the views of all systems: a star of
 * three-way merges in a fixed order of systems. Writes nothing to any system; what a system
 * lacks afterwards is `plan-operations`' part.
 *
 * @returns whether anything changed
 */
export function mergeField(draft: Draft, name: string, rules: Rules): boolean {
	const field = fieldOf(draft.state, name);
	if (isLeftAlone(draft, name)) return false;
	if (isFieldAtRest(field)) return name === EXISTENCE && closeIfOver(draft);
	const wasFrozen = field.frozen !== null;
	if (wasFrozen && !settledByItself(draft, name, rules)) return false;
	let changed = wasFrozen;
	// What may not travel is put before a person only if no other value makes it superfluous.
	const hasValid = rules.entity.fields.get(name)?.valid != null;
	for (const step of hasValid ? [absorb, ask, agree] : [ask, agree]) {
		for (const system of systemsInOrder(name, rules, field)) {
			const view = field.views[system];
			if (view && takeStep(draft, { name, system, field, view, rules }, step)) changed = true;
		}
	}
	return (name === EXISTENCE && closeIfOver(draft)) || changed;
}

/** Held by a person, or of a record that is gone. */
function isLeftAlone({ state }: Draft, name: string): boolean {
	return fieldOf(state, name).held !== undefined || (name !== EXISTENCE && isGone(state));
}

function closeIfOver(draft: Draft): boolean {
	return isGone(draft.state) && goneEverywhere(draft.state) && closeQuestions(draft);
}

/** One step for one system's view, as long as nobody is asked about the field. */
function takeStep(draft: Draft, place: Place, step: (draft: Draft, place: Place) => boolean): boolean {
	const { name, system, field, view } = place;
	if (field.frozen !== null) return false;
	if (view.unreadable === undefined) return step(draft, place);
	if (isContained(view, field.merged)) return false;
	freezeUnreadable(draft, { field: name, system, reason: view.unreadable });
	return true;
}

interface Place {
	readonly name: string;
	readonly system: string;
	readonly field: FieldState;
	readonly view: View;
	readonly rules: Rules;
	/** Whether a person is asked about a value that may not travel. */
	readonly asks?: true;
}

/** The same as `absorb`, and asks a person about a value that may not travel. */
function ask(draft: Draft, place: Place): boolean {
	return absorb(draft, { ...place, asks: true });
}

/** Takes into the merged version what the view has and it has not. */
function absorb(draft: Draft, place: Place): boolean {
	const { field, system, view } = place;
	const { merged } = field;
	if (merged === null) {
		const invalid = invalidReason(place, view.canon);
		if (invalid !== null) return holdInvalid(draft, place, invalid);
		field.merged = { canon: view.canon, vector: view.vector, from: system, ...timeOf(place) };
		field.views[system] = related(view);
		return true;
	}
	const ordering = compare(view.vector, merged.vector);
	if (ordering === 'before') return false;
	const isEqual = equalJson(view.canon, merged.canon);
	if (view.defaulted && !isEqual) return false;
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

function holdInvalid(draft: Draft, { name, asks }: Place, reason: string): boolean {
	if (!asks) return false;
	freeze(draft, [name], { kind: 'failure', reason });
	return true;
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
	const isOurs = !view.defaulted && (isNewer || outranks(system, merged.from, { field: name, rules }));
	const version = { ...merged, ...laterOf(merged, timeOf(place)), vector, from: isOurs ? system : merged.from };
	setMerged(field, withOwn(version, isOurs ? view.vector : (merged.own ?? merged.vector)));
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
	const { accepted: _over, atMs: _shown, ...rest } = related(view);
	field.views[system] = { ...rest, vector: merged.vector };
	forgetLosers(field);
	return true;
}

/** The view as one that the merged version contains. */
function related({ defaulted: _made, ...view }: View): View {
	return { ...view, base: view.canon };
}

/**
 * A view with the merged version's own vector and another value: our write, decided on an older
 * version, overwrote a value that had been set back to what it expected. The merged version
 * stands, as a newer one.
 */
function overtake({ field, view }: Place, merged: MergedVersion): boolean {
	if (view.accepted !== undefined) return false;
	setMerged(field, { ...entire(merged), vector: increment(merged.vector, 'sync') });
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
	const claim = { field: name, system, view, merged, state: draft.state, dominates, replaces: hasSeenValue(view, merged) };
	const { verdict, rule } = judge(claim, rules);
	const next = nextVersion(place, { merged, verdict, dominates });
	if (verdict.kind === 'review') {
		agreeOrAsk(draft, place, verdict);
		return true;
	}
	if (verdict.kind === 'take' || verdict.kind === 'merge' || verdict.kind === 'restore') {
		const turns = withTurn(field, system, { view, merged });
		const invalid = invalidReason(place, next.canon);
		if (isFight(next, turns)) {
			agreeOrAsk(draft, place, { reason: fightReason(name, system, merged.from), fight: true });
			return true;
		}
		if (invalid !== null) return holdInvalid(draft, place, invalid);
		if (turns === undefined) delete field.turns;
		else field.turns = turns;
	}
	explainVerdict(draft, { place, rule, dominates: isNoConflict(claim, verdict), verdict, merged });
	field.views[system] = { ...view, base: view.canon };
	setMerged(field, next);
	if (verdict.kind === 'tolerate') field.views[system] = { ...view, base: view.canon, accepted: true };
	else if (rule === 'nulls(ignore)') tolerateNulls(field);
	return true;
}

function isNoConflict({ field, dominates, replaces }: Claimant, { kind }: Verdict): boolean {
	return dominates || (replaces && field !== EXISTENCE && kind === 'take');
}

/** The merged version that a verdict makes. */
function nextVersion(
	place: Place,
	{ merged, verdict, dominates }: { merged: MergedVersion; verdict: Verdict; dominates: boolean },
): MergedVersion {
	const { view, system } = place;
	const vector = join(view.vector, merged.vector);
	const rewritten = view.residual ? { rewrites: (merged.rewrites ?? 0) + 1 } : {};
	const own = merged.own ?? merged.vector;
	switch (verdict.kind) {
		case 'take':
			return withOwn({ canon: view.canon, vector, from: system, ...timeOf(place), ...rewritten }, view.vector);
		case 'restore': {
			const { system: from, view: restored } = verdict.rival;
			return withOwn({ canon: restored.canon, vector, from, ...timeOf({ ...place, view: restored }) }, restored.vector);
		}
		case 'merge':
			// Should it be equal to what stood there, that one still is from whom it was.
			return { ...versionOfMerge(place, { merged, canon: verdict.canon }), vector: dominates ? newer(vector, view.vector) : vector, ...rewritten };
		case 'keep':
			return withOwn({ ...merged, vector: newer(vector, view.vector) }, own);
		default:
			return withOwn({ ...merged, vector }, own);
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
	{ reason, proposal, fight }: { reason: string; proposal?: true; fight?: true },
): void {
	const agreed = agreedVersion(draft, name, rules);
	if (agreed === null) {
		if (proposal) freeze(draft, [name], { kind: 'approval', reason, proposal: system });
		else freeze(draft, [name], { kind: 'conflict', reason, ...(fight ? { fight } : {}) });
		return;
	}
	setMerged(fieldOf(draft.state, name), agreed);
	explain(draft, 'agreed', { field: name });
}

/** A version that is rejected although it had seen everything: the one that stands is newer than it. */
function newer(joined: VersionVector, rejected: VersionVector): VersionVector {
	return compare(joined, rejected) === 'equal' ? increment(joined, 'sync') : joined;
}

