import { equalJson, type Json } from './canonical-json';
import { existsIn, hasRowIn, isOutsideIn, type LinkState } from './link';
import { hasPassed } from './passing-date';
import { columnOf, type EntityPolicy } from './policy';
import type { RecordChange } from './record-change';
import { isInScope, isSameScalar, OUTSIDE } from './row-scope';

/** What a transaction left of a record in its system. */
export type RowPresence =
	/** The row is there. */
	| 'record'
	/** The row is there and says of itself that it is deleted. */
	| 'archived'
	/** The row is there and none of ours. */
	| 'outside'
	| 'gone';

/** Whether a row may make a link, or be taken into one: it is there, and known to be one of ours. */
export function mayBeTakenIn({ tables }: EntityPolicy, { exists, system, columns, rowStays }: RecordChange): boolean {
	const where = tables.get(system)?.where;
	return exists === true && !rowStays && where !== undefined && isInScope(where, columns) === true;
}

/** The field whose value would put a new row outside, so that it would be none of ours; null when there is none. */
export function strayField(
	{ fields, tables }: EntityPolicy,
	system: string,
	written: Readonly<Record<string, { readonly next?: Json }>>,
): string | null {
	const where = tables.get(system)?.where ?? new Map<string, never>();
	const strays = Object.entries(written).find(([name, { next }]) => {
		const column = columnOf({ fields }, name, system) ?? '';
		const allowed = where.get(column);
		return next !== undefined && allowed !== undefined && isInScope(new Map([[column, allowed]]), { [column]: next }) === false;
	});
	return strays?.[0] ?? null;
}

/** @param state - the link before the change: a column that was not sent says what it said before */
export function presenceOf(state: LinkState, change: RecordChange, { tables, deletes }: EntityPolicy): RowPresence {
	const { system, columns } = change;
	if (change.exists !== true) return 'gone';
	if (change.rowStays && !hasRowIn(state, system)) return 'gone';
	const isInside = isInScope(tables.get(system)?.where ?? new Map(), columns) ?? !isOutsideIn(state, system);
	if (!isInside) return 'outside';
	const soft = deletes.as.get(system);
	if (soft === undefined) return 'record';
	if ('passed' in soft) return hasPassed(state, change, soft) ? 'archived' : 'record';
	const said = Object.hasOwn(columns, soft.column) ? columns[soft.column] : undefined;
	const isArchived = said === undefined ? isArchivedIn(state, system) : isSameScalar(said, soft.deleted);
	return isArchived ? 'archived' : 'record';
}

function isArchivedIn(state: LinkState, system: string): boolean {
	return hasRowIn(state, system) && !existsIn(state, system);
}

/** What the existence view says of the row: whether there is one, or that it is another's. */
export function rawPresence(presence: RowPresence): boolean | typeof OUTSIDE {
	return presence === 'outside' ? OUTSIDE : presence !== 'gone';
}

/** Whether the row is the one that the link had when it was last heard of, be it outside. */
export function isKnownRow(state: LinkState, { system, key, previousKey }: RecordChange): boolean {
	if (hasRowIn(state, system)) return true;
	const known = { ...state.keys[system] };
	return isOutsideIn(state, system) && [key, previousKey].some((one) => one !== null && equalJson({ ...one }, known));
}

/** Whether the change takes away a record that the system had: by a delete, or the row that stays does not count any more. */
export function endsRecord(state: LinkState, change: RecordChange, entity: EntityPolicy): boolean {
	const presence = change.exists === null ? 'record' : presenceOf(state, change, entity);
	return existsIn(state, change.system) && presence !== 'record';
}
