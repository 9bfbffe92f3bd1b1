import type { IDataObject } from 'n8n-workflow';

import type { ReviewItem } from '../../src/core/review';

/** Ids of letters about a write begin so, those about anything else so. */
export const WRITE_PREFIX = 'write-';
export const LETTER_PREFIX = 'letter-';

/** Whether the item is about a write that had no outcome, and so ends when that write has one. */
export function isWriteLetter({ id }: Pick<ReviewItem, 'id'>): boolean {
	return id.startsWith(WRITE_PREFIX);
}

/** Whether the item was pushed by a workflow with a payload of its own. */
export function isPlainLetter({ id }: Pick<ReviewItem, 'id'>): boolean {
	return id.startsWith(LETTER_PREFIX);
}

/** What a workflow pushed, which comes out again when somebody lets it be retried; null for any other item. */
export function payloadOf(review: Pick<ReviewItem, 'id' | 'detail'>): IDataObject | null {
	const { payload = null } = review.detail as { payload?: IDataObject };
	return isPlainLetter(review) ? payload : null;
}
