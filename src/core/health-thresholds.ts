/** From where on a figure is a warning, and critical. */
export interface Limits {
	readonly warning: number;
	readonly critical: number;
}

export interface Thresholds {
	/** From a change in a system's database until the sync has observed it. */
	readonly lagMs: Limits;
	readonly lagBytes: Limits;
	/** Log that a slot keeps on the disk of its server. */
	readonly slotBytes: Limits;
	/** Of the room that `max_slot_wal_keep_size` gives a slot, what is left, in percent: less is worse. */
	readonly slotRoomPercent: Limits;
	/** Records that wait to be looked at. */
	readonly queueDepth: Limits;
	readonly queueAgeMs: Limits;
	/** A write that was decided and of which nobody has heard. */
	readonly unsettledMs: Limits;
	/** A question that waits for a person. */
	readonly reviewMs: Limits;
	readonly conflictsPerThousand: Limits;
	/** Writes for each change that somebody made: a loop shows here. */
	readonly writesPerChange: Limits;
	/** Below so many changes, or writes, a rate says nothing. */
	readonly minTraffic: number;
	/** How old the last comparison of the systems may be; 0: nobody compares them here. */
	readonly comparedMs: number;
	/** A measurement that is older counts as none. */
	readonly staleMs: number;
	/** So long without a measurement is critical. */
	readonly unmeasuredMs: number;
}

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const MIB = 1024 * 1024;
const GIB = 1024 * MIB;

export const DEFAULT_THRESHOLDS: Thresholds = {
	lagMs: { warning: MINUTE, critical: 5 * MINUTE },
	lagBytes: { warning: 256 * MIB, critical: GIB },
	slotBytes: { warning: GIB, critical: 5 * GIB },
	slotRoomPercent: { warning: 50, critical: 20 },
	queueDepth: { warning: 10_000, critical: 100_000 },
	queueAgeMs: { warning: 15 * MINUTE, critical: HOUR },
	unsettledMs: { warning: 10 * MINUTE, critical: HOUR },
	reviewMs: { warning: 24 * HOUR, critical: 7 * 24 * HOUR },
	conflictsPerThousand: { warning: 20, critical: 200 },
	writesPerChange: { warning: 3, critical: 10 },
	minTraffic: 50,
	comparedMs: 48 * HOUR,
	staleMs: 5 * MINUTE,
	unmeasuredMs: 15 * MINUTE,
};
