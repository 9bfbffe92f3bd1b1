import type { JournalEntry } from '../../src/core/journal';
import type { Operation } from '../../src/core/link';
import { STREAM_START } from '../../src/core/position';
import { acknowledge } from '../support/simulated-database';
import { knowledgeLost } from '../support/known-versions';
import { namedBy, recordOf } from '../support/named-values';
import { placeOf } from '../support/silent-overwrite';
import { decideOnce, observeOnce, type CommittedLink } from '../support/simulated-nodes';
import { decide } from '../../src/core/decide';
import { SIMULATED_POLICY } from '../support/simulated-policy';
import { applyOperations } from '../support/simulated-writer';
import type { Transition } from './actions';
import { judgeOverwrites, noteNames, violate } from './facts';
import type { Model } from './model';
import { raised } from './setup';
import type { Facts, Run, World } from './world';

/** A step of an execution, and what is left of the execution after it. */
export interface RunStep extends Transition {
	readonly run: Run;
}

/** What a run may do next; its run is not put into the world, for a zombie has no place there. */
export function stepOf(model: Model, world: World, run: Run): RunStep[] {
	switch (run.step) {
		case 'observe':
			return observeStep(model, world, run);
		case 'merge':
			return [mergeStep(model, world, run)];
		case 'write':
			return writeStep(model, world, run);
		case 'acknowledge':
			return [];
	}
}

/** The trigger reads the position and acknowledges up to it, no further. */
export function finishRun(model: Model, world: World, run: Run): Transition {
	const { system } = run;
	const stream = world.store.policies.get(SIMULATED_POLICY)?.streams.get(system);
	const observed = stream?.position ?? STREAM_START;
	const { acknowledgeBySuccess } = model.setup.defects;
	const upTo = acknowledgeBySuccess && run.emitted !== null ? run.emitted : observed;
	return {
		text: `${system} trigger acknowledges`,
		fault: false,
		to: { ...world, [system]: acknowledge(world[system], upTo), runs: { ...world.runs, [system]: null } },
	};
}

function observeStep(model: Model, world: World, run: Run): RunStep[] {
	const { interner } = model.worlds;
	const at = `${interner.id(world.store)} ${interner.id(run)}`;
	const whole = model.once(`observe ${at}`, () => observed(model, world, run, () => false));
	const found = [{ ...afterObservation(world, run, whole), fault: false }];
	const { faults, kinds } = model.setup;
	if (!kinds.includes('contention') || world.facts.faults >= faults) return found;
	for (let loser = 0; loser < whole.commits; loser += 1) {
		const partly = model.once(`observe ${at} without ${loser}`, () =>
			observed(model, world, run, (_, index) => index === loser),
		);
		const step = afterObservation(world, run, partly);
		const facts = { ...step.to.facts, faults: step.to.facts.faults + 1 };
		const text = `${step.text}; another worker was faster with one link, so Echo Filter starts over`;
		found.push({ text, fault: true, to: { ...step.to, facts }, run });
	}
	return found;
}

interface Observed {
	readonly store: World['store'];
	readonly next: Run;
	readonly text: string;
	readonly names: readonly string[];
	readonly told: readonly string[];
	readonly violation: string | null;
	readonly commits: number;
}

function observed(model: Model, world: World, run: Run, loses: (link: string, index: number) => boolean): Observed {
	const { store, result } = model.onStore(world.store, (memory) =>
		observeOnce(memory, { policy: SIMULATED_POLICY, system: run.system, events: run.events }, loses),
	);
	const onward = model.setup.defects.echoUnwired
		? [...result.foreign]
		: [...result.due].filter(([, due]) => due).map(([id]) => id);
	const links = [...new Set([...onward, ...run.wakes])].sort();
	const next: Run = { ...run, step: links.length > 0 ? 'merge' : 'acknowledge', links, events: run.events };
	const refused = result.refused ? ', the rest is refused: a change before it is missing' : '';
	return {
		store,
		next: model.worlds.interner.same(next),
		text: `Echo Filter ${describe(result.committed)}${refused}`,
		names: result.committed.flatMap(namedBy),
		told: result.committed.flatMap(toldNetZero),
		violation: lostKnowledge(result.committed),
		commits: result.committed.length + result.lost.length,
	};
}

function afterObservation(world: World, run: Run, seen: Observed): Omit<RunStep, 'fault'> {
	let facts = noteNames(world.facts, seen.names);
	if (seen.told.length > 0) facts = { ...facts, netZero: facts.netZero.filter((place) => !seen.told.includes(place)) };
	if (seen.violation !== null) facts = violate(facts, seen.violation);
	const woken = run.events.length === 0 ? 'Echo Filter lets the woken link pass' : seen.text;
	return { text: woken, to: { ...world, store: seen.store, facts }, run: seen.next };
}

function mergeStep(model: Model, world: World, run: Run): RunStep {
	const { interner } = model.worlds;
	const { defects } = model.setup;
	const decided = model.once(`merge ${interner.id(world.store)} ${interner.id(run)}`, () => {
		const distort = defects.raisesWhileInFlight ? raised : undefined;
		const { store, result } = model.onStore(world.store, (memory) =>
			decideOnce(memory, { policy: SIMULATED_POLICY, links: run.links }, distort),
		);
		const ops = defects.silentMerge ? result.newOps : result.ops;
		const next: Run = { ...run, step: ops.length > 0 ? 'write' : 'acknowledge', links: [], ops };
		return {
			store,
			next: interner.same(next),
			text: `Merge ${describe(result.committed)}; hands on ${ops.map(describeOp).join(', ') || 'nothing'}`,
			names: result.committed.flatMap(namedBy),
			violation: lostKnowledge(result.committed) ?? undecided(model, result.committed),
		};
	});
	let facts = noteNames(world.facts, decided.names);
	if (decided.violation !== null) facts = violate(facts, decided.violation);
	return { text: decided.text, fault: false, to: { ...world, store: decided.store, facts }, run: decided.next };
}

/** One transaction per system, the systems in their order. */
function writeStep(model: Model, world: World, run: Run): RunStep[] {
	const target = run.ops.some(({ system }) => system === 'crm') ? 'crm' : 'billing';
	const ops = run.ops.filter(({ system }) => system === target);
	const left = run.ops.filter(({ system }) => system !== target);
	const next: Run = { ...run, ops: left, step: left.length > 0 ? 'write' : 'acknowledge' };
	const rules = model.setup.rules[target];
	if (!rules) throw new Error(`no rules for ${target}`);
	const { interner } = model.worlds;
	const opsId = interner.id(interner.same(ops));
	const key = `write ${interner.id(world[target])} ${interner.id(world.facts)} ${opsId}`;
	const { db, text, facts } = model.once(key, () => {
		let id = 2000 + Object.keys(world.facts.truth).length;
		const written = applyOperations(world[target], ops, {
			rules,
			macKey: model.macKey,
			truth: world.facts.truth,
			nextId: () => (id += 1),
		});
		const outcomes = written.outcomes.map(({ op, outcome, recorded }) => `${shortOp(op)} ${outcome}${recorded ? ' (recorded)' : ''}`);
		const judged = model.setup.checksCausality ? judgeOverwrites(world.facts, written.overwrites) : world.facts;
		return { db: written.db, facts: judged, text: `Sync Write ${target}: ${outcomes.join(', ')}` };
	});
	const done = { text, fault: false, to: { ...world, [target]: db, facts }, run: next };
	const { faults, kinds } = model.setup;
	if (!kinds.includes('target-down') || world.facts.faults >= faults) return [done];
	const failed = { ...world.facts, faults: world.facts.faults + 1 };
	return [done, { text: `Sync Write cannot reach ${target}`, fault: true, to: { ...world, facts: failed }, run: next }];
}

function lostKnowledge(committed: readonly CommittedLink[]): string | null {
	return committed.map(({ before, after }) => knowledgeLost(before, after)).find((lost) => lost !== null) ?? null;
}

/** Deciding twice is deciding once: a link that was decided about is left alone until it is due again. */
function undecided({ setup }: Model, committed: readonly CommittedLink[]): string | null {
	if (setup.defects.raisesWhileInFlight) return null;
	const open = committed.find(({ after }) => decide(after, setup.policy, 'live').changed);
	return open ? 'deciding a second time gives another decision' : null;
}

/** Where the journal says that a value had been changed and set back before our write. */
function toldNetZero({ after, journal }: CommittedLink): string[] {
	return journal.flatMap((entry) =>
		entry.kind === 'net-zero' && entry.field !== undefined
			? [placeOf({ record: recordOf(after), field: entry.field })]
			: [],
	);
}

function describe(committed: readonly CommittedLink[]): string {
	const parts = committed.flatMap(({ journal }) => journal.flatMap(describeEntry));
	return parts.join(', ') || 'changes nothing';
}

function describeEntry(entry: JournalEntry): string[] {
	switch (entry.kind) {
		case 'observed': {
			const { change } = entry;
			const { outcome } = change.marker ?? {};
			const image = change.exists === false ? 'no row' : JSON.stringify(change.columns);
			return [`sees ${change.system} ${change.exists === null ? '' : image}${outcome ? ` [marker ${outcome}]` : ''}`];
		}
		case 'created':
		case 'decided':
			return [];
		case 'resolved':
			return ['takes the answer'];
		default: {
			const field = 'field' in entry && entry.field !== undefined ? ` ${entry.field}` : '';
			const system = 'system' in entry && entry.system !== undefined ? ` of ${entry.system}` : '';
			return [`${entry.kind}${field}${system}`];
		}
	}
}

function describeOp(op: Operation): string {
	const fields = Object.entries(op.fields).map(
		([name, { expected, next }]) => `${name} ${JSON.stringify(expected)} → ${JSON.stringify(next)}`,
	);
	return `${shortOp(op.id)} (${op.kind} ${fields.join(', ')})`;
}

const shortOp = (id: string): string => `op ${id.split(':').slice(1).join(' ')}`;

export type { Facts };
