import { SyncError } from '../../src/core/errors';
import type { StreamId, SyncStore } from '../../src/store/sync-store';

export type ReviewStore = Pick<SyncStore, 'listReviews' | 'changeReviews'>;

export interface Gap {
	/** One sentence without a full stop. */
	readonly what: string;
	/** Of this gap and no other. */
	readonly token: string;
}

/** The review item about changes of a stream that may be missing. */
export const gapReviewId = ({ policy, system }: StreamId): string => `gap-${policy}-${system}`;

/**
 * Whether a person has agreed to read everything anew after exactly this gap. When nobody has been
 * asked yet, asks.
 *
 * @throws SyncError CHANGES_MISSING as long as nobody has agreed
 */
export async function requireAgreement(
	store: ReviewStore,
	stream: StreamId,
	gap: Gap,
): Promise<void> {
	const id = gapReviewId(stream);
	const [item] = await store.listReviews({ ids: [id], limit: 1 });
	if (item?.token === gap.token && item.state === 'resolved') return;
	if (item?.token !== gap.token || item.state !== 'open') await open(store, stream, gap);
	const { policy, system } = stream;
	throw new SyncError(
		'CHANGES_MISSING',
		`Changes of ${system} may be missing for the policy "${policy}". ${gap.what}. Review item: ${id}`,
		{ details: { review: id, token: gap.token } },
	);
}

async function open(
	store: ReviewStore,
	{ policy, system }: StreamId,
	{ what, token }: Gap,
): Promise<void> {
	const id = gapReviewId({ policy, system });
	await store.changeReviews(policy, [
		{
			action: 'open',
			item: {
				id,
				kind: 'approval',
				policy,
				link: null,
				entity: null,
				fields: [],
				reason: `Changes of ${system} may be missing. ${what}. Whoever agrees lets all rows of ${system} be read anew; what then differs is decided by the policy`,
				token,
				detail: { system, what, keepsMode: true },
			},
		},
	]);
}
