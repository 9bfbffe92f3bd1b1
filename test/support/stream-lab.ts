import { randomBytes } from 'node:crypto';

import {
	type ChangeStream,
	type ChangeStreamSettings,
	openChangeStream,
} from '../../src/postgres/change-stream';
import { createSlot } from '../../src/postgres/create-slot';
import { readSlot, type SlotState } from '../../src/postgres/slot';
import type { RowChange, SourceTransaction } from '../../src/postgres/source-transaction';
import type { PostgresServer } from './embedded-postgres';
import type { PostgresVersion } from './postgres-binaries';
import { openTestDatabase, type TestDatabase } from './test-database';

/** A database with a published table, a slot, and streams that are closed with it. */
export interface StreamLab {
	readonly database: TestDatabase;
	readonly slot: string;
	/** Runs statements (several at once are one transaction) as the superuser. */
	sql(text: string): Promise<void>;
	/** Opens a stream on the slot. */
	open(overrides?: Partial<ChangeStreamSettings>): Promise<ChangeStream>;
	slotState(): Promise<SlotState>;
	close(): Promise<void>;
}

export interface LabOptions {
	readonly version?: PostgresVersion;
	readonly server?: PostgresServer;
	/** Runs before the slot is made. */
	readonly setup: string;
}

/** The publication is called `lab` and covers all tables, unless `setup` makes one of that name. */
export async function openStreamLab(name: string, options: LabOptions): Promise<StreamLab> {
	const { setup, ...where } = options;
	const database = await openTestDatabase(name, where);
	const { pool, settings } = database;
	await pool.query(setup);
	await pool.query(
		`do $$ begin
		   if not exists (select from pg_publication where pubname = 'lab') then
		     create publication lab for all tables;
		   end if;
		 end $$`,
	);
	const slot = `lab_${randomBytes(6).toString('hex')}`;
	await (await createSlot(settings, { name: slot })).release();
	const streams: ChangeStream[] = [];
	return {
		database,
		slot,
		async sql(text) {
			await pool.query(text);
		},
		async open(overrides = {}) {
			const stream = await openChangeStream({
				connection: settings,
				slot,
				publications: ['lab'],
				...overrides,
			});
			streams.push(stream);
			return stream;
		},
		async slotState() {
			const state = await readSlot(pool, slot);
			if (!state) throw new Error(`slot ${slot} is gone`);
			return state;
		},
		async close() {
			await Promise.all(streams.map((stream) => stream.close()));
			await database.drop();
		},
	};
}

/** Takes the next transactions without acknowledging them. */
export async function take(stream: ChangeStream, count: number): Promise<SourceTransaction[]> {
	const taken: SourceTransaction[] = [];
	for await (const transaction of stream.transactions()) {
		taken.push(transaction);
		if (taken.length === count) break;
	}
	return taken;
}

export async function takeOne(stream: ChangeStream): Promise<SourceTransaction> {
	const [transaction] = await take(stream, 1);
	if (!transaction) throw new Error('the stream ended');
	return transaction;
}

/** Takes and acknowledges everything in the background, until the stream is closed. */
export async function drain(stream: ChangeStream): Promise<void> {
	for await (const { endLsn } of stream.transactions()) stream.acknowledge(endLsn);
}

export function rowsOf({ changes }: SourceTransaction): RowChange[] {
	return changes.filter((change) => change.kind === 'row');
}
