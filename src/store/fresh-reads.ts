import type { ChangeEvent } from '../core/change-event';
import { concurrentFields } from '../core/decide';
import { SyncError } from '../core/errors';
import { foldEvents } from '../core/fold-events';
import { heldUntilReadAgain, isBeingTakenIn, letGo, type Held } from '../core/fresh-read';
import type { Disposition } from '../core/observe';
import { commitOf, type Position } from '../core/position';
import type { RecordChange } from '../core/record-change';
import { unknownReferences } from './batch-references';
import { holdMassDeletes } from './mass-delete';
import { dispositionId, type LookedThrough, ObservationRun, type PreparedObservation, type RunInput } from './observation-run';
import { unknownMatches } from './observe-step';
import { prepareAsked } from './prepare-asked';
import { policyInForce, requirePublished } from './published-policy';
import { retryContended } from './retry-contended';
import { positionOfEvent } from './stream-order';
import { hasPassed } from './stream-reach';
import type { StreamRecord } from './stream-record';
import type { Loaded, PublishedPolicy, SyncStore } from './sync-store';

/** What became of a fresh read. */
export interface ObservedRead {
	/** Null: nobody knows the record, and it is gone. */
	readonly link: string | null;
	/** `overtaken`: the stream has said something later of the record, so the read says nothing. */
	readonly disposition: Disposition | 'overtaken';
	readonly due: boolean;
	readonly concurrentFields: readonly string[];
}

export type FreshStore = Pick<SyncStore, 'load' | 'commit' | 'countRecords' | 'listReviews'>;

/** Observed in one commit. */
const CHUNK = 1_000;

/**
 * R6: observes rows that were read outside of their streams, as far as the streams have been observed past the places
 * where they were read and have said nothing later of them. Moves no stream.
 *
 * @param events - of `op` r or d, each with `source.fresh`
 * @returns per event, in the order given: what became of it, or why it was refused
 * @throws SyncError POLICY_UNPUBLISHED, STORE_UNREACHABLE
 */
export async function observeFresh(store: FreshStore, policy: string, events: readonly ChangeEvent[]): Promise<readonly (ObservedRead | SyncError)[]> {
	const results: (ObservedRead | SyncError)[] = [];
	for (let at = 0; at < events.length; at += CHUNK) {
		results.push(...(await observeChunk(store, policy, events.slice(at, at + CHUNK))));
	}
	return results;
}

async function observeChunk(store: FreshStore, name: string, events: readonly ChangeEvent[]): Promise<(ObservedRead | SyncError)[]> {
	return await retryContended(async (isLast) => {
		const loaded = await store.load({ policy: name, keys: events.map(({ system, entity, key }) => ({ system, entity, key })) });
		const tooEarly = events.map((event) => whyTooEarly(loaded, event));
		const published = requirePublished(loaded, name);
		const prepared = await prepare(store, { loaded, published }, events.filter((_, at) => tooEarly[at] === null));
		const results = prepared.commit.links.length === 0 ? [] : (await store.commit(prepared.commit)).links;
		if (results.includes('conflict') && !isLast) return null;
		if (results.includes('conflict')) return events.map((event) => contended(event));
		return events.map((event, at) => tooEarly[at] ?? resultOf(event, prepared));
	});
}

/** Why an event may not be taken for what it says, yet or at all; null: it may. */
function whyTooEarly({ streams }: Loaded, event: ChangeEvent): SyncError | null {
	const { system, source } = event;
	const stream: StreamRecord | undefined = streams[system];
	const place = positionOfEvent(event);
	if (stream && stream.systemId === source.fresh?.systemId && hasPassed(stream, place)) return null;
	return new SyncError(
		'READ_TOO_EARLY',
		stream
			? `A row of ${system} was read at ${place}, which its stream has not passed: what the sync itself wrote there would look like a user's change`
			: `A row of ${system} was read, of which this sync store knows no stream`,
	);
}

export interface FreshReadsInput extends RunInput {
	/** At places that their streams have passed. */
	readonly changes: readonly RecordChange[];
}

interface Overtaken {
	/** By {@link readId}: reads of which the stream has said something later. */
	readonly overtaken: ReadonlySet<string>;
}

export type PreparedReads = PreparedObservation & Overtaken;
export type LookedReads = LookedThrough & Overtaken;

async function prepare(
	store: FreshStore,
	{ loaded, published }: { loaded: Loaded; published: PublishedPolicy },
	events: readonly ChangeEvent[],
): Promise<PreparedReads> {
	const policy = policyInForce(published);
	const { links } = loaded;
	const { changes, approvals } = await holdMassDeletes(store, { changes: foldEvents(events, published.macKey), links }, policy);
	return await knowing(store, { changes, approvals, published, policy, links }, prepareFreshReads);
}

/** What observing the reads would make of their links. */
export async function lookThrough(store: Pick<SyncStore, 'load'>, input: Omit<FreshReadsInput, 'asked'>): Promise<LookedReads> {
	return await knowing(store, input, (known) => {
		const { run, overtaken } = observeReads(known);
		return { ...run.leave(), overtaken };
	});
}

/** With all that has to be known of others: whoever has their match keys, and what they name. */
async function knowing<T extends LookedThrough>(store: Pick<SyncStore, 'load'>, input: Omit<FreshReadsInput, 'asked'>, work: (input: FreshReadsInput) => T): Promise<T> {
	const { links, published } = input;
	const sought = { matches: unknownMatches(input), keys: unknownReferences(input) };
	return await prepareAsked(store, { policy: published.name, links, sought }, (known) => work({ ...input, ...known }));
}

/** R1 over fresh reads. Pure: the caller loads before and commits after, and does both again when another worker was faster. */
export function prepareFreshReads(input: FreshReadsInput): PreparedReads {
	const { run, overtaken } = observeReads(input);
	return { ...run.finish(), overtaken };
}

function observeReads(input: FreshReadsInput): Overtaken & { readonly run: ObservationRun } {
	const run = new ObservationRun(input);
	const overtaken = new Set<string>();
	for (const transaction of byPlace(input.changes)) {
		const before = new Map(transaction.map((change) => [change, run.links.own(change)?.state]));
		const late = transaction.filter((change) => isOvertaken(before.get(change)?.seen[change.system], change));
		for (const change of late) overtaken.add(readId(change));
		run.observe(transaction.filter((change) => !late.includes(change)), null);
		for (const change of transaction) settleHold(run, { change, isNew: before.get(change) === undefined, input });
	}
	return { run, overtaken };
}

/** The same place again is a repetition, which is told apart from what came later. */
const isOvertaken = (seen: Position | undefined, { position }: RecordChange): boolean => seen !== undefined && seen > position;

export const readId = ({ system, entity, key, position }: Pick<RecordChange, 'system' | 'entity' | 'key' | 'position'>): string =>
	JSON.stringify([system, entity, key, commitOf(position)]);

/** @param isNew - no link had heard of the record */
function settleHold(run: ObservationRun, { change, isNew, input }: { change: RecordChange; isNew: boolean; input: FreshReadsInput }): void {
	const { system, entity, key, fresh } = change;
	const link = key === null ? undefined : run.links.whoHad(system, entity, key);
	if (!link || fresh === undefined) return;
	if (isNew && change.exists === true) note(run, link.state.id, heldUntilReadAgain(link.state, fresh, input.policy));
	// What is read then, or came through the stream since, says what has become of it.
	else if (fresh.again === true && isBeingTakenIn(link.state)) note(run, link.state.id, letGo(link.state, fresh, input.policy));
}

function note(run: ObservationRun, id: string, { state, journal }: Held): void {
	for (const entry of journal) run.note(id, entry, state);
}

/** Places of one system in their order; those of two systems have none. */
function byPlace(changes: readonly RecordChange[]): RecordChange[][] {
	const groups = new Map<string, RecordChange[]>();
	const inOrder = [...changes].sort((a, b) => (a.position < b.position ? -1 : 1));
	for (const change of inOrder) {
		const place = `${change.system} ${commitOf(change.position)}`;
		groups.set(place, [...(groups.get(place) ?? []), change]);
	}
	return [...groups.values()];
}

function resultOf(event: ChangeEvent, { links, overtaken, dispositions, due }: PreparedReads): ObservedRead {
	const { system, entity, key } = event;
	const position = positionOfEvent(event);
	const link = links.whoHad(system, entity, key);
	if (!link) return { link: null, disposition: 'unchanged', due: false, concurrentFields: [] };
	const { id } = link.state;
	const isLate = overtaken.has(readId({ system, entity, key, position }));
	return {
		link: id,
		disposition: isLate ? 'overtaken' : (dispositions.get(dispositionId(id, position)) ?? 'duplicate'),
		due: due.get(id) ?? link.loaded?.due ?? false,
		concurrentFields: concurrentFields(link.state),
	};
}

function contended({ system }: ChangeEvent): SyncError {
	return new SyncError('COMMIT_CONTENDED', `Other workers were faster each time: rows of ${system} that were read were not observed`);
}

