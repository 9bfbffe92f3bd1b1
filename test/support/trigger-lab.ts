import { randomBytes } from 'node:crypto';

import type { INode, NodeOperationError } from 'n8n-workflow';
import pg from 'pg';

import { type RunningTrigger, startTrigger } from '../../nodes/PostgresCdcTrigger/lifecycle';
import { type PollingSettings, type StoreSource, type TriggerSettings } from '../../nodes/PostgresCdcTrigger/settings';
import { POLLED } from '../../src/store/stream-record';
import { StorePoller } from '../../nodes/PostgresCdcTrigger/store-poller';
import { StoreReader } from '../../nodes/PostgresCdcTrigger/store-reader';
import { nodeError } from '../../nodes/shared/sync-error-to-node';
import type { ChangeEvent } from '../../src/core/change-event';
import { SyncError } from '../../src/core/errors';
import type { StoredMode } from '../../src/core/journal';
import { parsePolicy } from '../../src/core/parse-policy';
import { policyHash } from '../../src/core/policy';
import { readSlot, type SlotState } from '../../src/postgres/slot';
import { observeBatch } from '../../src/store/observe-batch';
import { PostgresStore } from '../../src/store/postgres-store';
import type { StreamRecord } from '../../src/store/stream-record';
import type { ConnectionSettings, PostgresServer } from './embedded-postgres';
import { type FakeN8n, fakeN8n, type FakeWorkflow } from './fake-n8n';
import { openTestDatabase, type TestDatabase } from './test-database';
import { waitUntil } from './wait-until';

export const LAB_POLICY = `
policy: lab
systems: [crm, billing]
entities:
  customer:
    crm: { table: public.customers, key: [id] }
    billing: { table: public.accounts, key: [account_no] }
    match: [[email]]
    fields:
      email: { crm: email, billing: contact_email, owner: crm }
      note: { crm: note, billing: memo, owner: shared, resolve: prefer(crm) }
  order:
    crm: { table: public.orders, key: [id] }
    billing: { table: public.invoices, key: [no] }
    match: [[ref]]
    fields:
      ref: { crm: ref, billing: ref, owner: crm }
`;

const TABLES = `
	create table customers (id int primary key, email text, note text);
	create table orders (id int primary key, ref text);
	alter table customers replica identity full;
	alter table orders replica identity full;`;

/** Pauses of a test, not of a night: nothing in here depends on how long they are. */
export const TIMING = { backOff: { firstMs: 20, maxMs: 100 }, idleIntervalMs: 100, graceMs: 500, retryMs: 100 };

/** A source database, a sync store with a published policy, and an n8n that observes what it is handed. */
export interface TriggerLab {
	readonly source: TestDatabase;
	readonly store: PostgresStore;
	readonly n8n: FakeN8n;
	readonly settings: TriggerSettings;
	/** Observes everything, as Echo Filter does. */
	readonly observing: FakeWorkflow;
	/** Statements sent to the sync store so far. */
	storeTrips(): number;
	/** Starts a trigger; all of them are closed with the lab. */
	start(overrides?: StartOverrides): Promise<RunningTrigger>;
	sql(text: string): Promise<void>;
	publish(text: string, mode?: StoredMode): Promise<void>;
	stream(): Promise<StreamRecord>;
	slot(): Promise<SlotState | null>;
	/** Waits until everything that was committed so far is acknowledged. */
	waitUntilAcknowledged(): Promise<void>;
	/** Waits until the tables have been read and the slot is being read. */
	waitUntilReading(): Promise<void>;
	close(): Promise<void>;
}

export interface StartOverrides {
	readonly settings?: Partial<TriggerSettings>;
	readonly source?: Partial<StoreSource>;
	readonly n8n?: FakeN8n;
	readonly isPatient?: boolean;
	/** How long the server may say nothing. */
	readonly silenceTimeoutMs?: number;
	/** How long rows are read at a stretch when changes wait. */
	readonly turnMs?: number;
	/** How often the slot is looked at. */
	readonly slotWatchMs?: number;
	/** Polls instead of reading the log. */
	readonly polling?: PollingSettings;
}

export interface LabOptions {
	/** The server of the source database; default: the shared one. */
	readonly server?: PostgresServer;
	/** Default `first-contact`, in which nothing is woken: nobody in here decides or writes. */
	readonly mode?: StoredMode;
	/** Rows and other statements before the trigger starts. */
	readonly setup?: string;
	/** Another way to reach the sync store, such as a relay that can be cut. */
	readonly storeAt?: (settings: ConnectionSettings) => ConnectionSettings;
}

/** One database for the stores of a test file, each in a schema of its own: making a database takes a while. */
let storeDatabase: Promise<TestDatabase> | null = null;

afterAll(async () => await (await storeDatabase)?.drop());

const NODE = { name: 'Postgres CDC Trigger', type: 'postgresCdcTrigger' } as INode;

export async function openTriggerLab(name: string, options: LabOptions = {}): Promise<TriggerLab> {
	const source = await openTestDatabase(name, options.server ? { server: options.server } : {});
	storeDatabase ??= openTestDatabase('stores');
	const { settings: storeSettings } = await storeDatabase;
	await source.pool.query(`${TABLES} ${options.setup ?? ''}`);
	let trips = 0;
	const pool = new pg.Pool({ ...(options.storeAt?.(storeSettings) ?? storeSettings), max: 5 });
	const schema = `store_${randomBytes(6).toString('hex')}`;
	const store = new PostgresStore(pool, { schema, graceMs: 50, onRoundTrip: () => (trips += 1) });
	await store.migrate();
	const observing = observingWith(store);
	const n8n = fakeN8n(observing);
	const slot = `lab_${randomBytes(6).toString('hex')}`;
	const storeSource: StoreSource = {
		kind: 'store',
		policy: 'lab',
		system: 'crm',
		readsAfterGap: false,
		sweepMs: 100,
	};
	const settings: TriggerSettings = {
		connection: source.settings,
		publication: 'lab',
		slot,
		maxChanges: 1_000,
		maxWaitMs: 20,
		polling: null,
		source: storeSource,
	};
	const running: RunningTrigger[] = [];
	const lab: TriggerLab = {
		source,
		store,
		n8n,
		settings,
		observing,
		storeTrips: () => trips,
		async start(overrides = {}) {
			const host = overrides.n8n ?? n8n;
			const { polling = null, isPatient = false } = overrides;
			const parts = {
				openStore: async () => ({ value: store, release: () => undefined }),
				settings: { ...settings, ...overrides.settings, polling, ...(polling ? { slot: POLLED } : {}) },
				source: { ...storeSource, ...overrides.source },
				host,
				asNodeError: (error: unknown): NodeOperationError => nodeError(NODE, error),
				timing: { ...TIMING, turnMs: overrides.turnMs, silenceTimeoutMs: overrides.silenceTimeoutMs, slotWatchMs: overrides.slotWatchMs },
			};
			const limits = { isPatient, backOff: TIMING.backOff };
			const trigger = polling
				? await startTrigger(new StorePoller({ ...parts, polling }), host, limits)
				: await startTrigger(new StoreReader(parts), host, limits);
			running.push(trigger);
			return trigger;
		},
		sql: async (text) => void (await source.pool.query(text)),
		async publish(text, mode = 'live') {
			const policy = parsePolicy(text);
			const { name: policyName, document } = policy;
			await store.publishPolicy({
				name: policyName,
				document,
				hash: policyHash(policy),
				by: 'test',
				initialMode: mode,
			});
		},
		async stream() {
			const record = (await store.load({ policy: 'lab' })).streams['crm'];
			if (!record) throw new Error('the stream is not registered');
			return record;
		},
		slot: async () => await readSlot(source.pool, slot),
		async waitUntilAcknowledged() {
			const { rows } = await source.pool.query<{ lsn: string }>(
				'select pg_current_wal_lsn() as lsn',
			);
			await waitUntil(`the acknowledgement of ${rows[0]?.lsn}`, async () => {
				const { rows: slots } = await source.pool.query(
					'select 1 from pg_replication_slots where slot_name = $1 and confirmed_flush_lsn >= $2',
					[slot, rows[0]?.lsn],
				);
				return slots.length > 0;
			});
		},
		async waitUntilReading() {
			// While a slot is made it counts as being read, too.
			await waitUntil('the slot to be read', async () => {
				const { streams } = await store.load({ policy: 'lab' });
				const isRead = streams['crm'] !== undefined && streams['crm'].snapshot !== 'running';
				return isRead && ((await lab.slot())?.activePid ?? null) !== null;
			});
		},
		async close() {
			await Promise.all(running.map(async (trigger) => await trigger.close()));
			await store.close();
			await source.drop();
		},
	};
	await lab.publish(LAB_POLICY, options.mode ?? 'first-contact');
	return lab;
}

function observingWith(store: PostgresStore): FakeWorkflow {
	return async (events: readonly ChangeEvent[]) => {
		try {
			const results = await observeBatch(store, 'lab', events);
			return results.some((result) => result instanceof SyncError) ? 'error' : 'success';
		} catch {
			return 'error'; // As n8n: the execution fails, and nobody above hears why.
		}
	};
}

/** A lab for one test, closed after it. */
export async function withLab(
	options: LabOptions,
	work: (lab: TriggerLab) => Promise<void>,
): Promise<void> {
	const lab = await openTriggerLab(expect.getState().currentTestName ?? 'trigger', options);
	try {
		await work(lab);
	} catch (error) {
		// What the trigger said is what one would look at first.
		process.stderr.write(`${lab.n8n.logs.slice(-20).join('\n')}\n`);
		throw error;
	} finally {
		await lab.close();
	}
}
