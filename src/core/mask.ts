import { isJsonObject, type Json } from './canonical-json';
import { columnsRead, type EntityPolicy, type Policy } from './policy';
import type { ReviewItem } from './review';

/** What stands for a sensitive value wherever a person can read it. Nothing about the value shows. */
export const MASK = '•••';

/**
 * The item with the values of sensitive fields masked: its detail by field, its keys and any
 * change event in it by column. Reasons hold none.
 */
export function maskReview<Item extends ReviewItem>(item: Item, policy: Policy): Item {
	const { detail } = item;
	if (!isJsonObject(detail)) return item;
	const entity = policy.entities.get(item.entity ?? '');
	const masked: [string, Json][] = Object.entries(detail).map(([name, value]) => {
		if (name === 'fields' && entity && isJsonObject(value)) return [name, maskFields(value, entity)];
		if (name === 'keys' && entity && isJsonObject(value)) return [name, maskRowKeys(value, entity)];
		if (name === 'resembles' && entity && isJsonObject(value)) return [name, maskTwins(value, entity)];
		return [name, name === 'payload' ? maskEvent(value, policy) : value];
	});
	return { ...item, detail: Object.fromEntries(masked) };
}

/** A change event with the columns of sensitive fields masked; anything else as it is. */
export function maskEvent(event: Json, policy: Policy): Json {
	if (!isJsonObject(event)) return event;
	const { system, entity } = event;
	const known = policy.entities.get(typeof entity === 'string' ? entity : '');
	if (!known || typeof system !== 'string') return event;
	const columns = sensitiveColumns(known, system);
	const mask = (name: string): Record<string, Json> => {
		const row = event[name];
		return isJsonObject(row) ? { [name]: maskKeys(row, columns) } : {};
	};
	// What the nodes found can hold the values of any system (an operation, a review).
	const bisync = event['bisync'] === undefined ? {} : { bisync: MASK };
	return { ...event, ...mask('before'), ...mask('after'), ...mask('key'), ...bisync };
}

function sensitiveColumns(
	{ sensitive, fields }: EntityPolicy,
	system: string,
): ReadonlySet<string> {
	const columns = [...sensitive].flatMap((name) => {
		const field = fields.get(name);
		return field === undefined ? [] : columnsRead(field, system);
	});
	return new Set(columns);
}

function maskFields(fields: Record<string, Json>, { sensitive }: EntityPolicy): Json {
	const entries = Object.entries(fields).map(([name, state]): [string, Json] => [
		name,
		sensitive.has(name) ? maskValues(state) : state,
	]);
	return Object.fromEntries(entries);
}

/** Two records that resemble each other: their values by field, and the keys of the other one. */
function maskTwins(shown: Record<string, Json>, entity: EntityPolicy): Json {
	const entries = Object.entries(shown).map(([name, value]): [string, Json] => {
		if (!isJsonObject(value)) return [name, value];
		if (name === 'values') return [name, maskKeys(value, entity.sensitive)];
		return [name, name === 'keys' ? maskRowKeys(value, entity) : maskTwins(value, entity)];
	});
	return Object.fromEntries(entries);
}

/** Keys by system, with the columns of sensitive fields masked. */
export function maskRowKeys(keys: Record<string, Json>, entity: EntityPolicy): Json {
	const entries = Object.entries(keys).map(([system, key]): [string, Json] => [
		system,
		isJsonObject(key) ? maskKeys(key, sensitiveColumns(entity, system)) : key,
	]);
	return Object.fromEntries(entries);
}

const VALUE_KEYS: ReadonlySet<string> = new Set(['raw', 'canon', 'base']);

/** A field's state with its values masked and its vectors left. */
function maskValues(state: Json): Json {
	if (Array.isArray(state)) return state.map(maskValues);
	if (!isJsonObject(state)) return state;
	const entries = Object.entries(state).map(([name, value]): [string, Json] => [
		name,
		VALUE_KEYS.has(name) ? MASK : maskValues(value),
	]);
	return Object.fromEntries(entries);
}

function maskKeys(row: Record<string, Json>, columns: ReadonlySet<string>): Json {
	const entries = Object.entries(row).map(([name, value]): [string, Json] => [
		name,
		columns.has(name) ? MASK : value,
	]);
	return Object.fromEntries(entries);
}
