import type { IExecuteFunctions, INodeExecutionData } from 'n8n-workflow';

import { SyncError } from '../../src/core/errors';
import { EXISTENCE } from '../../src/core/link';
import type { Policy } from '../../src/core/policy';
import { type Scopes, scopeText } from '../../src/core/scopes';
import { decideBatch, type DecidedBatch } from '../../src/store/decide-batch';
import type { ObservingStore } from '../../src/store/observe-batch';
import { policyInForce, requirePublished } from '../../src/store/published-policy';
import type { PublishedPolicy } from '../../src/store/sync-store';
import { type EventBatch, readEvents } from '../shared/items';
import {
	alreadyObserved,
	byIndex,
	type ObservedBatch,
	type ObservedItem,
	observeItems,
	refuseItems,
	storeFor,
} from '../shared/observe-items';
import { withStore } from '../shared/open-store';
import type { Outputs } from '../shared/run-node';
import { text } from '../shared/settings';
import { MERGE, outputsFor } from './outputs';
import { hintsOf, routeDecisions } from './route-decisions';

interface Merged {
	readonly seen: ObservedBatch;
	readonly observed: readonly ObservedItem[];
	readonly decided: DecidedBatch | null;
}

/** Decides about the links that the items speak of; what the items say about them is not trusted. */
export async function mergeByPolicy(
	context: IExecuteFunctions,
	systems: readonly string[],
	items: readonly INodeExecutionData[],
): Promise<Outputs> {
	const policy = text('Policy', context.getNodeParameter('policy', 0));
	const batch = readEvents(items);
	const merged = await withStore(context, async (store) => {
		// A test run decides on what it observes here, and keeps nothing of either.
		return await observeAndDecide(storeFor(batch, store), { policy, systems, batch, execution: context.getExecutionId() });
	});
	const { observed, decided, seen } = merged;
	const routed = { observed, decided, systems, isTest: batch.isTest };
	const outputs = routeDecisions(routed);
	const hints = hintsOf(routed);
	if (hints.length > 0) context.addExecutionHints(...hints.map((message) => ({ message })));
	const { nothingToDo } = outputsFor(systems);
	refuseItems(context, seen, { key: MERGE, outputs, safeOutput: nothingToDo });
	return outputs;
}

async function observeAndDecide(
	store: ObservingStore,
	{ policy, systems, batch, execution }: { policy: string; systems: readonly string[]; batch: EventBatch; execution: string },
): Promise<Merged> {
	const check = (published: PublishedPolicy): void => checkSystems(published, systems);
	const { observed: known, rest } = batch.isTest
		? { observed: [], rest: batch }
		: alreadyObserved(batch);
	if (rest.events.length > 0) {
		// Before anything is committed: observing commits too.
		check(requirePublished(await store.load({ policy }), policy));
	}
	const seen =
		rest.events.length > 0
			? await observeItems(store, policy, rest)
			: { observed: [], refused: rest.unreadable };
	const observed = byIndex(known, seen.observed);
	const links = observed.flatMap(({ found }) => found.link ?? []);
	const decided = links.length > 0 ? await decideBatch(store, { policy, links, check, execution }) : null;
	return { seen, observed, decided };
}

/** Nothing is written to a system that is new, so the others need not wait for its output. */
function isAllPending({ entities }: Policy, pending: Scopes, system: string): boolean {
	return [...entities.values()].every(
		({ name: entity, tables }) =>
			!tables.has(system) || pending.has(scopeText({ entity, field: EXISTENCE, system })),
	);
}

/** An output too few would leave writes nowhere to go, and one too many hides a typo. */
export function checkSystems(published: PublishedPolicy, systems: readonly string[]): void {
	const { policy, pending } = policyInForce(published);
	const named = policy.systems;
	const missing = named.filter((name) => !systems.includes(name) && !isAllPending(policy, pending, name));
	if (missing.length === 0 && systems.every((name) => named.includes(name))) return;
	throw new SyncError(
		'SYSTEMS_MISMATCH',
		`This node has outputs for ${systems.join(', ')}, but the policy "${published.name}" (version ${published.version}) is about ${named.join(', ')}`,
	);
}
