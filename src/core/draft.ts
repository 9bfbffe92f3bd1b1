import { canonicalJson, sha256Hex, type Json } from './canonical-json';
import type { ExplanationKind, JournalEntry } from './journal';
import { fieldOf, type FieldState, type Freeze, type LinkState } from './link';
import type { Wait } from './references';
import type { ReviewChange, ReviewItem } from './review';

/**
 * A link's state while one pure step (observe, decide, resolve) works on it. The step owns its
 * copy; what it did to the review queue is read off by comparing the queue of the state before
 * with that of the state after, so that state and queue cannot disagree.
 */
export interface Draft {
	readonly state: LinkState;
	readonly journal: JournalEntry[];
	/** The fields that an entry of `explainTogether` names, by what it says. */
	readonly together: Map<string, string[]>;
	/** What had to be left for later. */
	readonly waits: Wait[];
}

export function startDraft(state: LinkState): Draft {
	return { state: copyOf(state), journal: [], together: new Map(), waits: [] };
}

/** Copies what a step may change in place; views, versions and operations are only ever replaced. */
function copyOf(state: LinkState): LinkState {
	const fields = Object.entries(state.fields).map(([name, field]): [string, FieldState] => [
		name,
		{ ...field, views: { ...field.views } },
	]);
	return {
		...state,
		keys: { ...state.keys },
		seen: { ...state.seen },
		fields: Object.fromEntries(fields),
		inFlight: { ...state.inFlight },
		numbers: { ...state.numbers },
		staleRuns: { ...state.staleRuns },
		...(state.dates === undefined ? {} : { dates: { ...state.dates } }),
	};
}

/** Notes why something happened. `about` names the field and the system it concerns. */
export function explain(
	draft: Draft,
	kind: ExplanationKind,
	about: { field?: string; system?: string; detail?: Json },
): void {
	draft.journal.push({ kind, detail: null, ...about });
}

/** The same for fields that share a reason: one entry names them all, or the journal would be longer than the change. */
export function explainTogether(
	draft: Draft,
	kind: ExplanationKind,
	{ field, system, reason }: { field: string; system: string; reason: string },
): void {
	const key = `${kind} ${system} ${reason}`;
	const named = draft.together.get(key);
	if (named) {
		named.push(field);
		return;
	}
	const fields = [field];
	draft.together.set(key, fields);
	explain(draft, kind, { system, detail: { reason, fields } });
}

/** Holds fields still under one new review item. Fields that are held already stay as they are. */
export function freeze(
	draft: Draft,
	fields: readonly string[],
	why: Omit<Freeze, 'review'>,
): void {
	const free = fields.filter((field) => fieldOf(draft.state, field).frozen === null);
	if (free.length === 0) return;
	draft.state.reviewCount += 1;
	const frozen: Freeze = { review: `${draft.state.id}.${draft.state.reviewCount}`, ...why };
	for (const field of free) fieldOf(draft.state, field).frozen = frozen;
	const { waitsFor, shows: _seen, ...plain } = frozen;
	explain(draft, 'review-opened', { detail: { ...plain, ...(waitsFor ? { waitsFor: [...waitsFor] } : {}), fields: free } });
}

/** Holds a field still whose value in `system` the codec refuses; `reason` completes "The value …". */
export function freezeUnreadable(
	draft: Draft,
	{ field, system, reason }: { field: string; system: string; reason: string },
): void {
	freeze(draft, [field], {
		kind: 'failure',
		reason: `The value of ${field} in ${system} cannot be read: it ${reason}`,
	});
}

/** Lets go of all fields that the item holds. */
export function unfreeze(draft: Draft, review: string, how: string): void {
	for (const field of Object.values(draft.state.fields)) {
		if (field.frozen?.review === review) field.frozen = null;
	}
	explain(draft, 'review-closed', { detail: { review, how } });
}

/** The open items of a link, read off its frozen fields; not those that hold other links as well. */
export function openReviews(state: LinkState, policy: string): ReviewItem[] {
	const byReview = new Map<string, { frozen: Freeze; fields: string[] }>();
	for (const [name, { frozen }] of Object.entries(state.fields)) {
		if (frozen === null || !frozen.review.startsWith(`${state.id}.`)) continue;
		const item = byReview.get(frozen.review) ?? { frozen, fields: [] };
		item.fields.push(name);
		byReview.set(frozen.review, item);
	}
	return [...byReview.values()].map(({ frozen, fields }) => ({
		id: frozen.review,
		kind: frozen.kind,
		policy,
		link: state.id,
		entity: state.entity,
		fields: fields.sort(),
		reason: frozen.reason,
		token: reviewToken(state, fields),
		detail: { ...reviewDetail(state, fields), ...answersOf(frozen) },
	}));
}

/** What a person may say yes or no to. */
function answersOf({ proposal, twin, shows }: Freeze): { [name: string]: Json } {
	const seen = shows ? (JSON.parse(JSON.stringify(shows)) as { [name: string]: Json }) : {};
	return { ...(proposal === undefined ? {} : { proposal }), ...(twin === undefined ? {} : { resembles: { link: twin, ...seen } }) };
}

/** Changes whenever a value or vector of one of the fields does: a resolution made on an older one is refused. */
export function reviewToken(state: LinkState, fields: readonly string[]): string {
	// Not what holds the field still, or else: that changes nothing of what is to be decided.
	const seen = [...fields].sort().map((field) => {
		const { merged = null, views = {}, frozen = null } = state.fields[field] ?? {};
		return [field, { merged, views, ...(frozen?.shows ? { shows: frozen.shows } : {}) }];
	});
	return sha256Hex(canonicalJson(seen as Json)).slice(0, 16);
}

/** What the step did to the queue. `closing` says how an item that is gone came to its end. */
export function reviewChanges(
	before: LinkState,
	after: LinkState,
	closing: { policy: string; how: 'resolved' | 'dismissed' | 'superseded'; by: string },
): ReviewChange[] {
	const was = new Map(openReviews(before, closing.policy).map((item) => [item.id, item]));
	const changes: ReviewChange[] = [];
	for (const item of openReviews(after, closing.policy)) {
		if (was.get(item.id)?.token !== item.token) changes.push({ action: 'open', item });
		was.delete(item.id);
	}
	for (const id of was.keys()) {
		changes.push({ action: 'close', id, how: closing.how, by: closing.by });
	}
	return changes;
}

function reviewDetail(state: LinkState, fields: readonly string[]): { [name: string]: Json } {
	const entries = fields.map((field): [string, Json] => {
		const { merged, views } = fieldOf(state, field);
		return [field, JSON.parse(JSON.stringify({ merged, views })) as Json];
	});
	return { keys: { ...state.keys } as { [system: string]: Json }, fields: Object.fromEntries(entries) };
}
