import { wrongLink, wrongRows } from '../support/at-rest';
import { simulatedEntity } from '../support/simulated-policy';
import { dueLinks, linksOf, stateOf, type Model } from './model';
import type { World } from './world';

/** Nothing is under way and nobody has anything left to do. */
export function isQuiescent(model: Model, world: World): boolean {
	const { systems, scripts } = model.setup;
	const { runs, zombies, facts, dbs } = world;
	if (zombies.length > 0 || Object.values(runs).some((run) => run !== null)) return false;
	if (systems.some((system) => (facts.next[system] ?? 0) < (scripts[system]?.length ?? 0))) return false;
	if (Object.values(dbs).some(({ log }) => log.length > 0)) return false;
	return dueLinks(model, world).length === 0;
}

/** What is wrong with a quiescent world; null when all is well. */
export function wrongAtRest(model: Model, { store, dbs, facts }: World): string | null {
	if (facts.netZero.length > 0) {
		return `I3 our write replaced a value of ${facts.netZero.join(', ')} that had been set back unseen, and the journal does not say so`;
	}
	const entity = simulatedEntity(model.setup.policy);
	const states = [...linksOf(store).values()].map(stateOf);
	const wrong = states.map((state) => wrongLink(state, { entity, dbs, others: states })).find((one) => one !== null);
	return wrong ?? wrongRows(states, dbs, facts.acts > 0);
}
