import type { ChangeEvent } from '../../src/core/change-event';
import { isDueLink } from './due';
import type { Model } from './model';
import { finishRun, stepOf } from './run-steps';
import type { Run, World } from './world';
import { userStep, humanStep } from './people';

/** One thing that can happen next. */
export interface Transition {
	/** A sentence for the timeline. */
	readonly text: string;
	readonly to: World;
	/** True for what must not be counted on to get out of a state. */
	readonly fault: boolean;
}

const TRIGGERS = ['crm', 'billing'] as const;
type System = (typeof TRIGGERS)[number];

/** Everything that can happen in a world. */
export function transitionsFrom(model: Model, world: World): Transition[] {
	const found: Transition[] = [];
	for (const system of TRIGGERS) {
		found.push(...userStep(model, world, system));
		const run = world.runs[system];
		if (run === null) found.push(...emissions(model, world, system));
		else found.push(...liveSteps(model, world, run), ...crashes(model, world, run));
	}
	world.zombies.forEach((zombie, index) => {
		const rest = world.zombies.filter((_, other) => other !== index);
		for (const { text, to, fault, run } of stepOf(model, world, zombie)) {
			const over = run.step === 'acknowledge'; // Its trigger has let go of it: it acknowledges nothing.
			const zombies = over ? rest : [...rest, run];
			found.push({ text: `(an execution that was given up) ${text}`, to: { ...to, zombies }, fault });
		}
	});
	found.push(...humanStep(model, world));
	return found.map((one) => ({ ...one, to: model.worlds.intern(one.to) }));
}

function liveSteps(model: Model, world: World, run: Run): Transition[] {
	const { system } = run;
	if (run.step === 'acknowledge') return [finishRun(model, world, run)];
	return stepOf(model, world, run).map(({ text, to, fault, run: next }) => ({
		text,
		fault,
		to: { ...to, runs: { ...to.runs, [system]: next } },
	}));
}

/** The trigger emits what it has not acknowledged, in pieces of any size, or wakes due links. */
function emissions(model: Model, world: World, system: System): Transition[] {
	const found: Transition[] = [];
	const start = (run: Run, text: string, faults = 0): void => {
		const facts = { ...world.facts, faults: world.facts.faults + faults };
		found.push({ text, fault: faults > 0, to: { ...world, facts, runs: { ...world.runs, [system]: run } } });
	};
	const log = world[system].log.filter(({ marker }) => !model.setup.defects.echoesDropped || marker === null);
	for (let size = 1; size <= Math.min(model.setup.batch, log.length); size += 1) {
		const events = log.slice(0, size);
		start(newRun(system, events, events), `${system} trigger emits ${size === 1 ? 'a change' : `${size} changes`}`);
		if (!mayFail(model, world, 'foreign-node')) continue;
		for (const { kept, text } of maimed(events)) {
			start(newRun(system, kept, events), `${system} trigger emits ${size} changes, of which a node before Echo Filter ${text}`, 1);
		}
	}
	const due = isDueLink(model, world);
	if (due.length > 0 && !model.setup.defects.noSweep) {
		start({ ...newRun(system, [], []), wakes: due }, `${system} trigger wakes ${due.length === 1 ? 'the due link' : 'the due links'}`);
	}
	return found;
}

function maimed(events: readonly ChangeEvent[]): { kept: readonly ChangeEvent[]; text: string }[] {
	const ways = [{ kept: [] as readonly ChangeEvent[], text: 'drops all' }];
	if (events.length > 1) {
		ways.push({ kept: events.slice(1), text: 'drops the first' });
		ways.push({ kept: [...events].reverse(), text: 'turns the order round' });
	}
	if (events.length > 2) ways.push({ kept: events.filter((_, index) => index !== 1), text: 'drops the second' });
	return ways;
}

function crashes(model: Model, world: World, run: Run): Transition[] {
	const { system } = run;
	const facts = { ...world.facts, faults: world.facts.faults + 1 };
	const found: Transition[] = [];
	const runs = { ...world.runs, [system]: null };
	if (mayFail(model, world, 'crash')) {
		found.push({ text: `the ${system} execution dies before ${run.step}`, fault: true, to: { ...world, facts, runs } });
	}
	if (mayFail(model, world, 'zombie') && run.step !== 'acknowledge') {
		const zombies = [...world.zombies, run];
		const text = `the ${system} execution stalls before ${run.step} and is given up`;
		found.push({ text, fault: true, to: { ...world, facts, runs, zombies } });
	}
	return found;
}

function mayFail({ setup }: Model, { facts }: World, kind: Model['setup']['kinds'][number]): boolean {
	return facts.faults < setup.faults && setup.kinds.includes(kind);
}

function newRun(system: System, events: readonly ChangeEvent[], emitted: readonly ChangeEvent[]): Run {
	const last = emitted.at(-1)?.source.position ?? null;
	return { system, step: 'observe', events, emitted: last, wakes: [], links: [], ops: [] };
}
