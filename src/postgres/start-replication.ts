import { randomBytes } from 'node:crypto';

import type pg from 'pg';

import { SyncError } from '../core/errors';
import { formatLsn } from '../core/lsn';
import { connectForReplication, type PgSettings } from './connect';
import {
	copySlotTemporarily,
	identifySystem,
	readSlot,
	slotBusy,
	slotProblem,
	type SlotState,
	type SystemIdentity,
} from './slot';
import { codeOf, ident, literal, query } from './sql';
import { streamError } from './stream-errors';

export interface StartSettings {
	readonly connection: PgSettings;
	readonly slot: string;
	/** They must have existed before the changes that are to be read. */
	readonly publications: readonly string[];
	/** Where to start, if that is after what the slot has confirmed; whole transactions before it are left out. */
	readonly startLsn?: bigint | undefined;
	/**
	 * Reads through a copy of the slot that ends with the stream: nothing that is acknowledged moves
	 * the slot itself. For test runs.
	 */
	readonly temporaryCopy?: boolean | undefined;
}

/** A session that is ready to stream from a slot. */
export interface ReplicationSession {
	readonly client: pg.Client;
	/** The slot's name, or that of its copy. */
	readonly slot: string;
	readonly confirmedLsn: bigint;
	readonly system: SystemIdentity;
	/** The server's wal_sender_timeout; 0 for none. */
	readonly senderTimeoutMs: number;
}

/**
 * Connects and checks slot and publications.
 *
 * @throws SyncError SLOT_MISSING, SLOT_BUSY, SLOT_LOST, SLOT_UNUSABLE, SLOT_LIMIT, PUBLICATION_MISSING,
 * PRIVILEGE_MISSING, and those of `connect`
 */
export async function openReplicationSession(settings: StartSettings): Promise<ReplicationSession> {
	const client = await connectForReplication(settings.connection);
	try {
		const system = await identifySystem(client);
		const senderTimeoutMs = await readSenderTimeout(client);
		await checkPublications(client, settings.publications);
		const state = await checkSlot(client, settings);
		const slot = settings.temporaryCopy ? await copySlot(client, state) : state.name;
		return { client, slot, system, senderTimeoutMs, confirmedLsn: state.confirmedLsn ?? 0n };
	} catch (error) {
		await client.end();
		throw error;
	}
}

async function readSenderTimeout(client: pg.Client): Promise<number> {
	const [row] = await query<{ ms: string }>(
		client,
		`select setting as ms from pg_settings where name = 'wal_sender_timeout'`,
	);
	return Number(row?.ms ?? 0);
}

/** A missing publication is an error at the first change up to Postgres 17, and a mere warning later. */
async function checkPublications(client: pg.Client, names: readonly string[]): Promise<void> {
	const list = names.map(literal).join(', ');
	const rows = await query<{ pubname: string }>(
		client,
		`select pubname from pg_publication where pubname in (${list})`,
	);
	const present = new Set(rows.map(({ pubname }) => pubname));
	const missing = names.filter((name) => !present.has(name));
	if (missing.length > 0) {
		throw new SyncError('PUBLICATION_MISSING', `There is no publication "${missing.join('", "')}"`);
	}
}

async function checkSlot(client: pg.Client, settings: StartSettings): Promise<SlotState> {
	const slot = await readSlot(client, settings.slot);
	const problem = slotProblem(slot, settings.slot, settings.connection.database);
	if (problem) throw problem;
	if (slot!.activePid !== null && !settings.temporaryCopy) throw slotBusy(settings.slot, slot);
	return slot!;
}

async function copySlot(client: pg.Client, { name }: SlotState): Promise<string> {
	// Slot names have at most 63 characters.
	const copy = `${name.slice(0, 45)}_copy_${randomBytes(4).toString('hex')}`;
	await copySlotTemporarily(client, name, copy);
	return copy;
}

/**
 * Makes the server stream. Its first messages may arrive in the same packet as its consent, so
 * whoever wants them listens to the connection's `copyData` before this call.
 *
 * @returns a function that waits for the end of the stream, and throws when it ends with an error
 * @throws SyncError SLOT_BUSY, SLOT_LOST, PRIVILEGE_MISSING, CONNECTION_LOST, STREAM_FAILED
 */
export async function startReplication(
	{ client, slot }: ReplicationSession,
	settings: StartSettings,
): Promise<() => Promise<unknown>> {
	const publications = settings.publications.map(ident).join(',');
	const ended = client.query(
		`START_REPLICATION SLOT ${ident(slot)} LOGICAL ${formatLsn(settings.startLsn ?? 0n)} ` +
			`(proto_version '1', publication_names ${optionText(publications)}, messages 'true')`,
	);
	const started = new Promise<void>((resolve) => {
		client.connection.once('replicationStart', () => resolve());
	});
	try {
		await Promise.race([started, ended]);
		return async () => await ended;
	} catch (error) {
		throw await startError(error, client, settings);
	}
}

const OBJECT_IN_USE = '55006';

/** The slot may have changed since it was checked; its state says more than the error's text. */
async function startError(
	error: unknown,
	client: pg.Client,
	settings: StartSettings,
): Promise<Error> {
	const mapped = streamError(error);
	if (mapped.code === 'CONNECTION_LOST') return mapped;
	const slot = await readSlot(client, settings.slot);
	if (codeOf(error) === OBJECT_IN_USE) return slotBusy(settings.slot, slot, error);
	return slotProblem(slot, settings.slot, settings.connection.database) ?? mapped;
}

/** Replication commands know no backslashes and no E'' texts. */
function optionText(text: string): string {
	return `'${text.replaceAll("'", "''")}'`;
}
