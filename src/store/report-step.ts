import { endedAttempt, isConditional } from '../core/api-attempt';
import { isForAnother, requestOf } from '../core/api-operation';
import { apiRecordOf, attemptOf, withAttempt, type Ending, type ReadingFacts } from '../core/api-record';
import { equalJson, type Json } from '../core/canonical-json';
import type { HttpOutcome } from '../core/http-outcome';
import { existsIn, type Key, type LinkState, type Operation } from '../core/link';
import type { Row } from '../core/mapping';
import { apiOf, columnOf, type EntityPolicy } from '../core/policy';
import { asOurs, changeOfReading, outcomeChange, type Reading } from '../core/reading';
import type { RecordChange } from '../core/record-change';
import { ObservationRun, type PreparedObservation, type RunInput } from './observation-run';
import { Places } from './readings-step';
import type { LoadedLink } from './sync-store';

/** What an API answered to a request that was begun. */
export interface Report {
	readonly op: string;
	readonly link: string;
	readonly system: string;
	/** The number of the request, as it was begun. */
	readonly attempt: number;
	readonly outcome: HttpOutcome;
	/** The record as the answer shows it, as far as it does; null: it does not. */
	readonly row: Row | null;
	/** The record's key by the answer; needed of a new record. */
	readonly key: Key | null;
	readonly facts: ReadingFacts;
	/** A record that is not found is deleted, and has not merely moved out of sight. */
	readonly isMissingDeleted: boolean;
}

/**
 * - `settled`: the operation has come to its end, one way or the other (`as`), or had before.
 * - `read`: the record must be read before anybody can say.
 * - `waits`: it is to be tried again later.
 */
export type Reported =
	| { readonly kind: 'settled'; readonly as: 'applied' | 'stale' | 'refused' | 'before' }
	| { readonly kind: 'read' }
	| { readonly kind: 'waits' };

export interface PreparedReports extends PreparedObservation {
	/** In the order given. */
	readonly reported: readonly Reported[];
}

export interface ReportsInput extends RunInput {
	readonly reports: readonly Report[];
	/** Of those that report too many deletes: the item that a person approves first. */
	readonly awaits: ReadonlyMap<Report, Required<RecordChange>['awaits']>;
}

/** The deletes that the reports tell of, as readings of the records that were not found. */
export function missingRecords(reports: readonly Report[], links: readonly LoadedLink[]): ReadonlyMap<Reading, Report> {
	const states = new Map(links.map(({ state }) => [state.id, state]));
	const missing = reports.flatMap((report): [Reading, Report][] => {
		const { system, outcome, isMissingDeleted, facts } = report;
		const op = states.get(report.link)?.inFlight[system];
		if (outcome.kind !== 'gone' || !isMissingDeleted || op?.id !== report.op || op.key === null) return [];
		return [[{ system, entity: op.entity, key: op.key, exists: false, row: {}, facts, ticket: null, mark: null, atMs: null, earlier: [] }, report]];
	});
	return new Map(missing);
}

/** Makes of each answer what it means for its operation and record. Pure, as `prepareReadings`. */
export function prepareReports(input: ReportsInput): PreparedReports {
	const run = new ObservationRun(input);
	const places = new Places(input.links);
	const reported = input.reports.map((report) => reportOne({ run, places, input }, report));
	return { ...run.finish(), reported };
}

interface ReportContext {
	readonly run: ObservationRun;
	readonly places: Places;
	readonly input: ReportsInput;
}

interface OpenReport {
	readonly report: Report;
	readonly state: LinkState;
	readonly op: Operation;
	readonly entity: EntityPolicy;
}

function reportOne(context: ReportContext, report: Report): Reported {
	const state = context.run.links.byId(report.link)?.state;
	const op = state?.inFlight[report.system];
	const entity = state && context.input.policy.policy.entities.get(state.entity);
	if (!state || op?.id !== report.op || !entity) return { kind: 'settled', as: 'before' };
	return reportOpen(context, { report, state, op, entity });
}

function reportOpen(context: ReportContext, open: OpenReport): Reported {
	const { outcome, isMissingDeleted } = open.report;
	switch (outcome.kind) {
		case 'applied':
			return isForAnother(open.state, open.op) ? reportElsewhere(context, open.op) : reportApplied(context, open);
		case 'refused':
			return reportRefused(context, open, outcome.said);
		case 'gone':
			return isMissingDeleted ? reportDeleted(context, open) : endWith(context, open, 'stale');
		case 'stale':
		case 'exists':
			return endWith(context, open, 'stale');
		case 'forbidden':
			return endWith(context, open, 'unsent');
		case 'later':
			return endWith(context, open, outcome.isSure ? 'unsent' : 'unsure');
	}
}

function reportRefused({ run, places }: ReportContext, { op }: OpenReport, said: string): Reported {
	run.observe([outcomeChange(op, { outcome: 'refused', error: `it ${said}` }, places.next(op.system))], null);
	return { kind: 'settled', as: 'refused' };
}

/** Notes how the request ended. One that is not the last says nothing: another has been begun since, and will be heard of. */
function endWith({ run }: ReportContext, { report, state, op }: OpenReport, last: Ending): Reported {
	const attempt = attemptOf(state, op.system);
	if (attempt?.count === report.attempt) {
		// What an earlier request may have done is not undone by turning this one away.
		const ended = endedAttempt(attempt, last === 'unsent' && attempt.last === 'unsure' ? 'unsure' : last);
		run.note(state.id, { kind: 'attempted', system: op.system, attempt: ended }, withAttempt(state, op.system, ended));
	}
	return { kind: last === 'stale' || last === 'written' ? 'read' : 'waits' };
}

function reportDeleted({ run, places, input }: ReportContext, { op, report }: OpenReport): Reported {
	const { system, entity, key } = op;
	if (key) {
		const awaits = input.awaits.get(report);
		const change = changeOfReading({ system, entity, key, exists: false, row: {}, facts: report.facts, atMs: null }, places.next(system));
		run.observe([awaits ? { ...change, awaits } : change], null);
	}
	if (run.links.byId(op.link)?.state.inFlight[system]?.id === op.id) {
		run.observe([outcomeChange(op, { outcome: 'stale' }, places.next(system))], null);
	}
	return { kind: 'settled', as: 'stale' };
}

/**
 * Where the write was compared and set, its values stand as they were written, and whatever else has been
 * read since it was begun came after it, knowing it. Elsewhere nobody knows that before the record was read again.
 */
function reportApplied(context: ReportContext, open: OpenReport): Reported {
	const { report, state, op, entity } = open;
	const { system } = op;
	const attempt = attemptOf(state, system);
	const isAlone = attempt?.count === report.attempt && (state.seen[system] ?? null) === attempt.seen;
	const key = op.key ?? report.key;
	if (key === null || !isCertain(open, isAlone)) return endWith(context, open, 'written');
	if (existsIn(state, system) && !equalJson({ ...state.keys[system] }, { ...key })) return reportTwin(context, open, key);
	const { run, places } = context;
	run.observe([asOurs(writtenChange(open, { key, isAlone, places }), op, isConditional(entity, op))], null);
	const later = isAlone || !isConditional(entity, op) ? null : laterChange(open, { key, places });
	if (later) run.observe([later], null);
	return { kind: 'settled', as: 'applied' };
}

/** Whether the answer says what there is to say. What a write has replaced it does not show; a history does. */
function isCertain({ report, op, entity }: OpenReport, isAlone: boolean): boolean {
	const isShown = report.row !== null && isAlone && apiOf(entity, op.system) !== 'verified';
	return isConditional(entity, op) || op.kind !== 'update' || isShown;
}

/** The record that was written is gone, and was made anew before the answer came: the write says nothing of the one that is there. */
function reportElsewhere({ run, places }: ReportContext, op: Operation): Reported {
	run.observe([outcomeChange(op, { outcome: 'stale' }, places.next(op.system))], null);
	return { kind: 'settled', as: 'stale' };
}

/**
 * Users have made the same record while we did, and it was linked first. Ours is another one, about which a person
 * is asked: an API cannot be told to delete it only if it still is as we made it.
 */
function reportTwin({ run, places }: ReportContext, { report, op, entity }: OpenReport, key: Key): Reported {
	const { system } = op;
	run.observe([outcomeChange(op, { outcome: 'exists' }, places.next(system))], null);
	const row = { ...requestOf(op, entity).flat, ...report.row };
	run.observe([changeOfReading({ system, entity: op.entity, key, exists: true, row, facts: { ...report.facts, whole: true }, atMs: null }, places.next(system))], null);
	return { kind: 'settled', as: 'stale' };
}

/** The record right after our write: as the answer shows it, else as it was written. */
function writtenChange(
	{ report, state, op, entity }: OpenReport,
	{ key, isAlone, places }: { key: Key; isAlone: boolean; places: Places },
): RecordChange {
	const { kind, flat } = requestOf(op, entity);
	const { system } = op;
	const shown = report.row ?? {};
	// What else the answer shows may have been changed since, and read before.
	const ofOurs = Object.fromEntries(Object.entries(shown).filter(([name]) => Object.hasOwn(flat, name)));
	const leftOut = kind === 'insert' ? unwritten(entity, system, { ...key, ...flat, ...shown }) : {};
	const row = { ...leftOut, ...(kind === 'insert' ? key : {}), ...flat, ...(isAlone ? shown : ofOurs) };
	// On a condition nothing but our write has come to what was known, however little of it the answer shows.
	const isKnown = (report.row === null || isConditional(entity, op)) && Object.keys(leftOut).length === 0;
	const whole = report.facts.whole || (isKnown && apiRecordOf(state, system).inParts === undefined);
	const facts = { ...report.facts, whole };
	const change = changeOfReading({ system, entity: op.entity, key, exists: kind !== 'delete', row, facts, atMs: null }, places.next(system));
	if (isAlone) return change;
	const { reading: _older, ...rest } = change;
	return rest;
}

/**
 * What a new record holds that we left out, and no answer shows: nothing, until somebody reads it. Known to be there all
 * the same, or what others have for it would never be written, and a delete would not ask who had seen that.
 */
function unwritten(entity: EntityPolicy, system: string, known: Row): Row {
	const mapped = [...entity.fields.values()].flatMap(({ columns }) => columns.get(system)?.column ?? []);
	return Object.fromEntries(mapped.filter((column) => !Object.hasOwn(known, column)).map((column) => [column, null]));
}

/** What was read between the write and its answer, as the change that it is: by somebody who had our write before them. */
function laterChange({ state, op, entity }: OpenReport, { key, places }: { key: Key; places: Places }): RecordChange | null {
	const { system } = op;
	if (op.kind === 'delete') return null;
	// That its predecessor is gone says nothing of a new record.
	if (op.kind === 'insert' && !equalJson({ ...state.keys[system] }, { ...key })) return null;
	const isThere = existsIn(state, system);
	const changed = Object.entries(op.fields).flatMap(([name, { expected }]): [string, Json][] => {
		const column = columnOf(entity, name, system);
		const view = state.fields[name]?.views[system];
		const isSame = view === undefined || (expected !== undefined && equalJson(view.raw, expected));
		return column === undefined || isSame ? [] : [[column, view.raw]];
	});
	if (isThere && changed.length === 0) return null;
	const facts = { whole: false };
	const change = changeOfReading({ system, entity: op.entity, key, exists: isThere, row: Object.fromEntries(changed), facts, atMs: null }, places.next(system));
	const { reading: _none, ...rest } = change;
	return rest;
}
