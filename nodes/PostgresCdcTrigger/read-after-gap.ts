import type { Position } from '../../src/core/position';
import { gapReviewId } from '../../src/store/gap-review';
import { type ResolvingStore, resolveReview } from '../../src/store/resolve-review';
import type { StreamId } from '../../src/store/stream-record';
import type { SyncStore } from '../../src/store/sync-store';
import type { Log } from './deliver';
import { askAboutGap, type Gap } from './gap';

const BY = 'Existing Rows: When Needed';
/** A slot that is lost again so soon would be lost for ever: reading takes longer than the server keeps its log. */
const PAUSE_MS = 60 * 60_000;

/**
 * Agrees to a gap in a person's place, as they said beforehand: all rows are read anew. Not where the system may have been put
 * back to an older copy, and not twice within an hour; then a person is asked, as always.
 *
 * @param lookCloser - see `requireAgreement`
 */
export async function agreeByItself(
	store: ResolvingStore & Pick<SyncStore, 'figures'>,
	stream: StreamId,
	{ gap, lookCloser, log }: { gap: Gap; lookCloser: () => Promise<Position | null>; log: Log },
): Promise<void> {
	if (gap.restoredTo !== null) return;
	const id = gapReviewId(stream);
	const [item] = await store.listReviews({ ids: [id], limit: 1 });
	if (item?.token === gap.token && item.state === 'resolved') return;
	const { nowMs } = await store.figures({ policy: stream.policy });
	if (item?.closedBy === BY && nowMs - item.updatedAtMs < PAUSE_MS) {
		log.warn(`${gap.what}. It is not an hour since the rows of ${stream.system} were read anew for such a reason, so a person is asked`);
		return;
	}
	if ((await lookCloser()) !== null) return;
	await askAboutGap(store, stream, gap);
	await resolveReview(store, { review: id, token: gap.token, by: BY, choice: { kind: 'retry' } });
	log.warn(`${gap.what}. Changes may be missing: all rows of ${stream.system} are read anew, as "Existing Rows" says`);
}
