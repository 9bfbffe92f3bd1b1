import { equalJson } from './canonical-json';
import { existsIn, type LinkState } from './link';
import { readFields } from './mapping';
import type { EntityPolicy } from './policy';
import type { RecordChange } from './record-change';
import { presenceOf } from './row-presence';

/**
 * Whether a row that was read is to the letter what is known of it, so that nothing need be asked about it. The
 * codecs are not: what this denies may be equal all the same.
 */
export function isAsKnown(state: LinkState, change: RecordChange, entity: EntityPolicy): boolean {
	const { system, key, columns } = change;
	const isSimple = change.exists === true && change.missing === undefined && change.unchanged.length === 0;
	if (!isSimple || !existsIn(state, system) || presenceOf(state, change, entity) !== 'record') return false;
	if (!equalJson({ ...state.keys[system] }, { ...key })) return false;
	return [...entity.fields.values()].every(({ name, columns: bindings, computed }) => {
		const view = state.fields[name]?.views[system];
		const column = bindings.get(system)?.column;
		if (column !== undefined) return view !== undefined && equalJson(view.raw, columns[column] ?? null);
		if (!computed.has(system)) return true;
		const reading = readFields(entity, system, columns, { names: [name] }).get(name);
		return view !== undefined && reading?.state === 'value' && equalJson(view.raw, reading.raw);
	});
}
