import { equalJson, type Json } from '../core/canonical-json';
import type { Decision } from '../core/decide';
import { likenessOf } from '../core/likeness';
import type { LinkState } from '../core/link';
import type { PolicyInForce } from '../core/observe';
import { obstaclesOf, obstacleTells, obstacleWaits } from '../core/obstacles';
import type { EntityPolicy } from '../core/policy';
import { referenceFields, referredEntities } from '../core/reference-graph';
import { referenceTells } from '../core/references';
import { twinTells, twinWaits } from '../core/twins';
import type { LinkCommit } from './sync-store';

type Spread = Pick<LinkCommit, 'waitsFor' | 'tells' | 'alike'>;

/** What an observation says to other links: by what the record is found now, and what those that wait may have waited for. */
export function spreadOfChange(before: LinkState, after: LinkState, { policy }: PolicyInForce): Spread {
	const entity = policy.entities.get(after.entity);
	if (!entity) return {};
	const [was, is] = [before, after].map((state) => likenessOf(state, entity));
	const isReferred = referredEntities(policy).has(entity.name);
	const [had, has] = [before, after].map((state) => obstaclesOf(state).length) as [number, number];
	// Of others a decision says anew what they wait for; what is left over here would wake the link for nothing.
	const waitsAnew = has > had || (has < had && waitsForObstaclesOnly(entity));
	const tells = [...obstacleTells(before, after), ...twinTells(before, after, entity), ...(isReferred ? referenceTells(before, after) : [])];
	return {
		...(equalJson((was ?? null) as Json, (is ?? null) as Json) ? {} : { alike: is ?? null }),
		...(tells.length > 0 ? { tells } : {}),
		...(waitsAnew ? { waitsFor: obstacleWaits(after, policy) } : {}),
	};
}

/** The same of a decision, which also says anew what the link waits for. */
export function spreadOfDecision(before: LinkState, { state, waits }: Decision, inForce: PolicyInForce): Spread {
	const entity = inForce.policy.entities.get(state.entity);
	if (!entity) return {};
	const spread = spreadOfChange(before, state, inForce);
	if (waitsForObstaclesOnly(entity)) return spread;
	const waitsFor = [...obstacleWaits(state, inForce.policy), ...twinWaits(state), ...waits.map(({ until }) => until)];
	// Said each time: a link whose policy has come to ask for it has not been found by anything yet.
	return { ...spread, ...(entity.similar === null ? {} : { alike: likenessOf(state, entity) }), waitsFor };
}

const waitsForObstaclesOnly = (entity: EntityPolicy): boolean => entity.similar === null && referenceFields(entity).length === 0;
