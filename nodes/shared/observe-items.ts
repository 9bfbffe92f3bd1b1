import { type IDataObject, type IExecuteFunctions, NodeOperationError } from 'n8n-workflow';

import { SyncError } from '../../src/core/errors';
import { wakeFinding, wakeItem } from '../../src/core/wake-item';
import { DryRunStore, chained } from '../../src/store/dry-run-store';
import { observeBatch, type Observed, type ObservingStore } from '../../src/store/observe-batch';
import { parseObserved } from '../../src/store/parse-observed';
import type { SyncStore } from '../../src/store/sync-store';
import type { Woken } from '../../src/store/woken-links';
import { type EventBatch, type EventItem, findingOf, type InputItem } from './items';
import { errorItem, type Outputs } from './run-node';

/** The key of the Echo Filter's findings, which the nodes after it go by. */
export const ECHO_FILTER = 'echoFilter';

export interface ObservedItem extends EventItem {
	readonly found: Observed;
}

export interface RefusedItem extends InputItem {
	readonly error: SyncError;
}

/** What became of a batch, in the order of its items. */
export interface ObservedBatch {
	readonly observed: readonly ObservedItem[];
	readonly refused: readonly RefusedItem[];
}

/** The store, or for test items one that looks like it and keeps nothing. */
export function storeFor({ isTest }: EventBatch, store: SyncStore): ObservingStore {
	return isTest ? new DryRunStore(store) : store;
}

/**
 * Observes all events of a batch in one go (R1).
 *
 * @param store - of {@link storeFor}
 */
export async function observeItems(
	store: ObservingStore,
	policy: string,
	{ events: items, unreadable, isTest }: EventBatch,
): Promise<ObservedBatch> {
	const events = items.map(({ event }) => event);
	const results = await observeBatch(store, policy, isTest ? chained(events) : events);
	const observed: ObservedItem[] = [];
	const refused: RefusedItem[] = [...unreadable];
	items.forEach((item, at) => {
		const found = results[at];
		if (found instanceof SyncError)
			refused.push({ index: item.index, item: item.item, error: found });
		else if (found !== undefined) {
			const { wakes = [], ...seen } = found;
			observed.push({ ...item, found: seen }, ...wakes.map((link) => wokenItem(item, seen, link)));
		}
	});
	return { observed, refused: refused.sort((a, b) => a.index - b.index) };
}

/**
 * Who has waited for what an item brings is looked at in the same execution, by an item of its own. It may be lost:
 * the trigger's sweep offers the record as well.
 */
function wokenItem({ index, event: { system } }: EventItem, { mode }: Observed, link: Woken): ObservedItem {
	const event = wakeItem(link, system);
	const found = { ...wakeFinding(link.id), ...(mode ? { mode } : {}) };
	return { index, item: { json: { ...event } as unknown as IDataObject }, event, found };
}

/** Splits a batch into items that the Echo Filter has observed and the rest. */
export function alreadyObserved({ events, unreadable, isTest }: EventBatch): {
	readonly observed: readonly ObservedItem[];
	readonly rest: EventBatch;
} {
	const observed: ObservedItem[] = [];
	const rest: EventItem[] = [];
	for (const item of events) {
		const found = parseObserved(findingOf(item.item, ECHO_FILTER));
		if (found === null) rest.push(item);
		else observed.push({ ...item, found });
	}
	return { observed, rest: { events: rest, unreadable, isTest } };
}

/**
 * Makes refused items visible: the execution fails, naming the first reason and how many items it
 * concerns. What could be observed has been, so nothing is lost. With Continue On Fail they leave
 * by the safe output with their errors.
 */
export function refuseItems(
	context: IExecuteFunctions,
	{ observed, refused }: { readonly observed: readonly unknown[]; readonly refused: readonly RefusedItem[] },
	{ key, outputs, safeOutput }: { key: string; outputs: Outputs; safeOutput: number },
): void {
	const [first] = refused;
	if (!first) return;
	const node = context.getNode();
	if (context.continueOnFail()) {
		const failed = refused.map((item) => errorItem(node, item, { key, error: item.error }));
		outputs[safeOutput]?.push(...failed);
		return;
	}
	const { message, remedy: description } = first.error;
	throw new NodeOperationError(node, first.error, {
		message: `${message} (${refused.length} of ${refused.length + observed.length} items refused)`,
		description,
		itemIndex: first.index,
	});
}

/** In the order of their items in the batch. */
export function byIndex<Item extends InputItem>(...lists: (readonly Item[])[]): Item[] {
	return lists.flat().sort((a, b) => a.index - b.index);
}
