import type { Json } from '../core/canonical-json';
import type { Offered } from '../core/due-age';
import type { ReviewKind } from '../core/link';

export interface FiguresRequest {
	readonly policy: string;
	/** Journal entries after this one are counted. Absent: none are, and the last one is looked up. */
	readonly afterSeq?: string;
}

/** What a store counts. */
export interface StoreFigures {
	/** The store's clock, milliseconds since 1970. */
	readonly nowMs: number;
	readonly due: {
		/** Up to `MAX_DUE_COUNTED`. */
		readonly count: number;
		/** `MAX_WAITING` of those that were offered most often. */
		readonly waiting: readonly WaitingLink[];
	};
	/** Open items, by kind; a kind of which there are none is left out. */
	readonly reviews: readonly { readonly kind: ReviewKind; readonly count: number; readonly oldestAtMs: number }[];
	readonly journal: {
		/** Where to count from next time. */
		readonly lastSeq: string;
		/** By kind of entry. */
		readonly counts: Readonly<Record<string, number>>;
	};
}

export interface WaitingLink extends Offered {
	/** Systems with an operation that is under way, sorted. */
	readonly inFlight: readonly string[];
}

export const MAX_DUE_COUNTED = 1_000_000;
export const MAX_WAITING = 200;

export type Grain = 'last' | 'minute' | 'hour';

/** Figures of one moment, for plots, and for what the next look has to know. */
export interface Sample {
	/** What it is about. */
	readonly series: string;
	readonly grain: Grain;
	/** Where its minute or hour begins, milliseconds since 1970; of `last`, 0. */
	readonly atMs: number;
	readonly values: Json;
}

export interface SampleFilter {
	readonly policy: string;
	readonly grain: Grain;
	/** Default: all. */
	readonly series?: string;
	/** Default: from the first one on. */
	readonly fromMs?: number;
}

const DAY_MS = 86_400_000;

/** How long samples are kept, by the store's clock: a week by the minute, three months by the hour. */
export const KEPT_MS: Readonly<Record<Exclude<Grain, 'last'>, number>> = { minute: 7 * DAY_MS, hour: 90 * DAY_MS };
