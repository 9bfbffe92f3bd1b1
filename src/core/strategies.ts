import { equalJson, type Json } from './canonical-json';
import { judgeExistence } from './judge-existence';
import { EXISTENCE, existsIn, type LinkState, type MergedVersion, type View } from './link';
import { compareLengths, compareValues, deltaOf, unionOf, type Merged } from './merge-values';
import type { EntityPolicy, FieldPolicy, ForeignEdit, Policy, Strategy } from './policy';
import { strategyText } from './policy-strategy';
import type { Known } from './references';
import { losersUnseen, type Rival } from './withdrawn';

/** What a rule makes of a view that the merged version does not contain yet. */
export type Verdict =
	/** The view's value becomes the merged one. */
	| { readonly kind: 'take' }
	/** The merged value stays; the view's is overwritten. */
	| { readonly kind: 'keep' }
	/** Both go into a value that is neither's. */
	| { readonly kind: 'merge'; readonly canon: Json }
	/** The view withdraws the merged value, and what had lost to that one beats the view. */
	| { readonly kind: 'restore'; readonly rival: Rival }
	/** The merged value stays, and the view may differ. */
	| { readonly kind: 'tolerate' }
	/** @param proposal - the view's value is right unless somebody objects */
	| { readonly kind: 'review'; readonly reason: string; readonly proposal?: true };

export interface Claimant {
	readonly field: string;
	readonly system: string;
	readonly view: View;
	readonly merged: MergedVersion;
	/** The whole link, for a rule that asks who has a record at all, and what it had seen. */
	readonly state: LinkState;
	/** The view has seen all that the merged version has seen. */
	readonly dominates: boolean;
	/** The view's author had seen the merged value, though perhaps not all that had lost to it before. */
	readonly replaces: boolean;
}

export interface Rules {
	readonly policy: Policy;
	readonly entity: EntityPolicy;
	/** Of other links; absent: nothing. */
	readonly known?: Known;
	/** Of the operations that are made; absent: the first. */
	readonly epoch?: number;
}

/** The rule's verdict, and its name for the journal. Pure, and the same whatever the order of claimants. */
export function judge(claimant: Claimant, rules: Rules): { verdict: Verdict; rule: string } {
	if (claimant.field === EXISTENCE) return judgeExistence(claimant, rules.entity);
	const field = rules.entity.fields.get(claimant.field);
	if (field === undefined) return { verdict: { kind: 'keep' }, rule: 'not mapped' };
	const { authority } = field;
	const ofNull = judgeNull(claimant, field);
	if (ofNull !== null) return { verdict: ofNull, rule: `nulls(${field.nulls})` };
	if (authority.kind === 'owned') {
		return { verdict: judgeOwned(claimant, authority), rule: `owner(${authority.owner})` };
	}
	if (claimant.dominates) return { verdict: { kind: 'take' }, rule: 'newer' };
	return { verdict: judgeConcurrent(claimant, authority.resolve, rules), rule: strategyText(authority.resolve) };
}

/** Where null says nothing, or must not win, it is no rival to a value. */
function judgeNull({ view, merged, dominates }: Claimant, { nulls }: FieldPolicy): Verdict | null {
	if (nulls === 'clear' || (view.canon === null) === (merged.canon === null)) return null;
	if (view.canon === null) return { kind: nulls === 'ignore' ? 'tolerate' : 'keep' };
	return dominates ? null : { kind: 'take' };
}

/** Between versions that have not seen each other. */
function judgeConcurrent(claimant: Claimant, strategy: Strategy, rules: Rules): Verdict {
	const { field, view, merged } = claimant;
	switch (strategy.kind) {
		case 'prefer':
			return judgePreferred(claimant, rules);
		case 'latest':
			return judgeLatest(claimant, { toleranceMs: strategy.toleranceMs, rules });
		case 'max':
			return judgeBest(claimant, (a, b) => compareValues(a, b) > 0);
		case 'min':
			return judgeBest(claimant, isLower);
		case 'longest':
			return judgeBest(claimant, (a, b) => compareLengths(a, b) > 0);
		case 'union':
			return mergedOrAsk(unionOf(merged.canon, view.canon, view.base), field);
		case 'delta':
			return mergedOrAsk(deltaOf(merged.canon, view.canon, view.base), field);
		case 'review':
			return { kind: 'review', reason: concurrentReason(claimant) };
	}
}

const takeIf = (takes: boolean): Verdict => ({ kind: takes ? 'take' : 'keep' });

function judgePreferred(claimant: Claimant, rules: Rules): Verdict {
	const { field, system, view, merged, replaces } = claimant;
	// A system's newer value beats its own older one, which is all that it has not seen of the merged version.
	if (!replaces) return takeIf(system === merged.from || outranks(system, merged.from, { field, rules }));
	const best = losersUnseen(claimant, rules).reduce<Rival>(
		(a, b) => (outranks(b.system, a.system, { field, rules }) ? b : a),
		{ system, view },
	);
	return best.system === system ? { kind: 'take' } : { kind: 'restore', rival: best };
}

/**
 * The better of two values. Where the view's author had the merged value before them and
 * replaced it, that value is withdrawn, and those that had lost to it are asked again.
 */
function judgeBest({ system, view, merged, state, field }: Claimant, isBetter: (a: Json, b: Json) => boolean): Verdict {
	const withdraws = view.base !== undefined && equalJson(view.base, merged.canon);
	if (!withdraws) return takeIf(isBetter(view.canon, merged.canon));
	const others = Object.entries(state.fields[field]?.views ?? {}).flatMap(([other, { canon }]) =>
		other === system || equalJson(canon, merged.canon) ? [] : [canon],
	);
	const best = others.reduce((a, b) => (isBetter(b, a) ? b : a), view.canon);
	return equalJson(best, view.canon) ? { kind: 'take' } : { kind: 'merge', canon: best };
}

/** Null is no number: it is the largest here, as it is the smallest for `max`, and so wins neither. */
function isLower(a: Json, b: Json): boolean {
	if (a === null || b === null) return b === null;
	return compareValues(a, b) < 0;
}

function mergedOrAsk(merged: Merged, field: string): Verdict {
	return merged.ok
		? { kind: 'merge', canon: merged.canon }
		: { kind: 'review', reason: `${field} ${merged.reason}` };
}

/** Only for versions that have not seen each other, and only where the clocks leave no doubt. */
function judgeLatest(claimant: Claimant, { toleranceMs, rules }: { toleranceMs: number; rules: Rules }): Verdict {
	const { view, merged, replaces } = claimant;
	const isLater = (a: { atMs?: number }, b: { atMs?: number }): boolean =>
		a.atMs !== undefined && b.atMs !== undefined && a.atMs - b.atMs > toleranceMs;
	// What is later than the merged value is later than all that had lost to it.
	if (isLater(view, merged)) return { kind: 'take' };
	const losers = replaces ? losersUnseen(claimant, rules) : [];
	if (replaces && losers.length === 0) return { kind: 'take' };
	const rival = losers.find((one) => losers.every((other) => other === one || isLater(one.view, other.view)));
	const other = replaces ? rival?.view : merged;
	if (other && isLater(view, other)) return { kind: 'take' };
	if (other && isLater(other, view)) return rival === undefined ? { kind: 'keep' } : { kind: 'restore', rival };
	const areTimed = view.atMs !== undefined && other?.atMs !== undefined;
	const doubt = areTimed ? `, within ${toleranceMs} ms: no clock can tell which is the later` : ', and the time of one of the changes is not known';
	return { kind: 'review', reason: `${concurrentReason(claimant)}${doubt}` };
}

/** Whether a field's rule prefers a value of one system (or `human`) to one of another, neither having seen the other. */
export function outranks(
	system: string,
	other: string,
	{ field, rules }: { field: string; rules: Rules },
): boolean {
	const authority = rules.entity.fields.get(field)?.authority;
	if (authority?.kind === 'owned') return system === authority.owner && other !== authority.owner;
	if (authority?.resolve.kind !== 'prefer') return false;
	const rank = preference(authority.resolve.system, rules.policy);
	return rank(system) < rank(other);
}

function judgeOwned(
	{ system, view, state, field, replaces }: Claimant,
	{ owner, onForeignEdit }: { owner: string; onForeignEdit: ForeignEdit },
): Verdict {
	if (system === owner) return { kind: 'take' };
	// Without a record in the owner's system there is nobody to decide: the first value is a proposal that stands.
	if (!existsIn(state, owner)) return { kind: replaces ? 'take' : 'keep' };
	if (view.residual) {
		// To write it again would be changed again: a loop.
		return { kind: 'review', reason: `${system} changes what is written to ${field}, which ${owner} owns` };
	}
	if (view.base === undefined) return { kind: 'keep' }; // First contact: the owner's value, as a decision.
	switch (onForeignEdit) {
		case 'revert':
			return { kind: 'keep' };
		case 'ignore': // Only what was changed in the knowledge of the owner's value, or it would depend on who came first.
			return { kind: replaces ? 'tolerate' : 'keep' };
		case 'review':
			return { kind: 'review', reason: `${system} changed ${field}, which ${owner} owns` };
		case 'propose': // Made without having seen what the owner says by now, it is about something else.
			if (!replaces) return { kind: 'keep' };
			return { kind: 'review', reason: `${system} proposes a new value for ${field}, which ${owner} owns`, proposal: true };
	}
}

/**
 * A total order: the preferred system, then a person's resolution, then the others as the policy
 * lists them. Total, or three systems would end with a value that depends on who came first.
 */
function preference(preferred: string, policy: Policy): (from: string) => number {
	return (from) => {
		if (from === preferred) return -2;
		return from === 'human' ? -1 : policy.systems.indexOf(from);
	};
}

function concurrentReason({ field, system, merged }: Claimant): string {
	const other = merged.from === 'human' ? 'a person' : merged.from;
	return `${system} and ${other === 'merge' ? 'others' : other} changed ${field} without having seen each other`;
}
