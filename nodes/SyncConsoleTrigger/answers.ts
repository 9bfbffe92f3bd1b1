import { html, query, type Html } from '../../src/console/html';
import { documentOf, type Frame, notice, type Page } from '../../src/console/layout';
import type { LinkState } from '../../src/core/link';
import type { Resolution } from '../../src/core/resolve';
import type { StoredReview } from '../../src/core/review';
import type { ResolvingStore } from '../../src/store/resolve-review';
import type { PublishedPolicy, SyncStore } from '../../src/store/sync-store';
import type { ConsoleStore, Visit } from './visit';

export interface Answer {
	readonly status: number;
	readonly body: string;
}

/** A decision that was carried out. `state`: the record as it was before; null where the item was about none. */
export interface Done {
	readonly review: StoredReview;
	readonly resolution: Resolution;
	readonly state: LinkState | null;
}

/** What came of a form. */
export type Posted =
	| { readonly kind: 'answer'; readonly answer: Answer; readonly done: readonly Done[] }
	/** The browser is sent to a page, so that loading it again repeats nothing. */
	| { readonly kind: 'goto'; readonly address: string; readonly done: readonly Done[] };

export type DecidingStore = ConsoleStore & ResolvingStore & Pick<SyncStore, 'claim' | 'complete' | 'release'>;

/** A request that may change something. */
export type DecidingVisit = Visit & { readonly store: DecidingStore };

export function frameOf({ policy, visitor }: Visit, { mode }: PublishedPolicy): Frame {
	return { policy, mode, person: visitor.name, isReader: visitor.isReader };
}

export function pageAnswer(visit: Visit, published: PublishedPolicy, { page, status = 200, done = [] }: { page: Page; status?: number; done?: readonly Done[] }): Posted {
	return { kind: 'answer', answer: { status, body: documentOf(frameOf(visit, published), page) }, done };
}

/** Nothing was done. @param again - where to look at it as it is now */
export function refusal(visit: Visit, published: PublishedPolicy, { status, text, again }: { status: number; text: string; again: Html | null }): Posted {
	return pageAnswer(visit, published, { status, page: { title: 'Not done', tab: 'reviews', body: notice('bad', text, again) } });
}

export const lookAgain = (id: string): Html => html`<p><a href="${query({ view: 'review', id })}">Look at the item as it is now</a></p>`;

/** Forms that may be posted once: why this one may not; null: it may. */
export function whyNotPosted({ visitor }: Visit, nonce: string | null): [status: number, text: string] | null {
	if (visitor.isReader) return [403, 'You may look, and decide nothing. Ask whoever runs this n8n.'];
	if (nonce === null) return [403, 'This page is too old, or was not made for you. Nothing was changed.'];
	return null;
}

export const SENT_TWICE = 'This page was sent twice. What was sent first counts.';
