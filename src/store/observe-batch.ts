import type { ChangeEvent } from '../core/change-event';
import { wokenLink } from '../core/wake-item';
import { concurrentFields } from '../core/decide';
import { SyncError } from '../core/errors';
import type { PolicyMode } from '../core/journal';
import type { Disposition } from '../core/observe';
import { foldEvents } from '../core/fold-events';
import { transactionShares } from '../core/mass-delete';
import { previousKeyOf } from '../core/record-change';
import { unknownReferences } from './batch-references';
import { observeFresh } from './fresh-reads';
import { inEffect } from './in-effect';
import { holdMassDeletes } from './mass-delete';
import { dispositionId, eventId, type PreparedObservation } from './observation-run';
import { prepareObservation, unknownMatches } from './observe-step';
import { prepareAsked } from './prepare-asked';
import { withShown } from './older-values';
import { policyInForce, requirePublished } from './published-policy';
import { retryContended } from './retry-contended';
import { positionOfEvent, sortOut, type SortedBatch } from './stream-order';
import type { Loaded, LoadRequest, PublishedPolicy, SyncStore } from './sync-store';
import { holdTruncates } from './truncate';
import { type Woken, wokenLinks } from './woken-links';

/** What became of one event, for the item that carried it. */
export interface Observed {
	readonly link: string | null;
	/** `stale` and `doubtful`: of an API's record, see `ReadingVerdict`; `overtaken`: see `ObservedRead`. */
	readonly disposition: Disposition | 'wake' | 'truncate' | 'stale' | 'doubtful' | 'overtaken';
	/** Whether somebody has to look at the link, whatever the event itself was. */
	readonly due: boolean;
	/** Fields in which two systems' versions have not seen each other. */
	readonly concurrentFields: readonly string[];
	/** Other links that are to be looked at because of the batch, said with one of its events; absent: none. */
	readonly wakes?: readonly Woken[];
	/** The policy's mode then; absent when it was live. */
	readonly mode?: Exclude<PolicyMode, 'live'>;
}

export type ObservingStore = Pick<SyncStore, 'load' | 'commit' | 'changeReviews' | 'countRecords' | 'findAlike' | 'listReviews' | 'readJournal' | 'setMode'>;

/**
 * R1: observes a batch of events, of one or several streams, and says of each what it was.
 * Store trips per stream: load and commit; one more when there are records that nobody knows.
 *
 * @returns per event, in the order given: what became of it, or why it was refused
 * @throws SyncError POLICY_UNPUBLISHED, STORE_UNREACHABLE: nothing of the batch was observed
 */
export async function observeBatch(
	store: ObservingStore,
	policy: string,
	events: readonly ChangeEvent[],
): Promise<readonly (Observed | SyncError)[]> {
	const results = new Map<ChangeEvent, Observed | SyncError>();
	const wakes = events.filter((event) => event.op === 'w');
	const fresh = events.filter(({ source }) => source.fresh !== undefined);
	const moving = events.filter((event) => event.op !== 'w' && event.source.fresh === undefined);
	for (const system of new Set(moving.map((event) => event.system))) {
		const ofSystem = moving.filter((event) => event.system === system);
		const seen = await observeStream({ store, policy, system, events: ofSystem });
		seen.forEach((result, index) => {
			const event = ofSystem[index];
			if (event) results.set(event, result);
		});
	}
	if (fresh.length > 0) {
		const read = await observeFresh(store, policy, fresh);
		fresh.forEach((event, at) => results.set(event, read[at] ?? NOT_CONCERNED));
	}
	if (wakes.length > 0) {
		for (const [event, woken] of await lookAt(store, policy, wakes)) results.set(event, woken);
	}
	return events.map((event) => results.get(event) ?? NOT_CONCERNED);
}

const NOT_CONCERNED: Observed = { link: null, disposition: 'unchanged', due: false, concurrentFields: [] };

interface StreamBatch {
	readonly store: ObservingStore;
	readonly policy: string;
	readonly system: string;
	readonly events: readonly ChangeEvent[];
}

/** One stream's part of a batch; starts over from a fresh load when another worker was faster. */
async function observeStream(batch: StreamBatch): Promise<(Observed | SyncError)[]> {
	return await retryContended(async (isLast) => {
		const loaded = await batch.store.load({ policy: batch.policy, ...sought(batch.events) });
		const published = requirePublished(loaded, batch.policy);
		const stream = loaded.streams[batch.system];
		if (!stream) return batch.events.map(() => unknownStream(batch));
		const sorted = sortOut(batch.events, stream.position);
		const prepared = await prepare(batch, { loaded, published, sorted });
		if (sorted.fresh.length === 0) return resultsOf(batch, { prepared, sorted, published });
		const { links, woken } = await batch.store.commit(prepared.commit);
		if (links.includes('conflict') && !isLast) return null;
		if (links.includes('conflict')) return batch.events.map(() => contended(batch));
		return resultsOf(batch, { prepared, sorted, published, wakes: await wokenLinks(batch.store, batch.policy, woken) });
	});
}

interface ObservedStream {
	readonly prepared: PreparedObservation;
	readonly sorted: SortedBatch;
	readonly published: PublishedPolicy;
	readonly wakes?: readonly Woken[];
}

function resultsOf({ events }: StreamBatch, { wakes = [], published, ...seen }: ObservedStream): (Observed | SyncError)[] {
	const results = events.map((event) => inMode(resultOf(event, seen), published));
	const first = results.findIndex((one) => !(one instanceof SyncError));
	return wakes.length === 0 ? results : results.map((one, at) => (at === first && !(one instanceof SyncError) ? { ...one, wakes } : one));
}

async function prepare(
	{ store, system }: StreamBatch,
	{ loaded, published, sorted }: { loaded: Loaded; published: PublishedPolicy; sorted: SortedBatch },
): Promise<PreparedObservation> {
	const { fresh: events, from } = sorted;
	const policy = policyInForce(published);
	await holdTruncates(store, published, events);
	const folded = foldEvents(events, published.macKey);
	const { changes: held, approvals } = await holdMassDeletes(store, { changes: folded, links: loaded.links, shares: transactionShares(events) }, policy);
	const changes = await withShown(store, { changes: held, links: loaded.links }, policy);
	const input = { events, changes, approvals, published, policy };
	const { links } = loaded;
	const sought = { matches: unknownMatches({ ...input, links }), keys: unknownReferences({ ...input, links }) };
	return await prepareAsked(store, { policy: published.name, links, sought }, (known) => prepareObservation({ ...input, system, from, ...known }));
}

function sought(events: readonly ChangeEvent[]): Pick<LoadRequest, 'keys' | 'links'> {
	const rows = events.filter(({ op }) => op !== 'm' && op !== 't');
	const keys = rows.flatMap((event) => {
		const previous = previousKeyOf(event);
		const { system, entity } = event;
		return (previous ? [event.key, previous] : [event.key]).map((key) => ({ system, entity, key }));
	});
	return { keys, links: events.flatMap(({ marker }) => (marker ? [marker.link] : [])) };
}

function resultOf(
	event: ChangeEvent,
	{ prepared, sorted }: { prepared: PreparedObservation; sorted: SortedBatch },
): Observed | SyncError {
	const position = positionOfEvent(event);
	const last = sorted.fresh.at(-1)?.source.position ?? sorted.from;
	if (sorted.gap && position > last) return sorted.gap;
	if (event.op === 't') return { ...NOT_CONCERNED, disposition: 'truncate' };
	const { links, dispositions, due, met } = prepared;
	const marked = event.marker ? links.byId(event.marker.link) : undefined;
	const { system, entity, key } = event;
	const metAt = met.get(eventId({ system, entity, key, position }));
	const link = (metAt === undefined ? undefined : links.byId(metAt)) ?? links.whoHad(system, entity, key) ?? marked;
	if (!link) return NOT_CONCERNED;
	const { id } = link.state;
	return {
		link: id,
		disposition: dispositions.get(dispositionId(id, position)) ?? 'duplicate',
		due: due.get(id) ?? link.loaded?.due ?? false,
		concurrentFields: concurrentFields(link.state),
	};
}

function inMode<T extends Observed | SyncError>(found: T, { mode }: PublishedPolicy): T {
	return found instanceof SyncError || mode === 'live' ? found : { ...found, mode };
}

/** Wake items stand in no stream: nothing is observed, the link is only looked at. */
async function lookAt(
	store: ObservingStore,
	policy: string,
	wakes: readonly ChangeEvent[],
): Promise<Map<ChangeEvent, Observed>> {
	const loaded = await store.load({ policy, links: wakes.flatMap((event) => wokenLink(event) ?? []) });
	const { links } = loaded;
	const byId = new Map(links.map((link) => [link.state.id, link]));
	return new Map(
		wakes.map((event) => {
			const found = byId.get(wokenLink(event) ?? '');
			const state = found?.state;
			const woken: Observed = {
				link: state?.id ?? null,
				disposition: 'wake',
				due: found?.due ?? false,
				concurrentFields: state ? concurrentFields(state) : [],
			};
			return [event, loaded.policy ? inMode(woken, inEffect(loaded.policy)) : woken];
		}),
	);
}

function unknownStream({ system, policy }: StreamBatch): SyncError {
	return new SyncError('STREAM_UNKNOWN', `This sync store knows no stream of "${system}" for the policy "${policy}"`);
}

function contended({ system }: StreamBatch): SyncError {
	return new SyncError('COMMIT_CONTENDED', `Other workers were faster each time: some changes of ${system} were not observed`);
}
