import { equalJson } from './canonical-json';
import type { FieldState, LinkState, MergedVersion, View } from './link';
import type { EntityPolicy, Policy } from './policy';
import { invalidity } from './policy-valid';
import { compare, counterOf, includes, type VersionVector } from './version-vector';

/**
 * What happens when somebody replaces a value that they had seen, while the merged version has
 * also overruled values that they had not. The replaced value is withdrawn: it may not win against
 * whoever replaced it. Those that had lost to it have then lost to nobody, and are asked again.
 */

/** Whether the view was made with knowledge of the merged value, though perhaps not of all that lost to it. */
export function hasSeenValue({ vector }: View, { own, vector: whole }: MergedVersion): boolean {
	return includes(vector, own ?? whole);
}

/** A version whose value has seen only a part of its vector. */
export function withOwn(merged: MergedVersion, own: VersionVector): MergedVersion {
	const whole = entire(merged);
	return compare(own, merged.vector) === 'equal' ? whole : { ...whole, own };
}

/** A version whose value has seen all of its vector. */
export function entire({ own: _part, ...merged }: MergedVersion): MergedVersion {
	return merged;
}

/** When all systems have seen the whole version, nobody is left who could replace its value without having seen all that lost to it. */
export function forgetLosers(field: FieldState): void {
	const { merged, views } = field;
	if (merged?.own && Object.values(views).every(({ vector }) => includes(vector, merged.vector))) field.merged = entire(merged);
}

/**
 * In another row nobody has the values of the one before in front of them: who changes it has not replaced what that one
 * said, although the vector of its system goes on. `state` is a draft that the caller owns.
 */
export function forgetReplaceable({ fields }: LinkState): void {
	for (const field of Object.values(fields)) if (field.merged?.own) field.merged = entire(field.merged);
}

/** A system's view that lost to the merged value. */
export interface Rival {
	readonly system: string;
	readonly view: View;
}

interface Withdrawal {
	readonly field: string;
	readonly system: string;
	readonly view: View;
	readonly merged: MergedVersion;
	readonly state: LinkState;
}

interface LoserRules {
	readonly policy: Policy;
	readonly entity: EntityPolicy;
}

/** The values that stand in other systems, have lost to the merged one, and were not seen by the view. */
export function losersUnseen({ field, system, view, merged, state }: Withdrawal, { policy: { systems }, entity }: LoserRules): Rival[] {
	const { valid, nulls } = entity.fields.get(field) ?? { valid: null, nulls: 'clear' };
	const views = state.fields[field]?.views ?? {};
	return systems.flatMap((other) => {
		const rival = views[other];
		if (other === system || rival === undefined || rival.unreadable !== undefined || rival.defaulted) return [];
		const made = counterOf(rival.vector, other);
		const lost = made > counterOf(view.vector, other) && made <= counterOf(merged.vector, other);
		if (!lost || equalJson(rival.canon, merged.canon) || (rival.canon === null && nulls !== 'clear')) return [];
		if (valid && invalidity(valid, rival.canon, merged.canon) !== null) return [];
		return [{ system: other, view: rival }];
	});
}
