import { equalJson, type Json } from './canonical-json';
import { explain, freeze, unfreeze, type Draft } from './draft';
import { EXISTENCE, existsIn, fieldOf, type LinkState, type Operation, type OwnRow } from './link';
import { keyText, readFields } from './mapping';
import type { EntityPolicy } from './policy';
import type { RecordChange } from './record-change';
import { speaksOf } from './settle';

/**
 * A row that we made came to stand beside one that users had made meanwhile, and nothing in the database forbids
 * it. Theirs stays the linked one, and ours is removed again, as long as nobody has touched it.
 */

/** Whether our insert has made a second row of the record. */
export function isSecondRow(state: LinkState, op: Operation, { system, key }: RecordChange): boolean {
	const linked = state.keys[system];
	if (op.kind !== 'insert' || linked === undefined || key === null) return false;
	return existsIn(state, system) && !equalJson({ ...linked }, { ...key });
}

/** Remembers our row, to be removed; a person is asked about one that is no longer, or never was, what we wrote. */
export function noteSecondRow(draft: Draft, op: Operation, { change, entity }: { change: RecordChange; entity: EntityPolicy }): void {
	const { system, key } = change;
	if (key === null || !isAsWritten(op, { change, entity })) return askWhichRow(draft, system);
	const stored = [...entity.fields.values()].flatMap(({ name, columns }): [string, Json][] => {
		const column = columns.get(system)?.column;
		return column !== undefined && Object.hasOwn(change.columns, column) ? [[name, change.columns[column] ?? null]] : [];
	});
	draft.state.surplus = { ...draft.state.surplus, [system]: { key, fields: Object.fromEntries(stored) } };
	explain(draft, 'outcome', { system, detail: { op: op.id, outcome: 'a second row, to be removed again' } });
}

function isAsWritten(op: Operation, { change, entity }: { change: RecordChange; entity: EntityPolicy }): boolean {
	const readings = new Map(readFields(entity, change.system, change.columns, change));
	return Object.entries(op.fields).every(([name, { next, canon }]) => {
		const reading = readings.get(name);
		if (next === undefined) return true;
		if (reading?.state !== 'value') return false;
		const isReference = entity.fields.get(name)?.references != null;
		if (isReference && next !== null && reading.raw !== null) return keyText(next) === keyText(reading.raw);
		return equalJson(reading.canon, canon);
	});
}

/** Comes before every other question about the record: the answer to that one would not tell of the second row. */
function askWhichRow(draft: Draft, system: string): void {
	const { frozen } = fieldOf(draft.state, EXISTENCE);
	if (frozen !== null && frozen.kind !== 'identity') unfreeze(draft, frozen.review, 'a second record was found');
	freeze(draft, [EXISTENCE], {
		kind: 'identity',
		reason: `${system} got a record of its own while we were creating one: it has two now`,
	});
}

/** What is left to be removed, and how it must be found for that. */
export function rowToRemove({ surplus }: LinkState, system: string): OwnRow | null {
	return surplus?.[system] ?? null;
}

/**
 * Settles the removal of our row. Whoever has changed the row meanwhile, or refers to it, has made it one that a
 * person must look at.
 *
 * @returns whether the change speaks of one
 */
export function settleRemoval(draft: Draft, change: RecordChange): boolean {
	const { marker, system } = change;
	const op = draft.state.inFlight[system];
	const row = rowToRemove(draft.state, system);
	if (marker === null || op?.kind !== 'delete' || row === null || !equalJson({ ...op.key }, { ...row.key })) return false;
	if (!speaksOf(marker, op, change)) return false;
	delete draft.state.inFlight[system];
	const { [system]: _removed, ...others } = draft.state.surplus ?? {};
	if (Object.keys(others).length > 0) draft.state.surplus = others;
	else delete draft.state.surplus;
	explain(draft, 'outcome', { system, detail: { op: op.id, outcome: marker.outcome } });
	if (marker.outcome !== 'applied') askWhichRow(draft, system);
	return true;
}
