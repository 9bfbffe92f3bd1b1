import { isJsonObject, type Json } from './canonical-json';
import type { Row } from './mapping';
import { columnsRead, type EntityPolicy } from './policy';

/**
 * The payload of an API as a row: a "column" is a property of it, or a path through nested objects
 * with dots (`address.city`). A property of that very name goes before the path.
 */
export type Payload = Readonly<Record<string, Json>>;

/** All properties of the system's payload that the policy reads: keys, fields, and what says whether the record is one. */
export function propertiesOf(entity: EntityPolicy, system: string): string[] {
	const binding = entity.tables.get(system);
	const soft = entity.deletes.as.get(system)?.column;
	const named = [
		...(binding?.key ?? []),
		...[...entity.fields.values()].flatMap((field) => columnsRead(field, system)),
		...(binding?.where.keys() ?? []),
		...(soft === undefined ? [] : [soft]),
	];
	return [...new Set(named)];
}

/** The properties that the payload has; one that is missing was not sent, which is not null. All of an object that is null are null. */
export function rowOfPayload(payload: Payload, properties: readonly string[]): Row {
	const found = properties.flatMap((name): [string, Json][] => {
		const value = propertyOf(payload, name);
		return value === undefined ? [] : [[name, value]];
	});
	return Object.fromEntries(found);
}

/** The body that sets these properties, nested where their names have dots. */
export function payloadOfRow(row: Row): Payload {
	const body: Record<string, Json> = {};
	for (const [name, value] of Object.entries(row)) {
		const path = name.split('.');
		const last = path.pop() ?? name;
		let place = body;
		for (const step of path) place = objectIn(place, step);
		define(place, last, value);
	}
	return body;
}

function propertyOf(payload: Payload, name: string): Json | undefined {
	if (Object.hasOwn(payload, name)) return payload[name];
	const [first, ...rest] = name.split('.');
	if (first === undefined || rest.length === 0 || !Object.hasOwn(payload, first)) return undefined;
	const inner = payload[first];
	// Who says that there is no address says that it has no city. Of what is inside of a text or a list, nothing is known.
	return inner === null ? null : isJsonObject(inner) ? propertyOf(inner, rest.join('.')) : undefined;
}

function objectIn(place: Record<string, Json>, name: string): Record<string, Json> {
	const known = Object.hasOwn(place, name) ? place[name] : undefined;
	if (isJsonObject(known)) return known;
	const made: Record<string, Json> = {};
	define(place, name, made);
	return made;
}

/** Not `place[name] = value`, which loses a name like __proto__. */
function define(place: Record<string, Json>, name: string, value: Json): void {
	Object.defineProperty(place, name, { value, enumerable: true, writable: true, configurable: true });
}
