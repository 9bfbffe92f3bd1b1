import type { DigestShape } from '../core/row-digest';

/** Where a link's row keeps the hashes by this shape; its tag stands before them. */
export const keyIn = ({ place }: DigestShape): string => `l.digests[${3 * place + 2}]`;
export const rowIn = ({ place }: DigestShape): string => `l.digests[${3 * place + 3}]`;
