import type { ChangeEvent } from '../../src/core/change-event';
import { dueLinks, type Model } from './model';
import { humanStep, userStep } from './people';
import { acknowledgeStep, nodeSteps } from './run-steps';
import type { Fault } from './setup';
import type { Run, World } from './world';

/** One thing that can happen next. */
export interface Transition {
	/** A sentence for the timeline. */
	readonly text: string;
	readonly to: World;
	/** True for what must not be counted on to get out of a state. */
	readonly fault: boolean;
}

/** Everything that can happen in a world. */
export function transitionsFrom(model: Model, world: World): Transition[] {
	const found: Transition[] = [];
	for (const system of model.setup.systems) {
		found.push(...userStep(model, world, system));
		const run = world.runs[system] ?? null;
		if (run === null) found.push(...emissions(model, world, system));
		else found.push(...liveSteps(model, world, run), ...crashes(model, world, run));
	}
	world.zombies.forEach((_, index) => found.push(...zombieSteps(model, world, index)));
	found.push(...humanStep(model, world));
	return found.map((one) => ({ ...one, to: model.worlds.intern(one.to) }));
}

function liveSteps(model: Model, world: World, run: Run): Transition[] {
	if (run.step === 'acknowledge') return [acknowledgeStep(model, world, run)];
	return nodeSteps(model, world, run).map(({ run: next, ...step }) => ({
		...step,
		to: { ...step.to, runs: { ...step.to.runs, [run.system]: next } },
	}));
}

function zombieSteps(model: Model, world: World, index: number): Transition[] {
	const zombie = world.zombies[index];
	if (!zombie) return [];
	const others = world.zombies.filter((_, other) => other !== index);
	return nodeSteps(model, world, zombie).map(({ run, text, to, fault }) => {
		const isOver = run.step === 'acknowledge'; // Its trigger has let go of it: it acknowledges nothing.
		const zombies = isOver ? others : [...others, run];
		return { text: `in the execution that was given up, ${text}`, to: { ...to, zombies }, fault };
	});
}

/** The trigger emits what it has not acknowledged, in pieces of any size, or wakes due links. */
function emissions(model: Model, world: World, system: string): Transition[] {
	const { batch, defects } = model.setup;
	const found: Transition[] = [];
	const begin = (run: Run, text: string, faults = 0): void => {
		const facts = { ...world.facts, faults: world.facts.faults + faults };
		const runs = { ...world.runs, [system]: run };
		found.push({ text: `${system} trigger ${text}`, fault: faults > 0, to: { ...world, facts, runs } });
	};
	const log = (world.dbs[system]?.log ?? []).filter(({ marker }) => !defects.echoesDropped || marker === null);
	for (let size = 1; size <= Math.min(batch, log.length); size += 1) {
		const events = log.slice(0, size);
		const emits = `emits ${size === 1 ? 'a change' : `${size} changes`}`;
		begin(newRun(system, events, events), emits);
		if (!mayHappen(model, world, 'foreign-node')) continue;
		for (const { kept, how } of maimed(events)) {
			begin(newRun(system, kept, events), `${emits}, and a node before Echo Filter ${how}`, 1);
		}
	}
	const due = dueLinks(model, world);
	if (due.length > 0 && !defects.noSweep) {
		begin({ ...newRun(system, [], []), wakes: due }, `wakes ${due.length === 1 ? 'the due link' : 'the due links'}`);
	}
	return found;
}

function maimed(events: readonly ChangeEvent[]): { kept: readonly ChangeEvent[]; how: string }[] {
	const ways: { kept: readonly ChangeEvent[]; how: string }[] = [{ kept: [], how: 'drops all' }];
	if (events.length > 1) {
		ways.push({ kept: events.slice(1), how: 'drops the first' });
		ways.push({ kept: [...events].reverse(), how: 'turns the order round' });
	}
	if (events.length > 2) ways.push({ kept: events.filter((_, index) => index !== 1), how: 'drops the second' });
	return ways;
}

function crashes(model: Model, world: World, run: Run): Transition[] {
	const { system, step } = run;
	const facts = { ...world.facts, faults: world.facts.faults + 1 };
	const runs = { ...world.runs, [system]: null };
	const found: Transition[] = [];
	if (mayHappen(model, world, 'crash')) {
		const text = `the execution of the ${system} trigger dies before it can ${step}`;
		found.push({ text, fault: true, to: { ...world, facts, runs } });
	}
	if (mayHappen(model, world, 'zombie') && step !== 'acknowledge') {
		const text = `the execution of the ${system} trigger stalls before it can ${step}, and is given up`;
		found.push({ text, fault: true, to: { ...world, facts, runs, zombies: [...world.zombies, run] } });
	}
	return found;
}

export function mayHappen({ setup }: Model, { facts }: World, kind: Fault): boolean {
	return facts.faults < setup.faults && setup.kinds.includes(kind);
}

function newRun(system: string, events: readonly ChangeEvent[], emitted: readonly ChangeEvent[]): Run {
	const last = emitted.at(-1)?.source.position ?? null;
	return { system, step: 'observe', events, emitted: last, wakes: [], links: [], ops: [] };
}
