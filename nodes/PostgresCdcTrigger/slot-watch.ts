import type { NodeOperationError } from 'n8n-workflow';

import { SyncError } from '../../src/core/errors';
import type { Check } from '../../src/core/health';
import { slotHealth } from '../../src/core/health-of-systems';
import { askServer, type PgSettings } from '../../src/postgres/connect';
import { readSlot } from '../../src/postgres/slot';
import { slotFigures } from '../../src/postgres/slot-figures';
import type { TriggerHost } from './lifecycle';

export interface SlotWatchParts {
	readonly connection: PgSettings;
	readonly slot: string;
	/** What the slot's database is called in messages. */
	readonly system: string;
	readonly host: Pick<TriggerHost, 'logger' | 'saveFailedExecution'>;
	readonly asNodeError: (error: unknown) => NodeOperationError;
	/** Default 60,000. */
	readonly everyMs?: number | undefined;
}

const EVERY_MS = 60_000;
const SEVERITY = { healthy: 0, unknown: 1, warning: 2, critical: 3 } as const;

/**
 * Looks at the slot now and then for as long as the work lasts, and tells when it comes into danger: in the log, and as a
 * failed execution, which n8n lists and runs the error workflow for. By a timer of its own, for what endangers a slot is
 * that nothing else goes on: executions that fail, or never end.
 */
export async function whileWatchingSlot<T>(parts: SlotWatchParts, work: () => Promise<T>): Promise<T> {
	const watch = new SlotWatch(parts);
	const timer = setInterval(() => void watch.look(), parts.everyMs ?? EVERY_MS);
	timer.unref();
	try {
		return await work();
	} finally {
		clearInterval(timer);
		watch.stop();
	}
}

class SlotWatch {
	#told: Check['level'] = 'healthy';
	#isLooking = false;
	#isOver = false;

	constructor(private readonly parts: SlotWatchParts) {}

	stop(): void {
		this.#isOver = true;
	}

	async look(): Promise<void> {
		if (this.#isLooking) return;
		this.#isLooking = true;
		try {
			const worst = await this.#worst();
			if (!this.#isOver) this.#tell(worst);
		} catch {
			// The stream has a connection to the same server, and says what is wrong with it.
		} finally {
			this.#isLooking = false;
		}
	}

	async #worst(): Promise<Check | null> {
		const { connection, slot: name, system } = this.parts;
		return await askServer(connection, async (client) => {
			// Whoever asks is its reader; that it is gone, or lost, the stream says.
			const figures = { ...slotFigures(name, await readSlot(client, name)), isActive: true, idleSinceMs: null };
			const checks = figures.isThere ? slotHealth(system, figures, 0) : [];
			return checks.sort((a, b) => SEVERITY[b.level] - SEVERITY[a.level])[0] ?? null;
		});
	}

	#tell(worst: Check | null): void {
		const { host, asNodeError, slot } = this.parts;
		const level = worst?.level ?? 'healthy';
		const isWorse = SEVERITY[level] > SEVERITY[this.#told];
		if (worst && isWorse) {
			const error = new SyncError('SLOT_IN_DANGER', worst.sentence.slice(0, -1), { details: { slot, value: worst.value, unit: worst.unit } });
			host.logger.warn(`${error.message}. ${error.remedy}`);
			host.saveFailedExecution?.(asNodeError(error));
		}
		if (level === 'healthy' && this.#told !== 'healthy') host.logger.info(`The replication slot "${slot}" is out of danger`);
		this.#told = level;
	}
}
