import type { StreamId } from './stream-record';

/** The review item about changes of a stream that may be missing. */
export const gapReviewId = ({ policy, system }: StreamId): string => `gap-${policy}-${system}`;
