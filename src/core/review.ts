import type { Json } from './canonical-json';
import type { ReviewKind } from './link';

/** Something a person must decide; at most one open item per (link, field). */
export interface ReviewItem {
	/** `<link>.<n>` for an item about a link; any other text for one about a whole policy. */
	readonly id: string;
	readonly kind: ReviewKind;
	readonly policy: string;
	/** Null for an item about the policy as a whole (approval of first contact, a wiring fault). */
	readonly link: string | null;
	readonly entity: string | null;
	readonly fields: readonly string[];
	/** One sentence: why nothing could decide. Names fields and systems, never values. */
	readonly reason: string;
	/** Changes whenever what the person saw no longer holds; a resolution must carry it. */
	readonly token: string;
	/** Both versions, their vectors, the base and the rule, as data for the page. */
	readonly detail: Json;
}

/** An item as the store returns it; times by the store's clock, milliseconds since 1970. */
export interface StoredReview extends ReviewItem {
	readonly state: 'open' | 'resolved' | 'dismissed' | 'superseded';
	readonly openedAtMs: number;
	readonly updatedAtMs: number;
	readonly closedBy: string | null;
}

/** What a commit does to the queue, in the same step as the state it belongs to. */
export type ReviewChange =
	| { readonly action: 'open'; readonly item: ReviewItem }
	| {
			readonly action: 'close';
			readonly id: string;
			readonly how: 'resolved' | 'dismissed' | 'superseded';
			readonly by: string;
	  };
