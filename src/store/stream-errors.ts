import { SyncError } from '../core/errors';
import type { Position } from '../core/position';
import type { StreamAdvance } from './sync-store';
import type { StreamId } from './stream-record';

/** The events to be committed do not follow on what has been observed. */
export function streamGap(
	policy: string,
	{ system, from }: StreamAdvance,
	position: Position,
): SyncError {
	return new SyncError(
		'STREAM_GAP',
		`Changes of ${system} after ${position} up to ${from} were never observed for the policy "${policy}", so what follows them was refused`,
		{ details: { policy, system, after: position, upTo: from } },
	);
}

/** No trigger has registered this stream here. */
export function streamUnknown({ policy, system }: StreamId): SyncError {
	return new SyncError(
		'STREAM_UNKNOWN',
		`No trigger has registered a stream of ${system} for the policy "${policy}" in this sync store`,
		{ details: { policy, system } },
	);
}

export function policyUnpublished(policy: string): SyncError {
	return new SyncError(
		'POLICY_UNPUBLISHED',
		`The policy "${policy}" has not been published to this sync store`,
	);
}
