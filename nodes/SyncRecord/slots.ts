import type { IDataObject } from 'n8n-workflow';

import { SyncError } from '../../src/core/errors';
import { askServer, type PgSettings } from '../../src/postgres/connect';
import { dropSlot, readSlots, type SlotState } from '../../src/postgres/slot';
import { query, type Queryable } from '../../src/postgres/sql';
import { policyInForce, requirePublished } from '../../src/store/published-policy';
import type { SyncStore } from '../../src/store/sync-store';
import { invalid, nameList, oneOf, optionalText, wholeNumber } from '../shared/settings';
import { type DropRules, judgeSlot, type Known, type Owner, ownerOf } from './own-slots';

export const SLOT_WAYS = ['preview', 'drop'] as const;
const HOUR_MS = 3_600_000;

type ReadingStore = Pick<SyncStore, 'load'>;

export interface SlotsRequest {
	readonly policy: string;
	readonly connection: PgSettings;
}

/** All slots of a server, those that keep most log first, and which of them are the policy's. */
export async function listSlots(store: ReadingStore, request: SlotsRequest): Promise<IDataObject[]> {
	return await withSlots(store, request, async ({ slots, ownerOfSlot, nowMs }) => slots.map((slot) => shown(slot, ownerOfSlot(slot), nowMs)));
}

/**
 * Drops slots that nobody needs: those named, else the policy's own that have been unused for long. Never one that is read.
 *
 * @param read - the node's parameters
 * @throws SyncError INVALID_SETTING for a name that no slot has, PRIVILEGE_MISSING
 */
export async function dropUnusedSlots(store: ReadingStore, read: (name: string) => unknown, request: SlotsRequest): Promise<IDataObject[]> {
	const apply = oneOf('Do', read('slotDo'), SLOT_WAYS) === 'drop';
	const given = optionalText('Slots', read('slotNames'));
	const names = given === '' ? [] : nameList('Slots', given);
	const unusedMs = wholeNumber('Unused for (Hours)', read('slotHours'), 1) * HOUR_MS;
	return await withSlots(store, request, async ({ slots, ownerOfSlot, nowMs, isStandby, drop }) => {
		const missing = names.filter((name) => !slots.some((slot) => slot.name === name));
		if (missing.length > 0) throw invalid('Slots', `names what the server has not: ${missing.join(', ')}`);
		const rules: DropRules = { names, unusedMs, nowMs, isStandby, database: request.connection.database };
		const judged: IDataObject[] = [];
		for (const slot of slots) {
			const owner = ownerOfSlot(slot);
			const verdict = judgeSlot(slot, owner, rules);
			if (verdict === null) continue;
			const done = apply && verdict.drops ? await drop(slot.name) : { dropped: false };
			judged.push({ ...shown(slot, owner, nowMs), ...verdict, ...(verdict.drops ? { consequence: consequence(owner) } : {}), ...done });
		}
		return judged;
	});
}

interface Look {
	readonly slots: readonly SlotState[];
	ownerOfSlot(slot: SlotState): Owner;
	/** By the server's clock. */
	readonly nowMs: number;
	readonly isStandby: boolean;
	drop(name: string): Promise<Dropped>;
}

/** A slot that somebody began to read from since it was looked at stays, and the others go. */
type Dropped = { readonly dropped: boolean; readonly drops?: false; readonly reason?: string };

async function withSlots<T>(store: ReadingStore, { policy, connection }: SlotsRequest, work: (look: Look) => Promise<T>): Promise<T> {
	const loaded = await store.load({ policy });
	const { systems } = policyInForce(requirePublished(loaded, policy)).policy;
	return await askServer(connection, async (client) => {
		const [server] = await query<{ systemId: string; nowMs: string; isStandby: boolean }>(
			client,
			`select system_identifier::text as "systemId", floor(extract(epoch from clock_timestamp()) * 1000)::text as "nowMs",
			        pg_is_in_recovery() as "isStandby" from pg_control_system()`,
		);
		const known: Known = { policy, systems, streams: loaded.streams, systemId: server?.systemId ?? '' };
		const slots = [...(await readSlots(client))].sort((a, b) => (b.retainedWalBytes ?? 0) - (a.retainedWalBytes ?? 0));
		const drop = async (name: string): Promise<Dropped> => await dropIdle(client, name);
		return await work({ slots, nowMs: Number(server?.nowMs), isStandby: server?.isStandby ?? false, ownerOfSlot: (slot) => ownerOf(slot, known), drop });
	});
}

async function dropIdle(db: Queryable, name: string): Promise<Dropped> {
	try {
		return { dropped: await dropSlot(db, name) };
	} catch (error) {
		return busy(error);
	}
}

function busy(error: unknown): Dropped {
	if (error instanceof SyncError && error.code === 'SLOT_BUSY') return { dropped: false, drops: false, reason: error.message };
	throw error;
}

function shown(slot: SlotState, owner: Owner, nowMs: number): IDataObject {
	const { inactiveSinceMs } = slot;
	return {
		slot: slot.name,
		database: slot.database,
		owner: owner.kind,
		policy: 'stream' in owner ? owner.stream.policy : null,
		system: 'stream' in owner ? owner.stream.system : null,
		active: slot.activePid !== null,
		readBy: slot.activeApplication,
		unusedSince: inactiveSinceMs === null ? null : new Date(inactiveSinceMs).toISOString(),
		unusedHours: inactiveSinceMs === null ? null : Math.max(0, Math.floor((nowMs - inactiveSinceMs) / HOUR_MS)),
		keptBytes: slot.retainedWalBytes,
		unacknowledgedBytes: slot.unacknowledgedWalBytes,
		walStatus: slot.walStatus,
		safeBytes: slot.safeWalBytes,
		lostBecause: slot.invalidationReason,
		failover: slot.isFailover,
		temporary: slot.isTemporary,
		plugin: slot.plugin,
	};
}

function consequence(owner: Owner): string {
	switch (owner.kind) {
		case 'stream':
			return `The next start of the trigger of ${owner.stream.system} finds that changes may be missing, and asks a person before it reads all rows anew`;
		case 'left':
			return `None: the trigger of ${owner.stream.system} does not read from it any more`;
		default:
			return 'Whoever reads from it later misses the changes until then; the sync store does not know who that would be';
	}
}
