import type { Claim } from './sync-store';

/**
 * Answers for keys of which some are asked for twice: the first asker got the claim, whoever
 * asks again finds it taken.
 */
export function answersInOrder(
	keys: readonly string[],
	claims: ReadonlyMap<string, Claim>,
): readonly Claim[] {
	const answered = new Set<string>();
	return keys.map((key) => {
		const claim = claims.get(key);
		if (!claim) throw new TypeError('a key was asked for that no answer was fetched for');
		const isRepeated = answered.has(key);
		answered.add(key);
		return isRepeated && claim.state === 'new' ? { state: 'in-progress' } : claim;
	});
}
