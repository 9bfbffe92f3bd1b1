import { wrongLink, wrongRows } from '../support/at-rest';
import { simulatedEntity } from '../support/simulated-policy';
import { isDueLink, linksOf, stateOf } from './due';
import type { Model } from './model';
import type { World } from './world';

/** Nothing is under way and nobody has anything left to do. */
export function isQuiescent(model: Model, world: World): boolean {
	const { runs, zombies, facts, crm, billing } = world;
	if (runs.crm !== null || runs.billing !== null || zombies.length > 0) return false;
	const { scripts } = model.setup;
	if (facts.next.crm < (scripts['crm']?.length ?? 0)) return false;
	if (facts.next.billing < (scripts['billing']?.length ?? 0)) return false;
	if (crm.log.length > 0 || billing.log.length > 0) return false;
	return isDueLink(model, world).length === 0;
}

/** What is wrong with a quiescent world; null when all is well. */
export function wrongAtRest(model: Model, world: World): string | null {
	const entity = simulatedEntity(model.setup.policy);
	if (world.facts.netZero.length > 0) return `a net-zero edit of ${world.facts.netZero.join(', ')} was never told`;
	const states = [...linksOf(world.store).values()].map(stateOf);
	const dbs = { crm: world.crm, billing: world.billing };
	const wrong = states.map((state) => wrongLink(state, entity, dbs)).find((one) => one !== null);
	return wrong ?? wrongRows(states, dbs, world.facts.acts > 0);
}
