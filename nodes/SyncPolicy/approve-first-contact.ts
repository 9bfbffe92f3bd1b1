import type { IDataObject } from 'n8n-workflow';

import { SyncError } from '../../src/core/errors';
import { policyInForce, requirePublished } from '../../src/store/published-policy';
import type { Loaded, SyncStore } from '../../src/store/sync-store';
import { firstContactReviewId } from '../PostgresCdcTrigger/approval';
import { nextStep } from './publish';

/**
 * Ends the first contact: the policy is live from here on. Not before every system has been read
 * to the end, for a record that has not been read yet looks like one that is not there.
 *
 * @throws SyncError FIRST_CONTACT_INCOMPLETE, naming the systems; POLICY_UNPUBLISHED
 */
export async function approveFirstContact(
	store: Pick<SyncStore, 'load' | 'setMode' | 'changeReviews'>,
	{ policy, by }: { policy: string; by: string },
): Promise<IDataObject> {
	const loaded = await store.load({ policy });
	const published = requirePublished(loaded, policy);
	const { mode, version } = published;
	if (mode !== 'first-contact') {
		return {
			policy,
			version,
			mode,
			approved: false,
			nextStep: `There is no first contact to approve. ${nextStep(mode, policy)}`,
		};
	}
	const unread = policyInForce(published).policy.systems.flatMap((system) =>
		whyUnread(loaded, system),
	);
	if (unread.length > 0) {
		throw new SyncError(
			'FIRST_CONTACT_INCOMPLETE',
			`The first contact of "${policy}" cannot be approved yet: ${unread.join('; ')}`,
		);
	}
	await store.setMode(policy, 'live');
	await store.changeReviews(policy, [
		{ action: 'close', id: firstContactReviewId(policy), how: 'resolved', by },
	]);
	return { policy, version, mode: 'live', approved: true, by, nextStep: nextStep('live', policy) };
}

function whyUnread({ streams }: Loaded, system: string): string[] {
	const stream = streams[system];
	if (!stream)
		return [`${system} has not been read at all: activate the workflow with its trigger`];
	return stream.snapshot === 'running' ? [`the rows of ${system} are still being read`] : [];
}
