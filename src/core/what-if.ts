import { canonicalJson, equalJson, type Json } from './canonical-json';
import { decide, type Decision } from './decide';
import type { JournalEntry } from './journal';
import { EXISTENCE, FIRST_EPOCH, type LinkState, type ReviewKind } from './link';
import type { PolicyInForce } from './observe';
import type { Policy } from './policy';
import { newScopes, parseScope } from './scopes';

/** What was made of one field by one decision. */
export interface FieldOutcome {
	/** What every system should hold; absent: nothing was known. */
	readonly value?: Json;
	/** What a person is asked; null: nothing. */
	readonly asks: ReviewKind | null;
	/** By system, what this decision began to write; of the record itself `insert` or `delete`. */
	readonly writes: Readonly<Record<string, Json>>;
}

export interface DifferentField {
	readonly field: string;
	readonly was: FieldOutcome;
	readonly wouldBe: FieldOutcome;
}

export type DecidedEntry = Extract<JournalEntry, { kind: 'decided' }>;

/** By `entity.field`, why what was recorded of it says nothing under another policy. */
export type Unjudged = ReadonlyMap<string, string>;

/**
 * Where the values of one policy cannot be read as those of the other: fields that one of them has not, or that come from
 * other columns or through other codecs. Such a field is not compared.
 */
export function unjudgedFields(recorded: Policy, changed: Policy): Unjudged {
	const why = new Map<string, string>();
	const note = (scopes: readonly string[], text: (place: string) => string): void => {
		for (const scope of scopes) {
			const { entity, field } = parseScope(scope);
			const place = `${entity}.${field}`;
			why.set(place, text(place));
		}
	};
	note(newScopes(recorded, changed), (place) => (has(recorded, place) ? OTHERWISE : 'was not in the policy then'));
	note(newScopes(changed, recorded), (place) => (has(changed, place) ? OTHERWISE : 'is not in the changed policy'));
	return why;
}

const OTHERWISE = 'is read from another table, column or row, or through another codec or map';

function has({ entities }: Policy, place: string): boolean {
	const [entity = '', field = ''] = place.split('.');
	const known = entities.get(entity);
	return field === EXISTENCE ? known !== undefined : (known?.fields.has(field) ?? false);
}

/**
 * Where the changed policy would have decided otherwise than was recorded, given the same state: the one that
 * the earlier decisions, as they were made, had led to. So a decision that differs is counted where it was made, and not again
 * in all that followed from it.
 *
 * @param state - before the decision, replayed under the policies of the time
 * @param unjudged - see `unjudgedFields`
 */
export function compareDecisions(
	state: LinkState,
	entry: DecidedEntry,
	{ recorded, changed, unjudged }: { recorded: PolicyInForce; changed: PolicyInForce; unjudged: Unjudged },
): DifferentField[] {
	const { pending = [], epoch = FIRST_EPOCH, mode, known } = entry;
	const hidden = newScopes(recorded.policy, changed.policy);
	const was = decide(state, { ...recorded, pending: new Set(pending), epoch }, mode, known);
	const wouldBe = decide(state, { ...changed, pending: new Set([...pending, ...hidden]), epoch }, mode, known);
	const names = [EXISTENCE, ...(recorded.policy.entities.get(state.entity)?.fields.keys() ?? [])];
	return names.flatMap((field) => {
		if (unjudged.has(`${state.entity}.${field}`)) return [];
		const [before, after] = [was, wouldBe].map((decision) => outcomeOf(decision, state, field));
		if (before === undefined || after === undefined) return [];
		const isSame = equalJson(before as unknown as Json, after as unknown as Json);
		return isSame ? [] : [{ field, was: before, wouldBe: after }];
	});
}

function outcomeOf({ state }: Decision, before: LinkState, name: string): FieldOutcome {
	const { merged = null, frozen = null } = state.fields[name] ?? {};
	const writes = Object.values(state.inFlight).flatMap((op): [string, Json][] => {
		if (before.inFlight[op.system]?.id === op.id) return [];
		if (name === EXISTENCE) return op.kind === 'update' ? [] : [[op.system, op.kind]];
		const written = op.kind === 'delete' ? undefined : op.fields[name];
		return written === undefined ? [] : [[op.system, written.canon]];
	});
	return { ...(merged === null ? {} : { value: merged.canon }), asks: frozen?.kind ?? null, writes: Object.fromEntries(writes) };
}

/** In what way an outcome is another one: the words of the report. */
export function kindOfDifference({ was, wouldBe }: DifferentField): string {
	if (was.asks === null && wouldBe.asks !== null) return 'would ask a person';
	if (was.asks !== null && wouldBe.asks === null) return 'would not ask a person';
	if (canonicalJson(was.value ?? null) !== canonicalJson(wouldBe.value ?? null)) return 'would have another value';
	return 'would be written otherwise';
}
