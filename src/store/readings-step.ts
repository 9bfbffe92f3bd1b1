import { equalJson } from '../core/canonical-json';
import { apiRecordOf, attemptOf, isLater, mayHaveBeenWritten } from '../core/api-record';
import { showsOperation, stillExpected } from '../core/api-operation';
import { judgeReading, showsWhatIsKnown, type ReadingVerdict } from '../core/judge-reading';
import { toldLate } from '../core/late-reading';
import { existsIn, type LinkState, type Operation } from '../core/link';
import { apiOf, type EntityPolicy } from '../core/policy';
import { indexOfOurs, type RecordHistory } from '../core/our-state';
import { lsnOfPosition, positionOf, type Position } from '../core/position';
import { asOurs, changeOfReading, outcomeChange, type Reading } from '../core/reading';
import { judgeTicket } from '../core/reading-ticket';
import type { RecordChange } from '../core/record-change';
import { compareVersions } from '../core/record-version';
import { ObservationRun, type PreparedObservation, type RunInput } from './observation-run';
import type { LoadedLink } from './sync-store';

export interface ReadingsInput extends RunInput {
	readonly readings: readonly Reading[];
	/** Of those that report too many deletes: the item that a person approves first. */
	readonly awaits: ReadonlyMap<Reading, Required<RecordChange>['awaits']>;
}

/** What became of one reading. */
export interface JudgedReading {
	readonly verdict: ReadingVerdict;
	/** Under which position it was, or would be, observed. */
	readonly position: Position;
	/** The link that knows the record, after the reading; null: none does. */
	readonly link: string | null;
}

export interface PreparedReadings extends PreparedObservation {
	/** In the order given. */
	readonly judged: readonly JudgedReading[];
}

/**
 * R1 for systems without a change stream: each reading is judged against what its link knows, and what is
 * news is observed. Their order is the order in which they are observed: positions are counted up per link.
 * Pure: the caller loads before and commits after, and does both again when another worker was faster.
 */
export function prepareReadings(input: ReadingsInput): PreparedReadings {
	const run = new ObservationRun(input);
	const places = new Places(input.links);
	const judged = input.readings.map((reading) => new ReadingStep({ run, places, input }, reading).take());
	return { ...run.finish(), judged };
}

/** The changes that the readings would be, to find out what has to be loaded. */
export function plainChanges(readings: readonly Reading[], links: readonly LoadedLink[]): RecordChange[] {
	const places = new Places(links);
	return readings.map((reading) => changeOfReading(reading, places.next(reading.system)));
}

/** Positions after all that any of the links has seen. */
export class Places {
	readonly #last = new Map<string, bigint>();

	constructor(links: readonly LoadedLink[]) {
		for (const { state } of links) {
			for (const [system, seen] of Object.entries(state.seen)) {
				const lsn = lsnOfPosition(seen);
				if (lsn > (this.#last.get(system) ?? 0n)) this.#last.set(system, lsn);
			}
		}
	}

	next(system: string): Position {
		const lsn = (this.#last.get(system) ?? 0n) + 1n;
		this.#last.set(system, lsn);
		return positionOf(lsn, 0);
	}
}

interface StepContext {
	readonly run: ObservationRun;
	readonly places: Places;
	readonly input: ReadingsInput;
}

/** So often a record is read again that a write was taken for and that does not show it. */
const MAX_REREADS = 4;

/** One reading on its way into its link. */
class ReadingStep {
	#change: RecordChange;
	readonly #entity: EntityPolicy | undefined;
	readonly #isConditional: boolean;

	constructor(
		readonly context: StepContext,
		readonly reading: Reading,
	) {
		this.#change = changeOfReading(reading, context.places.next(reading.system));
		this.#entity = context.input.policy.policy.entities.get(reading.entity);
		this.#isConditional = this.#entity !== undefined && apiOf(this.#entity, reading.system) === 'conditional';
	}

	take(): JudgedReading {
		const entity = this.#entity;
		if (!entity) return this.#judged('known');
		const before = this.#link();
		const { ticket, system } = this.reading;
		const verdict = judgeReading(this.#known() ?? before, { change: this.#change, ticket }, entity);
		if (verdict === 'stale' && before) this.#noteLate(before, entity);
		if (verdict === 'stale' || verdict === 'doubtful') return this.#judged(verdict);
		const op = before?.inFlight[system];
		if (before && op) return this.#judged(this.#takeUnderWay(before, op, { entity, verdict }));
		if (verdict === 'news' || before === null || this.#hasFacts(before)) this.#observe(before, undefined, entity);
		return this.#judged(verdict);
	}

	/** It changes nothing, and may be all that is ever heard of a value that our write has replaced. */
	#noteLate(state: LinkState, entity: EntityPolicy): void {
		for (const entry of toldLate(state, this.#change, entity)) this.context.run.note(state.id, entry, state);
	}

	/** While an operation is in flight to the record. */
	#takeUnderWay(before: LinkState, op: Operation, { entity, verdict }: { entity: EntityPolicy; verdict: ReadingVerdict }): ReadingVerdict {
		if (this.#isUnshown(before, op, entity)) return 'doubtful';
		const isOurs = this.#isOurs(before, op, entity);
		if (isOurs && this.#lacksHistory(op, entity)) return 'doubtful';
		const recounted = isOurs ? [] : this.#perhapsSetBack(before, op, entity);
		if (recounted.length > 0) this.#change = { ...this.#change, recounted };
		const isSilent = verdict === 'known' && !isOurs && !this.#hasFacts(before);
		if (!isSilent) this.#observe(before, isOurs ? op : undefined, entity);
		if (!isOurs) this.#endIfOutdated(op, { entity, isSilent });
		return verdict;
	}

	/** A webhook that shows our write does not tell what the write has replaced; the answer to a reading may. */
	#lacksHistory({ kind, system }: Operation, entity: EntityPolicy): boolean {
		const { ticket, earlier } = this.reading;
		return kind === 'update' && apiOf(entity, system) === 'verified' && ticket === null && earlier.length === 0;
	}

	/**
	 * The fields of a write of which nobody has heard, when the record has changed since and shows what it did before:
	 * the write was carried out, and somebody has set back what it wrote; or it was not, and something else has changed.
	 * Nobody can tell, so it must not be made again over what may be an edit. A history tells.
	 */
	#perhapsSetBack(before: LinkState, op: Operation, entity: EntityPolicy): string[] {
		const { system, ticket, facts, earlier } = this.reading;
		const { unheardAt } = attemptOf(before, system) ?? {};
		const isOver = ticket !== null && judgeTicket(ticket, before, system).ended;
		if (op.kind !== 'update' || unheardAt === undefined || !isOver || earlier.length > 0 || !isLater(facts, unheardAt)) return [];
		if (!stillExpected(before, op, entity)) return [];
		return Object.keys(op.fields).filter((name) => op.fields[name]?.next !== undefined);
	}

	/**
	 * What is known under the record's key, be it that the record is gone: what is told of it late must not be taken
	 * for another record, which another link would take in.
	 */
	#known(): LinkState | null {
		const { system, entity, key } = this.reading;
		return this.context.run.links.whoHad(system, entity, key)?.state ?? null;
	}

	/** The link that knows the record, or an operation that the record names. */
	#link(): LinkState | null {
		const { links } = this.context.run;
		const { mark, system, entity, key } = this.reading;
		const marked = mark === null ? undefined : links.byId(linkOfOperation(mark));
		if (marked && marked.state.inFlight[system]?.id === mark) return marked.state;
		const found = links.seek(this.#change) ?? links.whoHad(system, entity, key);
		return found?.state ?? null;
	}

	/** What stood there in between comes first. */
	#observe(before: LinkState | null, op: Operation | undefined, entity: EntityPolicy): void {
		const { run, places } = this.context;
		const { system } = this.reading;
		const { states: between, before: was } = before ? this.#between(before, entity) : { states: [], before: null };
		const history = { states: [...between, this.#change], before: was };
		const made = before && op ? indexOfOurs(before, op, { history, entity, isConditional: this.#isConditional }) : -1;
		for (const [at, state] of between.entries()) {
			const position = places.next(system);
			const { reading: _none, ...change } = { ...state, position, firstPosition: position };
			const now = this.#link();
			if (now === null) continue;
			if (op && at === made) run.observe([asOurs(change, op, this.#isConditional)], null);
			else if (!showsWhatIsKnown(now, change, entity)) run.observe([change], null);
		}
		const ours = made >= 0 && made < between.length ? undefined : op;
		const position = between.length > 0 ? places.next(system) : this.#change.position;
		this.#change = { ...this.#change, position, firstPosition: position };
		const awaits = this.context.input.awaits.get(this.reading);
		const foreign = awaits ? { ...this.#change, awaits } : this.#change;
		run.observe([ours ? asOurs(this.#change, ours, this.#isConditional) : foreign], null);
	}

	/** What the record was since it was read last, oldest first. A history may reach back further: to what was known, and before. */
	#between(before: LinkState, entity: EntityPolicy): RecordHistory {
		const { system, earlier } = this.reading;
		if (!existsIn(before, system) && before.inFlight[system]?.kind !== 'insert') return { states: [], before: null };
		const states = earlier.map((row): RecordChange => ({ ...this.#change, exists: true, columns: row, reading: { whole: false } }));
		const known = states.map((state) => showsWhatIsKnown(before, state, entity)).lastIndexOf(true);
		return { states: states.slice(known + 1), before: earlier[known] ?? null };
	}

	/**
	 * A record that names the operation is the operation's, whatever has become of the values. Equal values are ours only if a
	 * request may have been carried out of which nobody has heard: else a user has come to the same, who counts. And not
	 * once the record is known to have changed since the decision: a condition cannot have held any more.
	 */
	#isOurs(before: LinkState, op: Operation, entity: EntityPolicy): boolean {
		// Users' record was linked first: what carries our mark is another one, of which a person is asked.
		if (op.kind === 'insert' ? existsIn(before, op.system) : !equalJson({ ...op.key }, { ...this.reading.key })) return false;
		if (this.reading.mark === op.id) return true;
		const isPossible = mayHaveBeenWritten(before, op.system) && (!this.#isConditional || stillExpected(before, op, entity));
		if (isPossible && [...this.#between(before, entity).states, this.#change].some((change) => showsOperation(before, op, { change, entity }))) return true;
		return this.#ending(before) === 'written' && this.#change.exists === true;
	}

	/** How the request ended after which this reading was asked for; null: it may be from before, or there was none. */
	#ending(state: LinkState): string | null {
		const { ticket, system } = this.reading;
		const ended = ticket !== null && judgeTicket(ticket, state, system).ended;
		return ended ? (attemptOf(state, system)?.last ?? null) : null;
	}

	/** The API has taken the write, and what it shows is what was there before: mostly it answers from a replica that lags behind. */
	#isUnshown(before: LinkState, op: Operation, entity: EntityPolicy): boolean {
		const { system } = this.reading;
		const { count = 0 } = attemptOf(before, system) ?? {};
		const isOld = this.#ending(before) === 'written' && stillExpected(before, op, entity) && showsWhatIsKnown(before, this.#change, entity);
		return isOld && op.kind !== 'insert' && count < MAX_REREADS && this.reading.mark !== op.id;
	}

	/**
	 * An operation that expects what is not there any more can only be stale. Nobody may settle it while its
	 * request may still be under way: only if none was begun, or the reading was asked for when the last one was over.
	 */
	#endIfOutdated(op: Operation, { entity, isSilent }: { entity: EntityPolicy; isSilent: boolean }): void {
		const { run, places } = this.context;
		const state = run.links.byId(op.link)?.state;
		if (state?.inFlight[op.system]?.id !== op.id) return;
		const { system, ticket } = this.reading;
		const attempt = attemptOf(state, system);
		const isOver = attempt === null || (ticket !== null && this.#wasOver(state, ticket));
		// A condition that fails although nothing has changed: asked once more, and then a person is.
		const isRefusedAnyway = isSilent && attempt?.last === 'stale';
		const isOutdated = this.#change.recounted !== undefined || !stillExpected(state, op, entity);
		if (!isOver || !(isOutdated || isRefusedAnyway)) return;
		run.observe([outcomeChange(op, { outcome: op.kind === 'insert' ? 'exists' : 'stale' }, places.next(system))], null);
	}

	/** Observing the reading has moved the link on: the ticket is held against what was loaded. */
	#wasOver(state: LinkState, ticket: string): boolean {
		const loaded = this.context.run.links.byId(state.id)?.loaded?.state ?? state;
		return judgeTicket(ticket, loaded, this.reading.system).ended;
	}

	#hasFacts(before: LinkState): boolean {
		const known = apiRecordOf(before, this.reading.system);
		const { version, etag, whole } = this.reading.facts;
		const isNewVersion = version !== undefined && version !== known.version;
		if (version !== undefined && known.version !== undefined && compareVersions(version, known.version) === 'older') return false;
		return isNewVersion || (whole && (etag !== known.etag || known.inParts !== undefined || known.unplaced !== undefined));
	}

	#judged(verdict: ReadingVerdict): JudgedReading {
		return { verdict, position: this.#change.position, link: this.#link()?.id ?? null };
	}
}

/** `<link>:<system>:<number>`. */
function linkOfOperation(id: string): string {
	return id.slice(0, id.indexOf(':'));
}
