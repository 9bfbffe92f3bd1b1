import { EXISTENCE, type FieldState, type MergedVersion, type View } from './link';
import type { EntityPolicy, ForeignEdit, Policy } from './policy';

/** What a rule makes of a view that the merged version does not contain yet. */
export type Verdict =
	/** The view's value becomes the merged one. */
	| { readonly kind: 'take' }
	/** The merged value stays; the view's is overwritten. */
	| { readonly kind: 'keep' }
	/** The merged value stays, and the view may differ. */
	| { readonly kind: 'tolerate' }
	| { readonly kind: 'review'; readonly reason: string };

export interface Claimant {
	readonly field: string;
	readonly system: string;
	readonly view: View;
	readonly merged: MergedVersion;
	/** The whole field, for a rule that asks who has a record at all. */
	readonly existence: FieldState | undefined;
	/** The view has seen all that the merged version has seen. */
	readonly dominates: boolean;
}

export interface Rules {
	readonly policy: Policy;
	readonly entity: EntityPolicy;
}

/** The rule's verdict, and its name for the journal. Pure, and the same whatever the order of claimants. */
export function judge(claimant: Claimant, rules: Rules): { verdict: Verdict; rule: string } {
	if (claimant.field === EXISTENCE) return judgeExistence(claimant);
	const authority = rules.entity.fields.get(claimant.field)?.authority;
	if (authority === undefined) return { verdict: { kind: 'keep' }, rule: 'not mapped' };
	if (authority.kind === 'owned') {
		return { verdict: judgeOwned(claimant, authority), rule: `owner(${authority.owner})` };
	}
	if (claimant.dominates) return { verdict: { kind: 'take' }, rule: 'newer' };
	if (authority.resolve.kind === 'review') {
		return { verdict: { kind: 'review', reason: concurrentReason(claimant) }, rule: 'review' };
	}
	// A system's newer value beats its own older one, which is all that it has not seen of the merged version.
	const { field, system, merged } = claimant;
	const takes = system === merged.from || outranks(system, merged.from, { field, rules });
	return { verdict: { kind: takes ? 'take' : 'keep' }, rule: `prefer(${authority.resolve.system})` };
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

/** Deletes go to a person in this version, whichever side has seen what. */
function judgeExistence({ system, view, dominates }: Claimant): { verdict: Verdict; rule: string } {
	if (view.canon === true && dominates) return { verdict: { kind: 'take' }, rule: 'newer' };
	const what = view.canon === true ? 'has' : 'deleted';
	const reason = `${system} ${what} the record; a person decides about deletes`;
	return { verdict: { kind: 'review', reason }, rule: 'deletes(review)' };
}

function judgeOwned(
	{ system, view, existence, field, dominates }: Claimant,
	{ owner, onForeignEdit }: { owner: string; onForeignEdit: ForeignEdit },
): Verdict {
	if (system === owner) return { kind: 'take' };
	// Without a record in the owner's system there is nobody to decide: the first value is a proposal that stands.
	if (existence?.views[owner]?.canon !== true) return { kind: dominates ? 'take' : 'keep' };
	if (view.residual) {
		// To write it again would be changed again: a loop.
		return { kind: 'review', reason: `${system} changes what is written to ${field}, which ${owner} owns` };
	}
	if (view.base === undefined) return { kind: 'keep' }; // First contact: the owner's value, as a decision.
	switch (onForeignEdit) {
		case 'revert':
			return { kind: 'keep' };
		case 'ignore': // Only what was changed in the knowledge of the owner's value, or it would depend on who came first.
			return { kind: dominates ? 'tolerate' : 'keep' };
		case 'review':
			return { kind: 'review', reason: `${system} changed ${field}, which ${owner} owns` };
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
	return `${system} and ${other} changed ${field} without having seen each other`;
}
