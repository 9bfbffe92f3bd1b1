import type { LagFigures, Measurement, SlotFigures } from './health-figures';
import { formatLsn, parseLsn } from './lsn';

/** A small message in a system's log. Places in the log carry the stream's lineage, so that those of a newer one come after all earlier ones. */
export interface Heartbeat {
	readonly lsn: bigint;
	/** By the store's clock, milliseconds since 1970. */
	readonly sentMs: number;
	/** Null: it had not arrived when the wait was over. */
	readonly arrivedMs: number | null;
	/** How far the stream has been observed. */
	readonly reached: bigint;
}

/** What one look at a system's database found. */
export interface Found {
	readonly atMs: number;
	/** Why nothing was found; null: it was. */
	readonly failure: string | null;
	readonly slot: Omit<SlotFigures, 'idleSinceMs'> | null;
	readonly heartbeat: Heartbeat | null;
}

const NEVER: Measurement = { atMs: 0, failure: null, lastGoodMs: null, slot: null, lag: null };

/** Puts what was found after what was found before: what lasts longer than one look is known by that alone. */
export function nextMeasurement(before: Measurement | null, { atMs, failure, slot, heartbeat }: Found): Measurement {
	if (failure !== null) return { ...(before ?? NEVER), atMs, failure };
	const idleSinceMs = slot === null || slot.isActive ? null : (before?.slot?.idleSinceMs ?? atMs);
	return {
		atMs,
		failure,
		lastGoodMs: atMs,
		slot: slot && { ...slot, idleSinceMs },
		lag: heartbeat && lagAfter(before?.lag?.open ?? null, heartbeat, atMs),
	};
}

function lagAfter(before: LagFigures['open'], { lsn, sentMs, arrivedMs, reached }: Heartbeat, atMs: number): LagFigures {
	const bytes = Number(lsn > reached ? lsn - reached : 0n);
	if (before !== null && parseLsn(before.lsn) > reached) return { ms: atMs - before.sinceMs, open: before, bytes };
	if (arrivedMs !== null) return { ms: Math.max(0, arrivedMs - sentMs), open: null, bytes };
	return { ms: atMs - sentMs, open: { lsn: formatLsn(lsn), sinceMs: sentMs }, bytes };
}
