import { silence, placeOf, verdictOn } from '../support/silent-overwrite';
import type { Overwrite } from '../support/simulated-writer';
import type { Facts } from './world';

export function noteNames(facts: Facts, names: readonly string[]): Facts {
	const fresh = names.filter((name) => !facts.named.includes(name));
	if (fresh.length === 0) return facts;
	return { ...facts, named: [...new Set([...facts.named, ...fresh])].sort() };
}

export function violate(facts: Facts, violation: string): Facts {
	return facts.violation === null ? { ...facts, violation } : facts;
}

/** I3: what an applied operation overwrote must be in its past or named; a net-zero edit must be told afterwards. */
export function judgeOverwrites(facts: Facts, overwrites: readonly Overwrite[]): Facts {
	return overwrites.reduce((soFar, overwrite) => {
		switch (verdictOn(overwrite, { truth: soFar.truth, named: new Set(soFar.named) })) {
			case 'known':
				return soFar;
			case 'net-zero':
				return { ...soFar, netZero: [...soFar.netZero, placeOf(overwrite)].sort() };
			case 'silent':
				return violate(soFar, silence(overwrite, soFar.truth));
		}
	}, facts);
}
