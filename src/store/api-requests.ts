import { afterReading, beginAttempt, begunRequest, hasCondition, isConditional, type BegunRequest } from '../core/api-attempt';
import { isForAnother, stillExpected } from '../core/api-operation';
import { attemptOf, withAttempt, type Attempt } from '../core/api-record';
import { SyncError } from '../core/errors';
import { existsIn, type LinkState, type Operation } from '../core/link';
import { apiOf, type EntityPolicy } from '../core/policy';
import type { Reading } from '../core/reading';
import { outcomeChange } from '../core/reading';
import { readingTicket } from '../core/reading-ticket';
import { heldBack } from './held-back';
import { ObservationRun } from './observation-run';
import { observeReadings } from './observe-readings';
import { prepareAsked } from './prepare-asked';
import { policyInForce, requirePublished } from './published-policy';
import { Places } from './readings-step';
import { retryContended } from './retry-contended';
import type { CommitRequest, HeldClaim, LinkCommit, LoadedLink, PublishedPolicy, SyncStore } from './sync-store';
import type { Rate } from './token-bucket';

/** A request that may be sent, or whose record is to be read first; what a node hands on. */
export interface Begun extends BegunRequest {
	readonly op: string;
	readonly link: string;
	readonly system: string;
	readonly entity: string;
	/** From 1. */
	readonly attempt: number;
	/** For a reading that is made from now on. */
	readonly ticket: string;
	/** Of the claim that keeps others from sending the same. */
	readonly token: number;
}

export type BeginResult =
	| { readonly kind: 'go' | 'read'; readonly begun: Begun }
	/** Nothing may be sent now; `reason` is a sentence. */
	| { readonly kind: 'not-now'; readonly reason: string; readonly error?: SyncError };

export type RequestStore = Pick<SyncStore, 'load' | 'commit' | 'claim' | 'release' | 'noteAttempts' | 'take' | 'countRecords'>;

export interface BeginJob {
	readonly policy: string;
	readonly system: string;
	readonly ops: readonly Operation[];
	/** How long nobody else may begin the same; longer than the slowest request. */
	readonly leaseMs: number;
	/** How many requests the API is sent at most; null: as many as there are. */
	readonly rate: Rate | null;
}

/** The scope of the claims by which one worker alone sends an operation. */
export const requestScope = (policy: string): string => `request ${policy}`;
/** The bucket that requests to the system's API are taken from, and that is paused when the API asks for it. */
export const requestBucket = (policy: string, system: string): string => `api ${policy} ${system}`;

const TAKEN = 'Another execution is sending it, or waits until it may be sent again';

/**
 * Begins a request for each operation, for one worker alone. What stays behind is offered again by the sweep.
 *
 * @returns by operation id
 * @throws SyncError POLICY_UNPUBLISHED, STORE_UNREACHABLE
 */
export async function beginRequests(store: RequestStore, job: BeginJob): Promise<ReadonlyMap<string, BeginResult>> {
	const { policy, ops } = job;
	const published = requirePublished(await store.load({ policy }), policy);
	const results = new Map<string, BeginResult>();
	const refuse = (op: Operation, reason: string): void => void results.set(op.id, { kind: 'not-now', reason });
	const ready = ops.filter((op) => {
		const why = whyNot(op, { published, entity: policyInForce(published).policy.entities.get(op.entity) });
		if (why !== null) refuse(op, why);
		return why === null;
	});
	const claimed = await claimAll(store, job, ready, refuse);
	const begun = await beginClaimed(store, job, claimed);
	const unused: HeldClaim[] = [];
	for (const [op, token] of claimed) {
		const result = begun.get(op.id) ?? { kind: 'not-now', reason: 'It has been settled meanwhile' };
		results.set(op.id, result);
		if (result.kind === 'not-now') unused.push({ scope: requestScope(policy), key: op.id, token });
	}
	if (unused.length > 0) await store.release(unused);
	const waiting = ops.filter(({ id }) => results.get(id)?.kind === 'not-now').map(({ link }) => link);
	if (waiting.length > 0) await store.noteAttempts(policy, [...new Set(waiting)]);
	return results;
}

function whyNot(op: Operation, { published, entity }: { published: PublishedPolicy; entity: EntityPolicy | undefined }): string | null {
	if (entity === undefined || apiOf(entity, op.system) === null) return `The policy "${published.name}" binds ${op.system} to a table: Sync Write writes to it directly`;
	const why = heldBack(op, published);
	return why === null ? null : `The policy "${published.name}" ${why}`;
}

/** In the order of the operations, those that this worker may send. */
async function claimAll(
	store: RequestStore,
	{ policy, system, leaseMs, rate }: BeginJob,
	ops: readonly Operation[],
	refuse: (op: Operation, reason: string) => void,
): Promise<readonly (readonly [Operation, number])[]> {
	if (ops.length === 0) return [];
	const scope = requestScope(policy);
	const claims = await store.claim({ scope, keys: ops.map(({ id }) => id), leaseMs });
	const free = ops.flatMap((op, at): [Operation, number][] => {
		const claim = claims[at];
		if (claim?.state === 'new') return [[op, claim.token]];
		refuse(op, TAKEN);
		return [];
	});
	if (free.length === 0) return [];
	const [taken] = await store.take([{ bucket: requestBucket(policy, system), wanted: free.length, rate }]);
	const granted = taken?.granted ?? free.length;
	const rest = free.slice(granted);
	for (const [op] of rest) refuse(op, `${system} is sent no more requests for the next ${Math.ceil((taken?.waitMs ?? 0) / 1000)} s`);
	if (rest.length > 0) await store.release(rest.map(([{ id: key }, token]) => ({ scope, key, token })));
	return free.slice(0, granted);
}

async function beginClaimed(
	store: RequestStore,
	{ policy: name }: BeginJob,
	claimed: readonly (readonly [Operation, number])[],
): Promise<ReadonlyMap<string, BeginResult>> {
	const results = new Map<string, BeginResult>();
	let open = [...claimed];
	if (open.length === 0) return results;
	return await retryContended(async (isLast) => {
		const loaded = await store.load({ policy: name, links: open.map(([{ link }]) => link) });
		const { policy } = policyInForce(requirePublished(loaded, name));
		const byId = new Map(loaded.links.map((link) => [link.state.id, link]));
		const steps = open.flatMap(([op, token]) => {
			const link = byId.get(op.link);
			const entity = policy.entities.get(op.entity);
			if (!link || !entity || link.state.inFlight[op.system]?.id !== op.id) return [];
			const attempt = beginAttempt(link.state, op, entity);
			return [{ op, token, entity, ...attempted(link, op, attempt) }];
		});
		const { links } = steps.length > 0 ? await store.commit({ policy: name, links: steps.map(({ commit }) => commit) }) : { links: [] };
		const lost = new Set(steps.filter((_, at) => links[at] === 'conflict').map(({ op }) => op.id));
		for (const step of steps) if (!lost.has(step.op.id)) results.set(step.op.id, resultOf(step));
		open = open.filter(([op]) => lost.has(op.id));
		return open.length === 0 || isLast ? results : null;
	});
}

interface Step {
	readonly op: Operation;
	readonly token: number;
	readonly entity: EntityPolicy;
	readonly state: LinkState;
	readonly attempt: Attempt;
}

function resultOf({ op, token, entity, state, attempt }: Step): BeginResult {
	const { id, link, system, entity: name } = op;
	const request = begunRequest(state, op, entity);
	const begun = { ...request, op: id, link, system, entity: name, attempt: attempt.count, ticket: readingTicket(state, system), token };
	return { kind: attempt.state === 'reading' ? 'read' : 'go', begun };
}

function attempted({ state: before, revision }: LoadedLink, { system }: Operation, attempt: Attempt): { state: LinkState; attempt: Attempt; commit: LinkCommit } {
	const state = withAttempt(before, system, attempt);
	const commit = {
		state,
		expectedRevision: revision,
		due: true,
		claims: [],
		journal: [{ kind: 'attempted' as const, system, attempt }],
		reviews: [],
		stopAt: null,
	};
	return { state, attempt, commit };
}

/** A record that was read because its operation asked for it. */
export interface CheckedReading {
	readonly begun: Pick<Begun, 'op' | 'link' | 'system' | 'attempt' | 'token'>;
	/** Null: there is no such record, and nobody knows a key of it. */
	readonly reading: Reading | null;
}

/**
 * Goes on with requests whose records have been read: what was read is observed, and where it still is what the
 * operation expects, the write may be sent.
 *
 * @returns in the order given
 */
export async function continueRequests(store: RequestStore, policy: string, checked: readonly CheckedReading[]): Promise<readonly BeginResult[]> {
	const readings = checked.flatMap(({ reading }) => reading ?? []);
	const observed = readings.length > 0 ? await observeReadings(store, policy, readings) : [];
	const doubtful = new Set(readings.filter((_, at) => observed[at]?.disposition === 'doubtful' || observed[at]?.disposition === 'stale'));
	const others = new Set(checked.filter(({ begun, reading }) => reading?.exists === true && observed[readings.indexOf(reading)]?.link !== begun.link));
	const results = await Promise.all(
		checked.map(async (one): Promise<BeginResult> => {
			if (one.reading && doubtful.has(one.reading)) return { kind: 'not-now', reason: 'The answer shows an older state than what is known: the record is read again later' };
			return await goOn(store, policy, { ...one, isTaken: others.has(one) });
		}),
	);
	const unused = checked.flatMap(({ begun: { op: key, token } }, at) => (results[at]?.kind === 'not-now' ? [{ scope: requestScope(policy), key, token }] : []));
	if (unused.length > 0) await store.release(unused);
	return results;
}

type OneChecked = CheckedReading & { readonly isTaken: boolean };

async function goOn(store: RequestStore, name: string, checked: OneChecked): Promise<BeginResult> {
	return await retryContended(async (isLast): Promise<BeginResult | null> => {
		const loaded = await store.load({ policy: name, links: [checked.begun.link] });
		const published = requirePublished(loaded, name);
		const ready = readyToGo(loaded.links[0], checked, published);
		if ('kind' in ready) return ready;
		const { commit, result } = ready.ending === null ? going(ready, checked.begun, name) : await ended(store, published, { ...ready, ending: ready.ending });
		if (commit === null) return result;
		const { links } = await store.commit(commit);
		if (!links.includes('conflict')) return result;
		return isLast ? { kind: 'not-now', reason: TAKEN } : null;
	});
}

interface Ready {
	readonly link: LoadedLink;
	readonly op: Operation;
	readonly entity: EntityPolicy;
	readonly attempt: Attempt;
	/**
	 * How the operation ends instead of being sent. `exists`: the new record's place is taken, by one that is not the same
	 * for all that is known. `stale`: its record has given way to another one, so nobody else would ever settle it.
	 */
	readonly ending: 'exists' | 'stale' | null;
}

type NotNow = Extract<BeginResult, { kind: 'not-now' }>;

function readyToGo(link: LoadedLink | undefined, checked: OneChecked, published: PublishedPolicy): Ready | NotNow {
	const { begun } = checked;
	const op = link?.state.inFlight[begun.system];
	const entity = link && policyInForce(published).policy.entities.get(link.state.entity);
	if (!link || !entity || op?.id !== begun.op) return { kind: 'not-now', reason: 'It has been settled by what was read' };
	const why = heldBack(op, published);
	if (why !== null) return { kind: 'not-now', reason: `The policy "${published.name}" ${why}` };
	const attempt = attemptOf(link.state, begun.system);
	if (attempt?.count !== begun.attempt || attempt.state === 'running') return { kind: 'not-now', reason: TAKEN };
	return afterCheck({ link, op, entity, attempt }, checked);
}

function afterCheck(open: Omit<Ready, 'ending'>, { reading, isTaken }: OneChecked): Ready | NotNow {
	const { link, op, entity, attempt } = open;
	const isInsert = op.kind === 'insert';
	if (isInsert && reading === null && isUnlisted(attempt)) return { kind: 'not-now', reason: 'The record has been made, and is not found yet' };
	// Users' record was linked meanwhile, and is not found: it is no place for a new one before somebody has heard of its end.
	const isLinked = reading === null && existsIn(link.state, op.system);
	if (isInsert && (isTaken || isLinked || isHidden(attempt, reading))) return { ...open, ending: 'exists' };
	if (isForAnother(link.state, op)) return { ...open, ending: 'stale' };
	// Whoever has set it back since has done so after our write, which is settled by the next reading.
	if (!isInsert && attempt.last === 'written') return { kind: 'not-now', reason: 'It has been written, and is read again before anything else is' };
	if (!stillExpected(link.state, op, entity)) return { kind: 'not-now', reason: 'The record is not what the operation expects' };
	return { ...open, ending: null };
}

/** The API says that there is such a record, and does not show it. */
const isHidden = ({ last }: Attempt, reading: Reading | null): boolean => last === 'stale' && reading === null;

/** So often a new record is looked for that the API has taken: its search may lag behind. */
const MAX_SEARCHES = 6;

const isUnlisted = ({ last, count }: Attempt): boolean => last === 'written' && count < MAX_SEARCHES;

interface Prepared {
	/** Null: nothing is to be committed. */
	readonly commit: CommitRequest | null;
	readonly result: BeginResult;
}

type Ending = Ready & { readonly ending: NonNullable<Ready['ending']> };

async function ended(store: RequestStore, published: PublishedPolicy, { link, op, ending }: Ending): Promise<Prepared> {
	const { system } = op;
	const reason = ending === 'exists' ? `${system} has a record that takes its place` : `The record is gone, and ${system} has another one in its place`;
	const { commit } = await prepareAsked(store, { policy: published.name, links: [link], sought: {} }, (known) => {
		const run = new ObservationRun({ ...known, published, policy: policyInForce(published) });
		run.observe([outcomeChange(op, { outcome: ending }, new Places(known.links).next(system))], null);
		return run.finish();
	});
	return { commit, result: { kind: 'not-now', reason } };
}

function going({ link, op, entity, attempt }: Ready, { token }: CheckedReading['begun'], policy: string): Prepared {
	const { system } = op;
	if (op.kind !== 'insert' && isConditional(entity, op) && !hasCondition(link.state, op, entity)) return { commit: null, result: noCondition(system) };
	const step = attempted(link, op, afterReading(attempt, link.state, system));
	return { commit: { policy, links: [step.commit] }, result: resultOf({ ...step, op, entity, token }) };
}

function noCondition(system: string): BeginResult {
	const error = new SyncError('API_WITHOUT_CONDITION', `What was read of ${system} has no ETag (with condition: version, no version), or lacks properties that the policy maps: nothing can be written on a condition`);
	return { kind: 'not-now', reason: error.message, error };
}
