import { equalJson } from './canonical-json';
import { explain, freeze, unfreeze, type Draft } from './draft';
import { EXISTENCE, fieldOf, type Operation, type View } from './link';
import { isContained } from './merged-version';
import type { Authority, EntityPolicy } from './policy';
import type { RecordChange } from './record-change';
import { counterOf } from './version-vector';

interface UnseenEdit {
	readonly name: string;
	readonly change: RecordChange;
	/** Before the write was seen to have been applied. */
	readonly view: View | undefined;
	readonly authority: Authority | undefined;
}

/** Our write was applied, and the field had been changed since it was decided. */
export function noteUnseen(draft: Draft, op: Operation | null, { name, change, view, authority }: UnseenEdit): void {
	if (op !== null && view !== undefined && change.unconditional) noteOverwritten(draft, op, { name, view, authority });
	// The value was changed and set back before our write came: compare-and-set sees values, not edits.
	else explain(draft, 'net-zero', { field: name, system: change.system });
}

/**
 * A write without a condition has replaced a value that it had not seen. The value was read in time to be known,
 * so it is not lost in silence: whoever decides next has heard of it, or a person is asked, who finds it in the journal.
 */
function noteOverwritten(
	draft: Draft,
	op: Operation,
	{ name, view, authority }: Pick<UnseenEdit, 'name' | 'authority'> & { readonly view: View },
): void {
	const { system } = op;
	const written = op.fields[name];
	if (written === undefined || equalJson(view.canon, written.canon) || view.unreadable !== undefined) return;
	const wasExpected = written.expected !== undefined && equalJson(written.expected, view.raw);
	if (wasExpected) {
		explain(draft, 'net-zero', { field: name, system }); // Changed, and set back before the write.
		return;
	}
	explain(draft, 'overwritten', { field: name, system, detail: { op: op.id, found: view.canon, wrote: written.canon } });
	const field = fieldOf(draft.state, name);
	const { frozen } = field;
	const isReverted = authority?.kind === 'owned' && authority.onForeignEdit === 'revert' && authority.owner !== system;
	// What was decided about it already stands, unless a person was to decide: the value that the question is about is gone.
	if (isReverted || (frozen === null && isContained(view, field.merged))) return;
	if (frozen?.kind === 'conflict') unfreeze(draft, frozen.review, 'one of the values was replaced by a write that had not seen it');
	freeze(draft, [name], {
		kind: 'failure',
		reason: `A value of ${name} in ${system} was replaced by a write that had not seen it, because the API cannot write on a condition. The journal has both values`,
	});
}

/**
 * A delete without a condition has taken values along that it had not seen, and that were read in time to be known. Where
 * the policy does not say that deletes win, a person is asked whether the record should come back.
 */
export function noteTakenAlong(draft: Draft, op: Operation, { change, entity }: { change: RecordChange; entity: EntityPolicy }): void {
	const { system } = op;
	if (op.kind !== 'delete' || change.unconditional === undefined || entity.deletes.as.has(system)) return;
	const unseen = Object.entries(op.fields).flatMap(([name, { expected, vector }]): [string, View][] => {
		const view = draft.state.fields[name]?.views[system];
		const isNewer = view !== undefined && counterOf(view.vector, system) > counterOf(vector, system);
		return isNewer && !(expected !== undefined && equalJson(expected, view.raw)) ? [[name, view]] : [];
	});
	for (const [field, { canon }] of unseen) explain(draft, 'overwritten', { field, system, detail: { op: op.id, found: canon, wrote: null } });
	if (unseen.length === 0 || entity.deletes.conflict === 'delete-wins') return;
	freeze(draft, [EXISTENCE], {
		kind: 'failure',
		reason: `The record was deleted in ${system} by a request that had not seen a change of ${unseen.map(([name]) => name).join(', ')}, because the API cannot write on a condition. The journal has the values`,
	});
}
