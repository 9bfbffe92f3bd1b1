import { decide } from '../../src/core/decide';
import { STREAM_START } from '../../src/core/position';
import { knowledgeLost } from '../support/known-versions';
import { namedBy, recordOf } from '../support/named-values';
import { placeOf } from '../support/silent-overwrite';
import { acknowledge } from '../support/simulated-database';
import { decideOnce, observeOnce, type CommittedLink } from '../support/simulated-nodes';
import { SIMULATED_POLICY } from '../support/simulated-policy';
import { applyOperations } from '../support/simulated-writer';
import { mayHappen, type Transition } from './actions';
import { judgeOverwrites, noteNames, noteTold, violate } from './facts';
import type { Model } from './model';
import { describeCommits, describeOperation, describeOutcome } from './narrate';
import { raiseAll } from './setup';
import type { Facts, Run, World } from './world';

/** A step of an execution, and what is left of the execution after it. */
export interface RunStep extends Transition {
	readonly run: Run;
}

/** What the node at hand may do; its run is not put into the world, for a zombie has no place there. */
export function nodeSteps(model: Model, world: World, run: Run): RunStep[] {
	switch (run.step) {
		case 'observe':
			return echoFilterSteps(model, world, run);
		case 'merge':
			return [mergeStep(model, world, run)];
		case 'write':
			return syncWriteSteps(model, world, run);
		case 'acknowledge':
			return [];
	}
}

/** The execution is over: the trigger reads the stream's position and acknowledges up to it, no further. */
export function acknowledgeStep(model: Model, world: World, { system, emitted }: Run): Transition {
	const stream = world.store.policies.get(SIMULATED_POLICY)?.streams.get(system);
	const observed = stream?.position ?? STREAM_START;
	const upTo = model.setup.defects.acknowledgeBySuccess ? (emitted ?? observed) : observed;
	const db = world.dbs[system];
	const dbs = db ? { ...world.dbs, [system]: acknowledge(db, upTo) } : world.dbs;
	const runs = { ...world.runs, [system]: null };
	return { text: `${system} trigger acknowledges`, fault: false, to: { ...world, dbs, runs } };
}

/** What a commit did, apart from the world it is done in: computed once for equal stores and runs. */
interface Effect {
	readonly store: World['store'];
	readonly next: Run;
	readonly text: string;
	readonly names: readonly string[];
	readonly told: readonly string[];
	readonly violation: string | null;
	/** Links that the step wanted to commit. */
	readonly commits: number;
}

function afterEffect(world: World, effect: Effect): Omit<RunStep, 'fault'> {
	const { store, text, next, names, told, violation } = effect;
	const facts = violate(noteTold(noteNames(world.facts, names), told), violation);
	return { text, to: { ...world, store, facts }, run: next };
}

function echoFilterSteps(model: Model, world: World, run: Run): RunStep[] {
	const { interner } = model.worlds;
	const at = `observe ${interner.id(world.store)} ${interner.id(interner.same(run))}`;
	const whole = model.once(at, () => observed(model, world, run));
	const found = [{ ...afterEffect(world, whole), fault: false }];
	if (!mayHappen(model, world, 'contention')) return found;
	for (let loser = 0; loser < whole.commits; loser += 1) {
		const partly = model.once(`${at} without ${loser}`, () => observed(model, world, run, loser));
		const step = afterEffect(world, partly);
		const facts = { ...step.to.facts, faults: step.to.facts.faults + 1 };
		const text = `${step.text}; another worker was faster with a link, so Echo Filter starts over`;
		found.push({ text, fault: true, to: { ...step.to, facts }, run });
	}
	return found;
}

/** @param loser - the link commit that loses, if one does */
function observed(model: Model, world: World, run: Run, loser?: number): Effect {
	const { system, events, wakes } = run;
	const { store, result } = model.onStore(world.store, (memory) =>
		observeOnce(memory, { policy: SIMULATED_POLICY, system, events }, (_, index) => index === loser),
	);
	const due = [...result.due].filter(([, isDue]) => isDue).map(([id]) => id);
	const onward = model.setup.defects.echoUnwired ? [...result.foreign] : due;
	const links = [...new Set([...onward, ...wakes])].sort();
	const next: Run = { ...run, step: links.length > 0 ? 'merge' : 'acknowledge', links };
	const refused = result.refused ? ' and refuses what follows a missing change' : '';
	return {
		...effectsOf(result.committed),
		store,
		next: model.worlds.interner.same(next),
		text: events.length > 0 || wakes.length === 0 ? `Echo Filter ${describeCommits(result.committed)}${refused}` : 'Echo Filter lets the link pass',
		commits: result.committed.length + result.lost.length,
	};
}

function mergeStep(model: Model, world: World, run: Run): RunStep {
	const { interner } = model.worlds;
	const { defects } = model.setup;
	const at = `merge ${interner.id(world.store)} ${interner.id(interner.same(run))}`;
	const effect = model.once(at, (): Effect => {
		const distort = defects.raisesWhileInFlight ? raiseAll : undefined;
		const { store, result } = model.onStore(world.store, (memory) =>
			decideOnce(memory, { policy: SIMULATED_POLICY, links: run.links }, distort),
		);
		const ops = defects.silentMerge ? result.newOps : result.ops;
		const next: Run = { ...run, step: ops.length > 0 ? 'write' : 'acknowledge', links: [], ops };
		const effects = effectsOf(result.committed);
		return {
			...effects,
			store,
			next: interner.same(next),
			text: `Merge ${describeCommits(result.committed)} and hands on ${ops.map(describeOperation).join(', ') || 'nothing'}`,
			violation: effects.violation ?? undecided(model, result.committed),
			commits: result.committed.length,
		};
	});
	return { ...afterEffect(world, effect), fault: false };
}

/** One transaction per target, in the order of the policy's systems. */
function syncWriteSteps(model: Model, world: World, run: Run): RunStep[] {
	const target = model.setup.systems.find((name) => run.ops.some(({ system }) => system === name)) ?? '';
	const left = run.ops.filter(({ system }) => system !== target);
	const next: Run = { ...run, ops: left, step: left.length > 0 ? 'write' : 'acknowledge' };
	const { db, text, facts } = written(model, world, { target, ops: run.ops.filter((op) => !left.includes(op)) });
	const done = { text, fault: false, to: { ...world, dbs: { ...world.dbs, [target]: db }, facts }, run: next };
	if (!mayHappen(model, world, 'target-down')) return [done];
	const failed = { ...world.facts, faults: world.facts.faults + 1 };
	const text2 = `Sync Write cannot reach ${target}`;
	return [done, { text: text2, fault: true, to: { ...world, facts: failed }, run: next }];
}

function written(
	model: Model,
	world: World,
	{ target, ops }: { target: string; ops: Run['ops'] },
): { db: World['dbs'][string]; text: string; facts: Facts } {
	const { interner } = model.worlds;
	const before = world.dbs[target];
	if (!before) throw new Error(`no database ${target}`);
	const at = `write ${interner.id(before)} ${interner.id(world.facts)} ${interner.id(interner.same(ops))}`;
	return model.once(at, () => {
		const { truth } = world.facts;
		let id = 10_000 + Object.keys(truth).length;
		const macKey = MAC_KEY;
		const nextId = (): number => (id += 1);
		const result = applyOperations(before, ops, { rules: model.rulesOf(target), macKey, truth, nextId });
		const grown = { ...truth, ...Object.fromEntries(result.writes.map((write) => [write.id, write])) };
		const facts = { ...judgeOverwrites(world.facts, result.overwrites), truth: grown };
		const text = `Sync Write ${target}: ${result.outcomes.map(describeOutcome).join(', ')}`;
		return { db: interner.same(result.db), text, facts: interner.same(facts) };
	});
}

/** What a memory store signs with unless it is told otherwise. */
const MAC_KEY = '0'.repeat(64);

function effectsOf(committed: readonly CommittedLink[]): Pick<Effect, 'names' | 'told' | 'violation'> {
	return {
		names: committed.flatMap((one) => namedBy(one)),
		told: committed.flatMap(toldNetZero),
		violation: committed.map(({ before, after }) => knowledgeLost(before, after)).find((lost) => lost !== null) ?? null,
	};
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
