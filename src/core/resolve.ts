import type { Json } from './canonical-json';
import { openReviews, startDraft, unfreeze, type Draft } from './draft';
import { SyncError } from './errors';
import { giveAway, keepApart, takeIn } from './join-links';
import type { JournalEntry } from './journal';
import { EXISTENCE, fieldOf, type FieldState, type LinkState } from './link';
import type { PolicyInForce } from './observe';
import { own } from './own';
import type { FieldPolicy } from './policy';
import { OUTSIDE } from './row-scope';
import { beginWithRow, giveRow } from './split-link';
import { increment, join, NOTHING_SEEN, type VersionVector } from './version-vector';

/** Stands for the item where nobody asked: a person has joined or parted records of their own accord. */
export const BY_HAND = 'by-hand';

/** What a person decided about one review item. */
export interface Resolution {
	/** Or {@link BY_HAND}. */
	readonly review: string;
	/** The token of the item as the person saw it. */
	readonly token: string;
	readonly by: string;
	readonly choice: Choice;
}

export type Choice =
	/** The value that this system holds, for every field of the item. */
	| { readonly kind: 'apply'; readonly system: string }
	/** By field, the system whose value is taken; about fields that are not named the rules decide again. */
	| { readonly kind: 'mix'; readonly systems: Readonly<Record<string, string>> }
	/** Canonical values by field; about fields that are not named the rules decide again. */
	| { readonly kind: 'values'; readonly values: Readonly<Record<string, Json>> }
	/** The systems may differ: an accepted divergence. The next foreign change re-opens the matter. */
	| { readonly kind: 'dismiss' }
	/** Let the rules decide again (after a failure was mended). */
	| { readonly kind: 'retry' }
	| Joining
	| Answer;

/** Two links turn out to be one record, or one to hold the rows of two: what that means for each of them. Nobody chooses these. */
type Joining =
	| { readonly kind: 'join'; readonly absorbed: LinkState }
	| { readonly kind: 'joined'; readonly into: string }
	| { readonly kind: 'part'; readonly system: string; readonly into: string }
	| { readonly kind: 'parted'; readonly system: string; readonly from: LinkState };

/** To an approval: what is proposed may be done, or may not. */
interface Answer {
	readonly kind: 'approve' | 'reject';
}

export interface Resolved {
	readonly state: LinkState;
	readonly journal: readonly JournalEntry[];
}

/**
 * R5: writes a person's decision into the link's state. Makes no operations itself: the link
 * is due afterwards, and R2 brings the value to every system by compare-and-set.
 *
 * @throws SyncError REVIEW_CLOSED when the item is no longer open, REVIEW_CHANGED when the token is stale,
 * INVALID_RESOLUTION when the chosen system holds no value.
 */
export function resolve(before: LinkState, resolution: Resolution, { policy, hash }: PolicyInForce): Resolved {
	const fields = heldFields(before, resolution, policy.name);
	const draft = startDraft(before);
	draft.journal.push({ kind: 'resolved', policyHash: hash, resolution });
	if (resolution.choice.kind === 'joined') return { state: giveAway(before, resolution.choice.into), journal: draft.journal };
	if (resolution.review !== BY_HAND) unfreeze(draft, resolution.review, resolution.choice.kind);
	if (changesRows(draft, before, resolution)) return { state: draft.state, journal: draft.journal };
	const systems = [...(policy.entities.get(before.entity)?.tables.keys() ?? [])];
	for (const name of fields) {
		const owner = ownerOf(policy.entities.get(before.entity)?.fields.get(name));
		const choice = plainChoice(resolution.choice, { name, state: before, owner });
		if (name === EXISTENCE && choice.kind === 'dismiss') nameTheAbsent(draft, systems);
		resolveField(draft, name, choice);
	}
	return { state: draft.state, journal: draft.journal };
}

/** Carries out what a person has said about which rows are one record. @returns whether the decision is about that */
function changesRows(draft: Draft, { fields }: LinkState, { choice, review }: Resolution): boolean {
	switch (choice.kind) {
		case 'join': {
			const asked = draft.state.fields[EXISTENCE]?.frozen;
			if (review === BY_HAND && asked?.kind === 'identity') unfreeze(draft, asked.review, choice.kind);
			takeIn(draft, choice.absorbed);
			return true;
		}
		case 'part':
			giveRow(draft, choice);
			return true;
		case 'parted':
			beginWithRow(draft, choice);
			return true;
		case 'reject': {
			const { twin, review: held } = fields[EXISTENCE]?.frozen ?? {};
			if (twin === undefined || held !== review) return false;
			keepApart(draft, twin);
			return true;
		}
		default:
			return false;
	}
}

/** The fields that the item holds; checks the token, but for an item about many links, whose token is checked once for all. */
function heldFields(before: LinkState, { review, token }: Resolution, policy: string): readonly string[] {
	if (!review.startsWith(`${before.id}.`)) {
		return Object.keys(before.fields).filter((name) => before.fields[name]?.frozen?.review === review);
	}
	const item = openReviews(before, policy).find(({ id }) => id === review);
	if (!item) throw new SyncError('REVIEW_CLOSED', `The review item ${review} is no longer open`);
	if (item.token !== token) {
		throw new SyncError('REVIEW_CHANGED', `The record has changed since review item ${item.id} was looked at`);
	}
	return item.fields;
}

/** A choice, or what an answer comes to that is none: the merged version stands, a row that has left counts as deleted. */
type CarriedOut = Exclude<Choice, Answer | Joining | { readonly kind: 'mix' }> | { readonly kind: 'stand' | 'let-go' };

/** What approving or rejecting means for one field. */
function plainChoice(
	choice: Choice,
	{ name, state, owner }: { name: string; state: LinkState; owner: string | null },
): CarriedOut {
	if (isAboutRows(choice)) return { kind: 'retry' };
	if (choice.kind === 'mix') {
		const system = own(choice.systems, name);
		return system === undefined ? { kind: 'retry' } : { kind: 'apply', system };
	}
	if (!isAnswer(choice)) return choice;
	const approves = choice.kind === 'approve';
	const { frozen = null } = state.fields[name] ?? {};
	if (name === EXISTENCE && frozen?.kind === 'approval') return answerDelete(state, approves);
	if (frozen?.proposal !== undefined) return answerProposal(state, { name, owner, approved: approves ? frozen.proposal : null });
	throw new SyncError('INVALID_RESOLUTION', `The question about ${name} is none of yes or no: choose a system, or give the value`);
}

function answerProposal(
	{ fields }: LinkState,
	{ name, owner, approved }: { name: string; owner: string | null; approved: string | null },
): CarriedOut {
	if (approved !== null) return { kind: 'apply', system: approved };
	const view = owner === null ? undefined : fields[name]?.views[owner];
	return owner !== null && view && view.unreadable === undefined ? { kind: 'apply', system: owner } : { kind: 'stand' };
}

function answerDelete(state: LinkState, approves: boolean): CarriedOut {
	if (hasLeft(state)) return { kind: approves ? 'let-go' : 'dismiss' };
	// What all systems have deleted by now cannot be kept any more.
	const isLeft = Object.values(state.fields[EXISTENCE]?.views ?? {}).some(({ canon }) => canon === true);
	return approves || !isLeft ? { kind: 'retry' } : { kind: 'values', values: { [EXISTENCE]: true } };
}

function ownerOf(field: FieldPolicy | undefined): string | null {
	return field?.authority.kind === 'owned' ? field.authority.owner : null;
}

function isAboutRows(choice: Choice): choice is Joining {
	return ['join', 'joined', 'part', 'parted'].includes(choice.kind);
}

function isAnswer(choice: Choice): choice is Answer {
	return choice.kind === 'approve' || choice.kind === 'reject';
}

/** Whether a system's row has left the scope: what is asked then is whether that counts as a delete. */
function hasLeft({ fields }: LinkState): boolean {
	return Object.values(fields[EXISTENCE]?.views ?? {}).some(({ raw, accepted }) => raw === OUTSIDE && !accepted);
}

/** From now on the row that has left is as one that is gone, and the rules for deletes decide. */
function letGo({ views }: FieldState): void {
	for (const [system, view] of Object.entries(views)) {
		if (view.raw === OUTSIDE) views[system] = { ...view, raw: false };
	}
}

function resolveField(draft: Draft, name: string, choice: CarriedOut): void {
	const field = fieldOf(draft.state, name);
	switch (choice.kind) {
		case 'stand':
			if (field.merged) settleOn(field, field.merged.canon);
			return;
		case 'retry':
			return;
		case 'let-go':
			letGo(field);
			return;
		case 'dismiss':
			accept(field);
			if (name === EXISTENCE) keepWhereItIs(field);
			return;
		case 'apply':
			settleOn(field, valueIn(field, name, choice.system));
			return;
		case 'values':
			if (Object.hasOwn(choice.values, name)) settleOn(field, choice.values[name] ?? null);
	}
}

function valueIn(field: FieldState, name: string, system: string): Json {
	const view = field.views[system];
	if (view && view.unreadable === undefined) return view.canon;
	throw new SyncError('INVALID_RESOLUTION', `${system} holds no readable value of ${name} that could be applied`);
}

/** The person has seen everything there is, and adds one change of their own. */
export function settleOn(field: FieldState, canon: Json): void {
	field.merged = { canon, vector: increment(everythingSeen(field), 'human'), from: 'human' };
	for (const [system, { accepted: _over, ...view }] of Object.entries(field.views)) {
		field.views[system] = { ...view, base: view.canon };
	}
}

/**
 * All versions stand, with equal vectors: whoever changes one of them next has seen the others,
 * and that change goes to all systems.
 */
function accept(field: FieldState): void {
	const vector = increment(everythingSeen(field), 'human');
	for (const [system, view] of Object.entries(field.views)) {
		field.views[system] = { ...view, vector, base: view.canon, accepted: true };
	}
	if (field.merged) field.merged = { ...field.merged, vector };
}

/** The systems that have the record stay in step with each other, whatever the others do without. */
function keepWhereItIs(field: FieldState): void {
	const canon = Object.values(field.views).some((view) => view.canon === true);
	field.merged = { canon, vector: everythingSeen(field), from: 'human' };
}

/** A system that never had the record differs too, when a person says that the systems may differ. */
function nameTheAbsent(draft: Draft, systems: readonly string[]): void {
	const { views } = fieldOf(draft.state, EXISTENCE);
	for (const system of systems) {
		views[system] ??= { raw: false, canon: false, vector: NOTHING_SEEN, base: false };
	}
}

/** What all versions of the field have seen together. */
export function everythingSeen(field: FieldState): VersionVector {
	const vectors = Object.values(field.views).map((view) => view.vector);
	return [...vectors, field.merged?.vector ?? NOTHING_SEEN].reduce(join, NOTHING_SEEN);
}
