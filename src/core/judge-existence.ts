import { equalJson, type Json } from './canonical-json';
import type { FieldState, LinkState } from './link';
import { isOverruled } from './overruled';
import type { EntityPolicy } from './policy';
import { OUTSIDE } from './row-scope';
import type { Claimant, Verdict } from './strategies';
import { includes, type VersionVector } from './version-vector';

/** A value of another system that whoever deleted the record had not seen. */
export interface UnseenEdit {
	readonly field: string;
	readonly system: string;
	/** See `isOverruled`. */
	readonly overruled: boolean;
}

/**
 * Whether the record shall exist, when a system says otherwise than the merged version. A delete
 * that has seen everything stands; one that has not is in conflict with what it has not seen.
 */
export function judgeExistence(
	{ system, view, dominates, state }: Claimant,
	entity: EntityPolicy,
): { verdict: Verdict; rule: string } {
	const { conflict } = entity.deletes;
	const rule = `deletes(${conflict})`;
	if (view.canon === true) {
		if (dominates) return { verdict: { kind: 'take' }, rule: 'newer' };
		if (conflict !== 'review') return { verdict: { kind: conflict === 'update-wins' ? 'take' : 'keep' }, rule };
		return { verdict: { kind: 'review', reason: `${system} still uses the record, which was deleted elsewhere` }, rule };
	}
	if (view.raw === OUTSIDE) {
		const reason = `${system} has moved the record out of the rows that the policy covers; approving deletes it in the other systems`;
		return { verdict: { kind: 'review', reason, proposal: true }, rule: 'where' };
	}
	const unseen = contestingEdits(state, system, entity);
	if (dominates && unseen.length === 0) return { verdict: { kind: 'take' }, rule: 'delete' };
	if (conflict !== 'review') return { verdict: { kind: conflict === 'delete-wins' ? 'take' : 'keep' }, rule };
	return { verdict: { kind: 'review', reason: `${system} deleted the record without having seen ${inWords(unseen)}` }, rule };
}

/** What somebody has changed, and a delete by the system must not take along unasked. */
export function contestingEdits(state: LinkState, system: string, entity: EntityPolicy): UnseenEdit[] {
	return unseenEdits(state, system, entity).filter(({ overruled }) => !overruled);
}

/**
 * The fields in which the other systems hold, or shall hold, a value that `system` had not seen when its record
 * went: only of fields that it carries, for nobody can see what is not there.
 */
export function unseenEdits(state: LinkState, system: string, entity: EntityPolicy): UnseenEdit[] {
	return [...entity.fields.values()].flatMap(({ name, columns, authority }) => {
		const field = state.fields[name];
		const seen = field?.views[system];
		if (!field || seen === undefined || !columns.has(system)) return [];
		const others = [...columns.keys()].filter((other) => other !== system);
		return versionsBeside(field, { system, others })
			.filter(({ canon, vector }) => !equalJson(canon, seen.canon) && !hasSeen(seen.vector, vector))
			.map(({ by, residual }) => ({ field: name, system: by, overruled: residual !== true && isOverruled(state, authority, by) }));
	});
}

/** The merged version, and what other systems have that has not gone into it yet. */
function versionsBeside(
	{ views, merged }: FieldState,
	{ system, others }: { system: string; others: readonly string[] },
): { by: string; canon: Json; vector: VersionVector; residual?: boolean | undefined }[] {
	// A difference that is tolerated is no news; what came after it is.
	const isTolerated = views[system]?.accepted === true;
	const versions = others.flatMap((by) => {
		const view = views[by];
		return view === undefined || view.defaulted || (merged && hasSeen(merged.vector, view.vector)) ? [] : [{ by, ...view }];
	});
	return merged && !isTolerated ? [...versions, { by: merged.from === 'human' ? 'a person' : merged.from, ...merged }] : versions;
}

/** What the sync itself set right (a revert) is nobody's edit. */
function hasSeen(seen: VersionVector, { sync: _ours, ...vector }: VersionVector): boolean {
	return includes(seen, vector);
}

function inWords(unseen: readonly UnseenEdit[]): string {
	const [first, ...more] = unseen;
	if (first === undefined) return 'that it is still used elsewhere';
	const others = more.length > 0 ? ` and ${more.length} more` : '';
	return `the change of ${first.field} by ${first.system}${others}`;
}
