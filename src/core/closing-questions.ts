import { unfreeze, type Draft } from './draft';
import { isDecidedByTime } from './latest';
import { EXISTENCE, fieldOf, type FieldState, type Freeze } from './link';
import { agreedVersion, goneEverywhere, isContained, setMerged } from './merged-version';
import { obstacleGone } from './obstacles';
import type { Rules } from './strategies';

const DELETED = 'the record is deleted everywhere';

/** A question that the systems have answered by themselves needs no person any more. @returns whether it was closed */
export function settledByItself(draft: Draft, name: string, rules: Rules): boolean {
	const field = fieldOf(draft.state, name);
	const { frozen } = field;
	if (frozen === null) return false;
	const how = answerFound(draft, { name, frozen, field, rules });
	if (how === null) return false;
	unfreeze(draft, frozen.review, how);
	return true;
}

interface Question {
	readonly name: string;
	readonly frozen: Freeze;
	readonly field: FieldState;
	readonly rules: Rules;
}

/** How the question came to its end; null while it stands. */
function answerFound(draft: Draft, question: Question): string | null {
	const { name, frozen, field } = question;
	const { state } = draft;
	const isApproval = frozen.kind === 'approval' && frozen.proposal === undefined;
	if (name === EXISTENCE && !isApproval && field.merged?.canon !== true && goneEverywhere(state)) return DELETED;
	const isThere = (one: string): boolean => (state.fields[one]?.merged?.canon ?? null) !== null;
	if (frozen.waitsFor?.every(isThere)) return 'nothing is missing any more';
	const gone = obstacleGone(draft, name, question.rules.known);
	if (gone !== null) return gone;
	if (frozen.kind !== 'conflict' && frozen.proposal === undefined) return null;
	const held = Object.values(state.fields).filter((other) => other.frozen?.review === frozen.review);
	return held.length === 1 ? answerByValues(draft, question) : null;
}

function answerByValues(draft: Draft, { name, frozen, field, rules }: Question): string | null {
	const agreed = agreedVersion(draft, name, rules);
	if (agreed !== null) {
		setMerged(field, agreed);
		return 'the systems became equal';
	}
	if (frozen.proposal !== undefined && hasOwnersNews(field, name, rules)) return 'the owner has changed the field';
	return !frozen.fight && isDecidedByTime(field, name, rules) ? 'a later change decides' : null;
}

function hasOwnersNews({ views, merged }: FieldState, name: string, { entity }: Rules): boolean {
	const authority = entity.fields.get(name)?.authority;
	const view = authority?.kind === 'owned' ? views[authority.owner] : undefined;
	return view !== undefined && !isContained(view, merged);
}

/** Nobody need answer what is asked about the values of a record that is deleted everywhere. */
export function closeQuestions(draft: Draft): boolean {
	const open = Object.values(draft.state.fields).flatMap(({ frozen }) => frozen?.review ?? []);
	for (const review of [...new Set(open)].sort()) unfreeze(draft, review, DELETED);
	return open.length > 0;
}
