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
	// A value that may not travel would win, and a person be asked about it instead.
	const mayTravel = (canon: Json): boolean => valid === null || invalidity(valid, canon, field.merged?.canon) === null;
	if (authority?.kind !== 'shared' || authority.resolve.kind !== 'latest') return false;
	const { toleranceMs } = authority.resolve;
	const rivals = rivalsIn(field);
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
function rivalsIn({ views, merged }: FieldState): Pick<Version, 'canon' | 'atMs'>[] {
	const versions: Version[] = [...Object.values(views), ...(merged ? [merged] : [])];
	const tips = versions.filter((one) => !versions.some((other) => compare(one.vector, other.vector) === 'before'));
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
