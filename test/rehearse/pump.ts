import { setTimeout as sleep } from 'node:timers/promises';

import { NodeOperationError } from 'n8n-workflow';

import { waitUntil } from '../support/wait-until';
import type { ApiSystem } from './api-system';
import { whyBusy } from './idle';
import type { Rehearsal } from './rehearsal';
import { ScenarioError } from './scenario-error';

const TIMEOUT_MS = 40_000;
const PAUSE_MS = 500;

export interface PumpOptions {
	/** Default: all systems. */
	readonly only?: string | undefined;
	/** Goes on for so long at least, in milliseconds, idle or not. */
	readonly for?: number | undefined;
	/** Ends before that when this becomes true. */
	readonly until?: () => boolean;
}

/**
 * Runs the sync until it is idle, then stops it: no undelivered change, no operation in flight, no
 * retry due. What died on the way is started again.
 *
 * @throws ScenarioError that says what it still waits for, when that takes too long
 */
export async function pump(rehearsal: Rehearsal, { only, for: leastMs = 0, until = () => false }: PumpOptions = {}): Promise<void> {
	const systems = only === undefined ? rehearsal.systems : [only];
	rehearsal.halted.clear();
	for (const held of rehearsal.held.splice(0)) {
		if (held.trigger) rehearsal.triggers.set(held.trigger.system, held.trigger);
		held.release();
	}
	const leastUntilMs = performance.now() + leastMs;
	const deadlineMs = leastUntilMs + TIMEOUT_MS;
	try {
		await activateAll(rehearsal, systems, false);
		for (;;) {
			await deliverEvents(rehearsal, systems);
			const why = await runUntilIdle(rehearsal, { systems, until, deadlineMs });
			if (why === 'idle' && hasEvents(rehearsal, systems)) continue;
			if (why === 'idle' && letGo(rehearsal)) continue;
			if (why === 'idle' && performance.now() < leastUntilMs) {
				await sleep(Math.min(PAUSE_MS, leastUntilMs - performance.now()));
				continue;
			}
			if (why !== 'died') break;
			await activateAll(rehearsal, systems, true);
		}
	} finally {
		await closeTriggers(rehearsal);
	}
}

const apisOf = ({ apis }: Rehearsal, systems: readonly string[]): ApiSystem[] => systems.flatMap((system) => apis.get(system) ?? []);

const hasEvents = (rehearsal: Rehearsal, systems: readonly string[]): boolean =>
	apisOf(rehearsal, systems).some(({ waiting }) => waiting.length > 0);

/** Hands over what APIs have to tell, in the order in which it happened; what is not taken is handed over again. */
async function deliverEvents(rehearsal: Rehearsal, systems: readonly string[]): Promise<void> {
	const process = await rehearsal.process();
	for (const { system, crm, waiting } of apisOf(rehearsal, systems)) {
		for (const delivery of waiting) {
			if ((await process.receive(system, [delivery.event])) === 0) break;
			crm.webhooks.handedOver(delivery);
		}
	}
}

/** Executions that their triggers have given up go on now, as zombies. @returns whether there were any */
function letGo({ held }: Rehearsal): boolean {
	const zombies = held.filter(({ trigger }) => trigger === null);
	for (const zombie of zombies) {
		held.splice(held.indexOf(zombie), 1);
		zombie.release();
	}
	return zombies.length > 0;
}

interface Wait {
	readonly systems: readonly string[];
	readonly until: () => boolean;
	readonly deadlineMs: number;
}

async function runUntilIdle(rehearsal: Rehearsal, { systems, until, deadlineMs }: Wait): Promise<'idle' | 'died' | 'until'> {
	let isSecondLook = false;
	let why: string | null = null;
	const look = async (): Promise<'idle' | 'died' | 'until' | false> => {
		if (until()) return 'until';
		if (rehearsal.livingProcess === null) return 'died';
		const read = systems.filter((system) => !rehearsal.halted.has(system));
		why = await whyBusy(rehearsal, read);
		if (why !== null) {
			isSecondLook = false;
			return false;
		}
		if (isSecondLook) return 'idle';
		isSecondLook = true;
		return false;
	};
	const timeoutMs = deadlineMs - performance.now();
	return await waitUntil('idle', look, { timeoutMs, everyMs: 8 }).catch((error: unknown) => {
		if (why === null || error instanceof ScenarioError) throw error;
		const said = [...new Set([...rehearsal.errors, ...rehearsal.logs])].slice(-5).map((line) => `\n  ${line}`);
		throw new ScenarioError(`The sync did not become idle within ${TIMEOUT_MS / 1_000} s: ${why}${said.join('')}`, { cause: error });
	});
}

async function activateAll(rehearsal: Rehearsal, systems: readonly string[], isRestart: boolean): Promise<void> {
	const process = await rehearsal.process();
	if (isRestart) await untilSlotsAreFree(rehearsal);
	await Promise.all(
		systems.map(async (system) => {
			if (rehearsal.triggers.has(system) || rehearsal.apis.has(system)) return;
			try {
				rehearsal.triggers.set(system, await process.activate(system, isRestart));
			} catch (error) {
				// A person has to do something; the other systems go on.
				if (!(error instanceof NodeOperationError)) throw error;
				rehearsal.halted.set(system, error.message);
				rehearsal.errors.push(`${system}: ${error.message}`);
			}
		}),
	);
}

/** The servers need a moment to see that a process is gone. */
async function untilSlotsAreFree({ databases, slotOf }: Rehearsal): Promise<void> {
	for (const system of databases.keys()) {
		await waitUntil(
			`the slot of ${system} to be free`,
			async () => {
				const { rows } = (await databases.get(system)?.pool.query<{ active: boolean }>(
					'select active from pg_replication_slots where slot_name = $1',
					[slotOf(system)],
				)) ?? { rows: [] };
				return rows[0]?.active !== true;
			},
			{ everyMs: 5 },
		);
	}
}

/** Not those whose execution stands still: they could only wait for it. */
async function closeTriggers({ triggers, held }: Rehearsal): Promise<void> {
	const standing = held.flatMap(({ trigger }) => trigger ?? []);
	const closing = [...triggers.values()].filter((trigger) => !standing.includes(trigger));
	triggers.clear();
	await Promise.all(closing.map(async (trigger) => await trigger.close()));
}
