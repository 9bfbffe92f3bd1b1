import { equalJson } from './canonical-json';
import { explain, freeze, type Draft } from './draft';
import { EXISTENCE, existsIn, hasRowIn, type LinkState, type Operation } from './link';
import type { Marker } from './marker';
import { obstacleOf } from './obstacles';
import type { RecordChange } from './record-change';
import { compare, NOTHING_SEEN } from './version-vector';

/**
 * Settles the operation that a transaction's marker speaks of, so far as the operation itself
 * goes (R4); what an applied one means for the views is `observe`'s part.
 *
 * A marker counts only if its operation is unsettled and of this link, system and row: any role
 * can emit a message, and a copied one must not make a user's change look like ours.
 *
 * @returns the operation when this transaction applied it; null when the transaction is foreign.
 */
export function settle(draft: Draft, change: RecordChange): Operation | null {
	const { marker, system } = change;
	if (change.forged) warn(draft, system, 'a marker with a wrong signature');
	if (marker === null) return null;
	const op = draft.state.inFlight[system];
	if (op === undefined || !speaksOf(marker, op, change)) {
		warn(draft, system, `a marker for ${marker.op}, which is not in flight to this row`);
		return null;
	}
	if (change.misdirected) {
		giveUp(draft, op);
		return null;
	}
	if (marker.outcome === 'applied' && change.exists === null && !change.snapshot) {
		// The write is real, but its row never came: the table has left the publication, or a row filter hides it.
		freeze(draft, fieldsOf(op), {
			kind: 'failure',
			reason: `${system} applied our write, but its change stream does not show the row`,
		});
	}
	delete draft.state.inFlight[system];
	explain(draft, 'outcome', { system, detail: { op: op.id, outcome: marker.outcome } });
	return afterOutcome(draft, op, marker);
}

/**
 * Between the decision and the write the key has gone to another record, which held by chance all
 * that was expected. That record's link takes the values as a change of its system; this one has
 * not been written, and its own state says what is to be done next.
 */
function giveUp(draft: Draft, op: Operation): void {
	const { system } = op;
	delete draft.state.inFlight[system];
	for (const [field, { canon, expected = null }] of Object.entries(op.fields)) {
		explain(draft, 'misdirected', { field, system, detail: { op: op.id, wrote: canon, found: expected } });
	}
}

/** The fields that an operation writes; an insert or delete, or bringing a row back, writes the record's existence. */
export function fieldsOf(op: Operation): string[] {
	return op.existence === null ? Object.keys(op.fields) : [EXISTENCE];
}

/** Whether the marker is this operation's, and stands beside the row that the operation wrote. */
export function speaksOf(marker: Marker, op: Operation, change: RecordChange): boolean {
	const sameOp = marker.op === op.id && marker.link === op.link;
	const sameKind = marker.entity === op.entity && marker.system === op.system;
	const keys = [marker.key, change.previousKey ?? change.key].filter((key) => key !== null);
	const [written] = op.key === null ? keys : [op.key]; // An insert's key is what the database gave it.
	return sameOp && sameKind && keys.every((key) => equalJson({ ...key }, { ...written }));
}

function afterOutcome(draft: Draft, op: Operation, marker: Marker): Operation | null {
	const { system } = op;
	switch (marker.outcome) {
		case 'applied':
			delete draft.state.staleRuns[system];
			draft.state.applied = { ...draft.state.applied, [system]: op.number };
			return op;
		case 'stale':
			afterStale(draft, op);
			return null;
		case 'exists':
			afterExists(draft, op);
			return null;
		case 'refused':
			freeze(draft, fieldsOf(op), {
				kind: 'failure',
				refusedBy: system,
				...obstacleOf(marker.error),
				reason: `${system} refuses the value: ${marker.error ?? 'no reason given'}`,
			});
			return null;
		case 'void':
			freeze(draft, fieldsOf(op), { kind: 'failure', reason: `A person gave up the write to ${system}` });
			return null;
	}
}

/**
 * A stale outcome is caused by a change that stands before it in the stream and is therefore
 * observed already. Where nothing was observed between two stale outcomes, no change is the
 * cause: asking a third time would go on for ever.
 */
function afterStale(draft: Draft, op: Operation): void {
	const { state } = draft;
	const { system } = op;
	const earlier = state.staleRuns[system];
	const seen = Object.fromEntries(
		[...fieldsOf(op), ...Object.keys(op.guards)].map((field) => [field, state.fields[field]?.views[system]?.vector ?? NOTHING_SEEN]),
	);
	const isUnexplained = Object.entries(seen).every(([field, vector]) => {
		const then = earlier?.seen[field];
		return then !== undefined && compare(then, vector) === 'equal';
	});
	state.staleRuns[system] = { count: (earlier?.count ?? 0) + 1, seen: { ...earlier?.seen, ...seen } };
	if (isUnexplained && isStillThere(state, op)) {
		freeze(draft, fieldsOf(op), {
			kind: 'failure',
			reason: `${system} does not take the value although nobody changed it: a trigger, row security or a comparison stands in the way`,
		});
	}
}

/** A row that is gone, or has another key by now, explains a stale outcome as well as a change does. */
function isStillThere(state: LinkState, { system, key }: Operation): boolean {
	return hasRowIn(state, system) && equalJson({ ...state.keys[system] }, { ...key });
}

/**
 * The row that was in the way stands before the marker in the stream: had it matched, it would be
 * linked by now. Asked once more all the same, for it may be the row of a record that is being deleted.
 */
function afterExists(draft: Draft, op: Operation): void {
	const { state } = draft;
	const { system } = op;
	if (existsIn(state, system)) return;
	const vector = state.fields[EXISTENCE]?.views[system]?.vector ?? NOTHING_SEEN;
	const earlier = state.staleRuns[system];
	const then = earlier?.seen[EXISTENCE];
	if (then === undefined || compare(then, vector) !== 'equal') {
		state.staleRuns[system] = { count: (earlier?.count ?? 0) + 1, seen: { ...earlier?.seen, [EXISTENCE]: vector } };
		return;
	}
	freeze(draft, [EXISTENCE], {
		kind: 'identity',
		reason: `${op.system} already has a record with one of the unique values, and no match key says that it is the same`,
	});
}

function warn(draft: Draft, system: string, what: string): void {
	explain(draft, 'warning', {
		system,
		detail: `${system} sent ${what}; the change was treated as foreign`,
	});
}

/** Whether the system last refused to say yes or no: used by planning to split an op per field. */
export function staleCount(state: LinkState, system: string): number {
	return state.staleRuns[system]?.count ?? 0;
}
