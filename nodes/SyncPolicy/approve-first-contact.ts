import type { IDataObject } from 'n8n-workflow';

import {
	approveFirstContact,
	firstContactReviewId,
	waitsForApproval,
} from '../../src/store/approve-first-contact';
import type { SyncStore } from '../../src/store/sync-store';
import { nextStep } from './publish';

/**
 * Ends the first contact: of a new policy, which is live from here on, or of what a new version of a
 * live one has brought.
 *
 * @throws SyncError FIRST_CONTACT_INCOMPLETE, naming the systems; POLICY_UNPUBLISHED
 */
export async function approve(
	store: Pick<SyncStore, 'load' | 'approve' | 'changeReviews'>,
	{ policy, by }: { policy: string; by: string },
): Promise<IDataObject> {
	const { before, after } = await approveFirstContact(store, { policy });
	const { version, mode } = after;
	const step = nextStep(after);
	if (!waitsForApproval(before)) {
		const nothing = `There is no first contact to approve. ${step}`;
		return { policy, version, mode, approved: false, nextStep: nothing };
	}
	await store.changeReviews(policy, [
		{ action: 'close', id: firstContactReviewId(policy), how: 'resolved', by },
	]);
	return { policy, version, mode, approved: true, scopes: [...before.pending], by, nextStep: step };
}
