import { concurrentFields } from '../core/decide';
import { SyncError } from '../core/errors';
import type { Disposition } from '../core/observe';
import type { Position } from '../core/position';
import type { Reading } from '../core/reading';
import { readingTicket } from '../core/reading-ticket';
import { BatchLinks } from './batch-identity';
import { unknownReferences } from './batch-references';
import { type Counted, DeletesOfApi, type DeleteStore } from './deletes-of-api';
import { dispositionId } from './observation-run';
import type { Observed } from './observe-batch';
import { unknownMatches } from './observe-step';
import { prepareAsked } from './prepare-asked';
import { policyInForce, requirePublished } from './published-policy';
import { plainChanges, prepareReadings, type JudgedReading, type PreparedReadings } from './readings-step';
import { retryContended } from './retry-contended';
import type { Loaded, PublishedPolicy, RecordKey, SyncStore } from './sync-store';
import { type Woken, wokenLinks } from './woken-links';

/** What became of one reading of an API's record. */
export interface ObservedReading extends Omit<Observed, 'disposition'> {
	/** `stale`: older than what is known. `doubtful`: nobody can say, so nothing was kept of it. */
	readonly disposition: Disposition | 'stale' | 'doubtful';
	/** For the next reading of the record. */
	readonly ticket: string;
	readonly position: Position;
}

export type ReadingStore = Pick<SyncStore, 'load' | 'commit'> & DeleteStore;

/**
 * R1 for an API: observes readings in the order given, and says of each what it was. Store trips: load and commit, one
 * more when there are records that nobody knows.
 *
 * @throws SyncError POLICY_UNPUBLISHED, STORE_UNREACHABLE, COMMIT_CONTENDED: read again
 */
export async function observeReadings(
	store: ReadingStore,
	policy: string,
	readings: readonly Reading[],
): Promise<readonly ObservedReading[]> {
	const counted: Counted = new Map();
	return await retryContended(async (isLast) => {
		const { published, prepared } = await prepareLoaded(store, { policy, counted }, readings);
		if (prepared.commit.links.length === 0) return resultsOf(readings, { prepared, published, woken: [] });
		const { links, woken } = await store.commit(prepared.commit);
		if (!links.includes('conflict')) return resultsOf(readings, { prepared, published, woken: await wokenLinks(store, policy, woken) });
		if (isLast) throw contended(policy);
		return null;
	});
}

/**
 * What is known of records before they are read.
 *
 * @returns a ticket for each, in the order given
 */
export async function takeTickets(
	store: Pick<SyncStore, 'load'>,
	policy: string,
	records: readonly RecordKey[],
): Promise<readonly string[]> {
	const loaded = await store.load({ policy, keys: records.map(recordOf) });
	const links = new BatchLinks(policyInForce(requirePublished(loaded, policy)).policy, loaded.links);
	return records.map(({ system, entity, key }) => readingTicket(links.whoHad(system, entity, key)?.state ?? null, system));
}

const recordOf = ({ system, entity, key }: RecordKey): RecordKey => ({ system, entity, key });

interface PreparedBatch {
	readonly published: PublishedPolicy;
	readonly prepared: PreparedReadings;
}

/** Loads all that the readings concern, and thinks them through. */
async function prepareLoaded(
	store: Omit<ReadingStore, 'commit'>,
	{ policy: name, counted }: { policy: string; counted: Counted },
	readings: readonly Reading[],
): Promise<PreparedBatch> {
	const marks = readings.flatMap(({ mark }) => (mark === null ? [] : [mark.slice(0, mark.indexOf(':'))]));
	const loaded: Loaded = await store.load({ policy: name, keys: readings.map(recordOf), links: marks });
	const published = requirePublished(loaded, name);
	const policy = policyInForce(published);
	const { links } = loaded;
	const { awaits, approvals } = await new DeletesOfApi(store, policy, counted).hold(readings, links);
	const changes = plainChanges(readings, links);
	const sought = { matches: unknownMatches({ changes, links, policy }), keys: unknownReferences({ changes, links, policy }) };
	const prepared = await prepareAsked(store, { policy: name, links, sought }, (known) => prepareReadings({ readings, awaits, approvals, published, policy, ...known }));
	return { published, prepared };
}

function resultsOf(
	readings: readonly Reading[],
	{ prepared, published, woken }: PreparedBatch & { woken: readonly Woken[] },
): ObservedReading[] {
	return readings.map((reading, at) => {
		const one = resultOf(reading, { prepared, at });
		const inMode = published.mode === 'live' ? one : { ...one, mode: published.mode };
		return at === 0 && woken.length > 0 ? { ...inMode, wakes: woken } : inMode;
	});
}

function resultOf({ system }: Reading, { prepared, at }: { prepared: PreparedReadings; at: number }): ObservedReading {
	const judged = prepared.judged[at];
	if (!judged) throw new TypeError(`reading ${at} was not judged`);
	const { position } = judged;
	const link = judged.link === null ? undefined : prepared.links.byId(judged.link);
	if (!link) return { link: null, disposition: dispositionOf(judged, undefined), due: false, concurrentFields: [], ticket: readingTicket(null, system), position };
	const { state, loaded } = link;
	return {
		link: state.id,
		disposition: dispositionOf(judged, prepared.dispositions.get(dispositionId(state.id, position))),
		due: prepared.due.get(state.id) ?? loaded?.due ?? false,
		concurrentFields: concurrentFields(state),
		ticket: readingTicket(state, system),
		position,
	};
}

function dispositionOf({ verdict }: JudgedReading, observed: Disposition | undefined): ObservedReading['disposition'] {
	return verdict === 'stale' || verdict === 'doubtful' ? verdict : (observed ?? 'unchanged');
}

function contended(policy: string): SyncError {
	return new SyncError('COMMIT_CONTENDED', `Other workers were faster each time: readings of "${policy}" were not observed`);
}
