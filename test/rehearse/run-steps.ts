import { setTimeout as sleep } from 'node:timers/promises';

import { dropSlot } from '../../src/postgres/slot';
import type { ApiSystem } from './api-system';
import { arm } from './faults';
import { answerReview, approveAll, holdRecord } from './operator';
import { pump } from './pump';
import { reconcile } from './reconcile';
import { rollback } from './roll-back';
import type { Rehearsal } from './rehearsal';
import type { NumberedStep } from './scenario';
import { ScenarioError } from './scenario-error';
import type { Given, StepName } from './steps';
import { runUserSql } from './user-writes';

type Act<Name extends StepName> = (rehearsal: Rehearsal, given: Given<Name>, step: NumberedStep) => Promise<void> | void;

const ACTS: { readonly [Name in StepName]: Act<Name> } = {
	pump: async (rehearsal, given) => {
		const fromMs = Date.now();
		await pump(rehearsal, given);
		rehearsal.runs.push({ fromMs, untilMs: Date.now() + 1 });
	},
	sql: async (rehearsal, given) => await write(rehearsal, given, false),
	tx: async (rehearsal, given) => await write(rehearsal, given, true),
	redeliver,
	pause,
	kill: arm,
	clock: ({ clocks }, given) => {
		for (const [system, ms] of Object.entries(given)) clocks.set(system, ms);
	},
	user: async ({ apis }, given) => {
		for (const [system, acts] of Object.entries(given)) await apiNamed(apis, system).act(acts);
	},
	switch: ({ apis }, given) => {
		for (const [system, change] of Object.entries(given)) apiNamed(apis, system).turn(change);
	},
	hold: ({ apis }, system) => {
		apiNamed(apis, system).isHeld = true;
	},
	release: ({ apis }, system) => {
		apiNamed(apis, system).isHeld = false;
	},
	resolve: async (rehearsal, given) => await answerReview(rehearsal, { operation: 'resolve', ...given }),
	dismiss: async (rehearsal, given) => await answerReview(rehearsal, { operation: 'dismiss', ...given }),
	retry: async (rehearsal, given) => await answerReview(rehearsal, { operation: 'retry', ...given }),
	same: async (rehearsal, given) => await answerReview(rehearsal, { operation: 'approve', ...given }),
	different: async (rehearsal, given) => await answerReview(rehearsal, { operation: 'reject', ...given }),
	approve: approveAll,
	policy: async (rehearsal, _given, { policy }) => {
		if (policy) await rehearsal.publish(policy);
	},
	freeze: async (rehearsal, given) => await holdRecord(rehearsal, 'freeze', given),
	unfreeze: async (rehearsal, given) => await holdRecord(rehearsal, 'unfreeze', given),
	reconcile,
	rollback,
	'drop-slot': loseSlot,
	restore: async (rehearsal, { system }) => await restoreSystem(rehearsal, system),
	store: restoreStore,
	wait: async (_rehearsal, ms) => {
		await sleep(ms);
	},
	expect: () => undefined,
};

/** Carries out one step; `expect` is for whoever looks. @throws ScenarioError when it cannot be done */
export async function runStep(rehearsal: Rehearsal, step: NumberedStep): Promise<void> {
	const { name, given } = step.step;
	const act = ACTS[name] as Act<StepName>;
	await act(rehearsal, given as never, step);
}

/** A store that has lost everything gets the policy again, as a person must do before anything goes on. */
async function restoreStore(rehearsal: Rehearsal, { restore }: Given<'store'>): Promise<void> {
	const { home, version, baseline } = rehearsal;
	await rehearsal.endProcess();
	rehearsal.restoredAtMs = Date.now();
	if (restore === 'start') return await home.goBack();
	await home.lose();
	rehearsal.baseline = { ...baseline, journalSeq: '0' };
	await rehearsal.publish(version);
}

async function write(
	{ databases, userXids }: Rehearsal,
	given: Given<'sql'>,
	isOneTransaction: boolean,
): Promise<void> {
	for (const [system, statements] of Object.entries(given)) {
		const pool = databases.get(system)?.pool;
		const xids = userXids.get(system);
		if (!pool || !xids) throw new ScenarioError(`${system} is an API: what people do there is a step "user"`);
		await runUserSql(pool, { statements, isOneTransaction, xids });
	}
}

/** Everything that the trigger handed over since the start comes once more, as it was. */
async function redeliver(rehearsal: Rehearsal, { system, times }: Given<'redeliver'>): Promise<void> {
	const process = await rehearsal.process();
	const api = rehearsal.apis.get(system);
	for (let time = 0; api && time < times; time++) await process.receive(system, api.events);
	const batches = rehearsal.deliveries.filter((delivery) => delivery.system === system);
	for (let time = 0; time < times; time++) {
		for (const { events } of batches) await process.execute(system, structuredClone(events));
	}
}

/** Holds every execution that comes to the point, not only the first: another one might do the same write meanwhile. */
async function pause(rehearsal: Rehearsal, { system, at }: Given<'pause'>): Promise<void> {
	const process = await rehearsal.process();
	const { held, triggers } = rehearsal;
	const before = held.length;
	const off = process.points.on(at === 'before-write' ? 'C6' : 'C5', async (reached) => {
		const execution = process.currentExecution;
		if (reached.system !== system || !execution) return;
		await new Promise<void>((release) => {
			held.push({ execution, trigger: triggers.get(execution.system) ?? null, release });
		});
	});
	await pump(rehearsal, { until: () => held.length > before });
	off();
	if (held.length === before) throw new ScenarioError(`No operation for ${system} came to "${at}"`);
}

function apiNamed(apis: Rehearsal['apis'], system: string): ApiSystem {
	const api = apis.get(system);
	if (!api) throw new ScenarioError(`${system} is no API: what people do there is a step "sql"`);
	return api;
}

async function loseSlot({ databases, slotOf }: Rehearsal, system: string): Promise<void> {
	const pool = databases.get(system)?.pool;
	const isGone = pool && (await dropSlot(pool, slotOf(system)));
	if (!isGone) throw new ScenarioError(`${system} has no slot that could be dropped`);
}

async function restoreSystem(rehearsal: Rehearsal, system: string): Promise<void> {
	const database = rehearsal.databases.get(system);
	if (!database) throw new TypeError(`there is no database of ${system}`);
	await rehearsal.endProcess();
	await rehearsal.closeWitness(system);
	await database.goBackTo(`${database.name}_start`);
	rehearsal.restoredAtMs = Date.now();
	await rehearsal.openWitness(system);
}
