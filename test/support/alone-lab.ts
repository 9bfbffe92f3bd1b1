import { randomBytes } from 'node:crypto';

import { PostgresCdcTrigger } from '../../nodes/PostgresCdcTrigger/PostgresCdcTrigger.node';
import type { ChangeEvent } from '../../src/core/change-event';
import { readSlot } from '../../src/postgres/slot';
import { fakeTriggerContext } from './fake-trigger-context';
import { type FakeN8n, fakeN8n } from './fake-n8n';
import { openTestDatabase, type TestDatabase } from './test-database';
import { waitUntil } from './wait-until';

/** A trigger without a sync store over a database of its own, in an n8n that can be killed. */
export interface AloneLab {
	readonly database: TestDatabase;
	readonly slot: string;
	sql(text: string): Promise<void>;
	/** Activates the workflow; all are deactivated with the lab. */
	start(options: AloneOptions): Promise<StartedAlone>;
	waitUntilAcknowledged(): Promise<void>;
	close(): Promise<void>;
}

export interface AloneOptions {
	readonly parameters: Record<string, unknown>;
	readonly n8n?: FakeN8n;
	/** What n8n has stored of an earlier life; default: nothing. */
	readonly stored?: Record<string, unknown>;
	readonly activation?: 'activate' | 'init';
}

export interface StartedAlone {
	readonly n8n: FakeN8n;
	/** What n8n has stored with the workflow: at its activation, and with each execution. */
	stored(): Record<string, unknown>;
	close(): Promise<void>;
}

const copy = (data: Record<string, unknown>): Record<string, unknown> => JSON.parse(JSON.stringify(data)) as Record<string, unknown>;

export async function openAloneLab(name: string): Promise<AloneLab> {
	const database = await openTestDatabase(name);
	const slot = `alone_${randomBytes(6).toString('hex')}`;
	const open: StartedAlone[] = [];
	const { pool } = database;
	return {
		database,
		slot,
		sql: async (text) => void (await pool.query(text)),
		async start({ parameters, n8n = fakeN8n(async () => 'success'), stored = {}, activation = 'activate' }) {
			const staticData = copy(stored);
			let saved = copy(stored);
			const emit = n8n.emit.bind(n8n);
			const saving: FakeN8n = Object.assign(Object.create(n8n) as FakeN8n, {
				emit: (...args: Parameters<FakeN8n['emit']>) => {
					saved = copy(staticData);
					emit(...args);
				},
			});
			const context = fakeTriggerContext(saving, {
				activation,
				staticData,
				parameters: { connectWith: 'postgres', useStore: false, publication: slot, slot, options: {}, ...parameters },
				credentials: { postgres: { ...database.settings, ssl: 'disable' } },
			});
			const { closeFunction } = await new PostgresCdcTrigger().trigger.call(context);
			saved = copy(staticData);
			const started: StartedAlone = { n8n, stored: () => saved, close: async () => await closeFunction?.() };
			open.push(started);
			return started;
		},
		async waitUntilAcknowledged() {
			const { rows } = await pool.query<{ lsn: string }>('select pg_current_wal_lsn() as lsn');
			await pool.query(`select pg_logical_emit_message(true, 'bisync-place', '')`);
			await waitUntil(`the acknowledgement of ${rows[0]?.lsn}`, async () => {
				const found = await pool.query('select 1 from pg_replication_slots where slot_name = $1 and confirmed_flush_lsn >= $2', [slot, rows[0]?.lsn]);
				return found.rows.length > 0;
			});
		},
		async close() {
			await Promise.all(open.map(async (one) => await one.close()));
			await database.drop();
		},
	};
}

export async function withAloneLab(work: (lab: AloneLab) => Promise<void>): Promise<void> {
	const lab = await openAloneLab('alone');
	try {
		await work(lab);
	} finally {
		await lab.close();
	}
}

export const slotOf = async ({ database, slot }: AloneLab) => await readSlot(database.pool, slot);

/** The rows of a table as whoever follows the events has them, by key. */
export function replayed(events: readonly ChangeEvent[], entity: string): Map<string, ChangeEvent['after']> {
	const rows = new Map<string, ChangeEvent['after']>();
	for (const { op, key, before, after, entity: of } of events) {
		if (of !== entity) continue;
		const id = String(key['id']);
		// A row whose key changed.
		if (before !== null && before['id'] !== undefined && String(before['id']) !== id) rows.delete(String(before['id']));
		if (op === 'd') rows.delete(id);
		else rows.set(id, after);
	}
	return rows;
}

/** Where a value counts up with each edit of its row: the places where an older one came after a newer one. */
export function steppedBack(events: readonly ChangeEvent[], column: string): string[] {
	const last = new Map<string, number>();
	return events.flatMap(({ op, key, after, entity }) => {
		const id = `${entity} ${String(key['id'])}`;
		if (op === 'd') last.delete(id);
		const value = after?.[column];
		if (typeof value !== 'number') return [];
		const before = last.get(id) ?? value;
		last.set(id, value);
		return value < before ? [`${id}: ${value} after ${before}`] : [];
	});
}
