import type { SlotState } from '../../src/postgres/slot';

/** A slot that nobody reads from, in good health. */
export const IDLE_SLOT: SlotState = {
	name: 'bisync',
	plugin: 'pgoutput',
	database: 'crm',
	isTemporary: false,
	activePid: null,
	activeApplication: null,
	restartLsn: 1n,
	confirmedLsn: 1n,
	walStatus: 'reserved',
	safeWalBytes: null,
	retainedWalBytes: 0,
	unacknowledgedWalBytes: 0,
	invalidationReason: null,
	isFailover: false,
	isSynced: false,
	inactiveSinceMs: null,
};
