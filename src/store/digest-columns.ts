import type { DigestShape } from '../core/row-digest';

/** Where a link `l` keeps the hashes by this shape; its tag stands before them. */
export const keyIn = ({ place }: DigestShape): string => `l.digests[${3 * place + 2}]`;
export const rowIn = ({ place }: DigestShape): string => `l.digests[${3 * place + 3}]`;

/** Both as `HashedBucket` has them; of a link that has a row by this shape. */
export const hashIn = (shape: DigestShape): string => `${keyIn(shape)} || ' ' || coalesce(${rowIn(shape)}::text, '-')`;

/** A condition: the link has no digest by one of these shapes. */
export const isStale = (shapes: readonly DigestShape[]): string =>
	shapes.map(({ tag, place }) => `l.digests[${3 * place + 1}] is distinct from ${tag}`).join(' or ');
