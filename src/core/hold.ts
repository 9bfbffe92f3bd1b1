import { explain, startDraft, type Draft } from './draft';
import type { JournalEntry } from './journal';
import { EXISTENCE, fieldOf, type LinkState } from './link';
import type { PolicyInForce } from './observe';

/** What a person says about fields of one record: leave them alone, or go on with them. */
export interface HoldRequest {
	readonly action: 'freeze' | 'unfreeze';
	/** Names of fields; `record` for all of them and for whether the record exists. */
	readonly fields: readonly string[] | 'record';
	readonly by: string;
	/** One sentence for those who look at the record later. */
	readonly reason: string;
}

/**
 * Freezes or unfreezes fields by hand. Changes go on being observed; what is frozen gets no
 * decision and no write until it is unfrozen, while its siblings flow. An operation that is in flight
 * already may still arrive. It has nothing to do with a review that holds the same field: both must end.
 */
export function hold(
	before: LinkState,
	request: HoldRequest,
	{ policy, hash }: PolicyInForce,
): { readonly state: LinkState; readonly journal: readonly JournalEntry[] } {
	const draft = startDraft(before);
	const fields = fieldsOf(before, request, policy.entities.get(before.entity)?.fields.keys() ?? []);
	draft.journal.push({ kind: 'held', policyHash: hash, hold: request });
	for (const name of fields) holdField(draft, name, request);
	explain(draft, request.action === 'freeze' ? 'frozen' : 'unfrozen', { detail: { fields, by: request.by, reason: request.reason } });
	return { state: draft.state, journal: draft.journal };
}

function fieldsOf({ fields }: LinkState, request: HoldRequest, mapped: Iterable<string>): string[] {
	if (request.fields !== 'record') return [...request.fields];
	// Unfreezing a record also frees what left the policy since.
	const held = request.action === 'unfreeze' ? Object.keys(fields) : [];
	return [...new Set([EXISTENCE, ...mapped, ...held])];
}

function holdField(draft: Draft, name: string, { action, by, reason }: HoldRequest): void {
	const field = fieldOf(draft.state, name);
	if (action === 'freeze') field.held = { by, reason };
	else delete field.held;
}
