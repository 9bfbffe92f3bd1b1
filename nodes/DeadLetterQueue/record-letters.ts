import type { Json } from '../../src/core/canonical-json';
import { compareVersions } from '../../src/core/record-version';
import type { ReviewChange, ReviewItem, StoredReview } from '../../src/core/review';

/** Of which record a letter is, and of which version of it. Empty where the workflow does not say. */
export interface OfRecord {
	readonly record: string;
	readonly version: string;
}

interface RecordDetail extends OfRecord {
	readonly [name: string]: Json;
	/** The latest version that is known to have succeeded; '' for none. */
	readonly succeeded: string;
}

/**
 * What becomes of a letter about a record: there is one of each record, about its latest version. An older version than
 * the one that waits, or than one that has succeeded since, is not kept: whoever tried it again would undo the newer one.
 *
 * @returns null when the letter is not to be kept
 */
export function parked(known: StoredReview | undefined, letter: ReviewItem): ReviewItem | null {
	const before = known && detailOf(known);
	const about = detailOf(letter);
	if (!before || !about) return letter;
	const { version } = about;
	if (isOvertaken(version, before.succeeded)) return null;
	if (known.state === 'open' && isOlder(version, before.version)) return null;
	return withDetail(letter, { succeeded: before.succeeded });
}

/**
 * Closes the letter of a record of which this version was written, unless a later one waits. The letter remembers the
 * version, so that an attempt at an older one that fails afterwards is not parked again.
 */
export function succeeded(known: StoredReview, version: string): { changes: ReviewChange[]; closes: boolean } {
	const before = detailOf(known);
	if (!before || isOvertaken(version, before.succeeded)) return { changes: [], closes: false };
	const { id } = known;
	const closes = known.state === 'open' && !isOlder(version, before.version);
	const item = itemOf(withDetail(known, { succeeded: version }));
	const how = known.state === 'open' ? 'superseded' : known.state;
	const by = known.state === 'open' ? 'a later version' : (known.closedBy ?? 'sync');
	const isDone = closes || known.state !== 'open';
	const close: ReviewChange[] = isDone ? [{ action: 'close', id, how, by }] : [];
	return { changes: [{ action: 'open', item }, ...close], closes };
}

/** Null where the letter is about no record. */
export function detailOf({ detail }: Pick<ReviewItem, 'detail'>): RecordDetail | null {
	const { record, version, succeeded: done } = detail as Partial<RecordDetail>;
	if (typeof record !== 'string' || record === '') return null;
	return { record, version: version ?? '', succeeded: done ?? '' };
}

/** Without versions, what comes later is later. */
function isOlder(version: string, than: string): boolean {
	return version !== '' && than !== '' && compareVersions(version, than) === 'older';
}

/** Whether this version, or a later one, is known to have succeeded. */
function isOvertaken(version: string, by: string): boolean {
	if (version === '' || by === '') return false;
	return version === by || isOlder(version, by);
}

function withDetail<T extends ReviewItem>(item: T, more: Record<string, Json>): T {
	return { ...item, detail: { ...(item.detail as Record<string, Json>), ...more } };
}

function itemOf({ state: _state, openedAtMs: _opened, updatedAtMs: _updated, closedBy: _by, ...item }: StoredReview): ReviewItem {
	return item;
}
