import type { SlotState } from '../../src/postgres/slot';
import type { StreamId, StreamRecord } from '../../src/store/stream-record';
import { defaultName } from '../PostgresCdcTrigger/settings';

/**
 * Whose a slot is, as far as the sync store can tell.
 *
 * - `stream`: the stream of a system is registered with it. `left`: called as that stream's would be, but the stream is read
 *   otherwise by now (it is polled, or goes by another name).
 * - `momentary`: ends with the session that made it. `other`: of somebody else, or of a trigger without a sync store.
 */
export type Owner = { readonly kind: 'stream' | 'left'; readonly stream: StreamId } | { readonly kind: 'momentary' | 'other' };

export interface Known {
	readonly policy: string;
	readonly systems: readonly string[];
	/** By system. */
	readonly streams: Readonly<Record<string, StreamRecord>>;
	/** Of the server that has the slots: a slot of the same name on another server is another slot. */
	readonly systemId: string;
}

/** Pure. */
export function ownerOf({ name, isTemporary }: Pick<SlotState, 'name' | 'isTemporary'>, { policy, systems, streams, systemId }: Known): Owner {
	if (isTemporary) return { kind: 'momentary' };
	for (const system of systems) {
		const record = streams[system];
		if (!record || record.systemId !== systemId) continue;
		if (record.slot === name) return { kind: 'stream', stream: { policy, system } };
		if (defaultName('bisync', policy, system) === name) return { kind: 'left', stream: { policy, system } };
	}
	return { kind: 'other' };
}

export interface DropRules {
	/** Dropped whatever their age, and whoever's they are; none: slots of the policy that have been unused for long. */
	readonly names: readonly string[];
	readonly unusedMs: number;
	/** By the server's clock. */
	readonly nowMs: number;
	readonly database: string;
	/** Whether the server is one that follows another: its copies of slots go by themselves. */
	readonly isStandby: boolean;
}

/** Whether a slot is to go, and why or why not; null: it is not in question. */
export type Verdict = { readonly drops: boolean; readonly reason: string } | null;

/** Pure. */
export function judgeSlot(slot: SlotState, owner: Owner, { names, unusedMs, nowMs, database, isStandby }: DropRules): Verdict {
	const isNamed = names.includes(slot.name);
	if (!isNamed && (names.length > 0 || owner.kind === 'momentary' || owner.kind === 'other')) return null;
	const obstacle = isStandby && slot.isSynced ? 'It is a copy of a slot of the primary, and goes when that one does' : obstacleOf(slot, database);
	if (obstacle !== null) return { drops: false, reason: obstacle };
	if (isNamed) return { drops: true, reason: 'It is named, and nobody reads from it' };
	const { inactiveSinceMs } = slot;
	if (inactiveSinceMs === null) return { drops: false, reason: 'The server does not say since when nobody reads from it (it does from Postgres 17 on): name it, if it is to go' };
	const forMs = nowMs - inactiveSinceMs;
	const drops = forMs >= unusedMs;
	return { drops, reason: `Nobody has read from it for ${hours(forMs)}${drops ? '' : `, less than ${hours(unusedMs)}`}` };
}

function obstacleOf({ activePid, activeApplication, isTemporary, plugin, database: its }: SlotState, database: string): string | null {
	if (activePid !== null) return `It is being read by process ${activePid}${activeApplication ? ` (${activeApplication})` : ''}`;
	if (isTemporary) return 'It ends with the session that made it';
	if (plugin !== 'pgoutput') return `It is ${plugin === null ? 'a physical slot, perhaps that of a standby' : `one of ${plugin}`}, and no trigger reads from it`;
	if (its !== database) return `It belongs to the database "${its}": use a credential for that one`;
	return null;
}

function hours(ms: number): string {
	const whole = Math.floor(ms / 3_600_000);
	return whole < 48 ? `${whole} h` : `${Math.floor(whole / 24)} days`;
}
