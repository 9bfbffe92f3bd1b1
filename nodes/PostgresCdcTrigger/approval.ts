import type { PublishedPolicy, StreamRecord, SyncStore } from '../../src/store/sync-store';

/** The review item in which a person approves the first contact of a policy's systems. */
export const firstContactReviewId = (policy: string): string => `first-contact-${policy}`;

/**
 * Asks for the approval of first contact. Any trigger of the policy may ask, as often as it likes:
 * it is one item, and its token is the policy's hash, so that an approval holds for that version only.
 */
export async function askForApproval(
	store: Pick<SyncStore, 'changeReviews'>,
	published: PublishedPolicy,
	streams: Readonly<Record<string, StreamRecord>>,
): Promise<void> {
	const policy = published.name;
	const read = Object.values(streams).filter(({ snapshot }) => snapshot !== 'running');
	const names = read.map(({ system }) => system).sort();
	await store.changeReviews(policy, [
		{
			action: 'open',
			item: {
				id: firstContactReviewId(policy),
				kind: 'approval',
				policy,
				link: null,
				entity: null,
				fields: [],
				reason: `The rows of ${names.join(' and ')} have been read. Look at the first contact report of Sync Policy; nothing is written before first contact is approved there`,
				token: published.hash,
				detail: { read: names },
			},
		},
	]);
}
