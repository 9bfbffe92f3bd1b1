import { SyncError } from '../../src/core/errors';
import type { Position } from '../../src/core/position';
import type { StoredReview } from '../../src/core/review';
import { gapReviewId } from '../../src/store/gap-review';
import type { SyncStore } from '../../src/store/sync-store';
import type { StreamId } from '../../src/store/stream-record';

export type ReviewStore = Pick<SyncStore, 'listReviews' | 'changeReviews'>;

export interface Gap {
	/** One sentence without a full stop. */
	readonly what: string;
	/** Of this gap and no other. */
	readonly token: string;
	/** See `RecordChange`; null: nothing that the server says of itself shows that the system has been put back. */
	readonly restoredTo: Position | null;
}

/**
 * Whether a person has agreed to read everything anew after exactly this gap. When nobody has been
 * asked yet, asks.
 *
 * @param lookCloser - looks for such a place where the server does not show one
 * @returns up to which place the system held what was observed, as it was found when the person was asked
 * @throws SyncError CHANGES_MISSING as long as nobody has agreed
 */
export async function requireAgreement(
	store: ReviewStore,
	stream: StreamId,
	gap: Gap,
	lookCloser: () => Promise<Position | null>,
): Promise<Position | null> {
	const id = gapReviewId(stream);
	const [item] = await store.listReviews({ ids: [id], limit: 1 });
	if (item?.token === gap.token && item.state === 'resolved') return restoredToOf(item);
	if (item?.token !== gap.token || item.state !== 'open') {
		await askAboutGap(store, stream, { ...gap, restoredTo: gap.restoredTo ?? (await lookCloser()) });
	}
	const { policy, system } = stream;
	throw new SyncError(
		'CHANGES_MISSING',
		`Changes of ${system} may be missing for the policy "${policy}". ${gap.what}. Review item: ${id}`,
		{ details: { review: id, token: gap.token } },
	);
}

/** Opens the item, which then is about this gap. */
export async function askAboutGap(
	store: Pick<ReviewStore, 'changeReviews'>,
	{ policy, system }: StreamId,
	{ what, token, restoredTo }: Gap,
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
				reason: `Changes of ${system} may be missing. ${what}. Whoever agrees lets all rows of ${system} be read anew; ${consequence(system, restoredTo)}`,
				token,
				detail: { system, what, keepsMode: true, restoredTo },
			},
		},
	]);
}

function consequence(system: string, restoredTo: Position | null): string {
	if (restoredTo === null) return 'what then differs is decided by the policy';
	return `it may be an older copy, so what differs in records that changed after it was made is no edit: ${system} gets back what it lost, and the journal keeps what stood there`;
}

function restoredToOf({ detail }: StoredReview): Position | null {
	const restoredTo = typeof detail === 'object' && detail !== null && 'restoredTo' in detail ? detail['restoredTo'] : null;
	return typeof restoredTo === 'string' ? restoredTo : null;
}
