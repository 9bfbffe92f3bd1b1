import { placeOf, silence, verdictOn } from '../support/silent-overwrite';
import type { Overwrite } from '../support/simulated-writer';
import type { Facts } from './world';

export function noteNames(facts: Facts, names: readonly string[]): Facts {
	const fresh = names.filter((name) => !facts.named.includes(name));
	if (fresh.length === 0) return facts;
	return { ...facts, named: [...new Set([...facts.named, ...fresh])].sort() };
}

/** Net-zero edits that the journal tells of by now. */
export function noteTold(facts: Facts, places: readonly string[]): Facts {
	if (!facts.netZero.some((place) => places.includes(place))) return facts;
	return { ...facts, netZero: facts.netZero.filter((place) => !places.includes(place)) };
}

/** The first violation is the one that is reported. */
export function violate(facts: Facts, violation: string | null): Facts {
	return violation !== null && facts.violation === null ? { ...facts, violation } : facts;
}

/** I3 for everything that a write replaced. */
export function judgeOverwrites(facts: Facts, overwrites: readonly Overwrite[]): Facts {
	const named = new Set(facts.named);
	return overwrites.reduce((soFar, overwrite) => {
		switch (verdictOn(overwrite, { truth: soFar.truth, named })) {
			case 'known':
				return soFar;
			case 'net-zero':
				return { ...soFar, netZero: [...new Set([...soFar.netZero, placeOf(overwrite)])].sort() };
			case 'silent':
				return violate(soFar, silence(overwrite, soFar.truth));
		}
	}, facts);
}
