import { equalJson, type Json } from './canonical-json';
import type { FieldState, MergedVersion, View } from './link';
import { invalidity } from './policy-valid';
import type { Rules } from './strategies';
import { compare } from './version-vector';

type Version = View | MergedVersion;

/**
 * Whether, under `latest`, one value is later than all others that it has not seen by more than the
 * tolerance. Asked again while a person is asked: had that value come first, it would have won.
 */
export function isDecidedByTime(field: FieldState, name: string, { entity }: Rules): boolean {
	const { authority, valid = null } = entity.fields.get(name) ?? {};
	// A value that may not travel replaces none, and if it were the latest a person would be asked about it instead.
	const mayTravel = (canon: Json): boolean => valid === null || invalidity(valid, canon, field.merged?.canon) === null;
	if (authority?.kind !== 'shared' || authority.resolve.kind !== 'latest') return false;
	const { toleranceMs } = authority.resolve;
	const rivals = rivalsIn(field, mayTravel);
	return rivals.some(
		({ canon, atMs }) =>
			atMs !== undefined &&
			mayTravel(canon) &&
			rivals.every(
				(other) =>
					equalJson(other.canon, canon) || (other.atMs !== undefined && atMs - other.atMs > toleranceMs),
			),
	);
}

/** The different values that nobody has overruled yet, each with the last time it was written. */
function rivalsIn({ views, merged }: FieldState, mayTravel: (canon: Json) => boolean): Pick<Version, 'canon' | 'atMs'>[] {
	const versions: Version[] = [...Object.values(views).filter(({ defaulted }) => !defaulted), ...(merged ? [merged] : [])];
	const replacing = versions.filter((one) => one === merged || mayTravel(one.canon));
	const tips = versions.filter((one) => !replacing.some((other) => compare(one.vector, other.vector) === 'before'));
	return tips.map(({ canon }) => ({
		canon,
		...tips.filter((other) => equalJson(other.canon, canon)).reduce(laterOf, {}),
	}));
}

/** The later of two times, or the one that is known. */
export function laterOf(a: { readonly atMs?: number }, b: { readonly atMs?: number }): { atMs?: number } {
	if (a.atMs === undefined || b.atMs === undefined) {
		const atMs = a.atMs ?? b.atMs;
		return atMs === undefined ? {} : { atMs };
	}
	return { atMs: Math.max(a.atMs, b.atMs) };
}
