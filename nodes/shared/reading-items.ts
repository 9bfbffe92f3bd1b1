import type { IDataObject, INodeExecutionData } from 'n8n-workflow';

import type { ChangeEvent } from '../../src/core/change-event';
import { SyncError } from '../../src/core/errors';
import { parseFields } from '../../src/core/given-json';
import { keyOf, type Row } from '../../src/core/mapping';
import { propertiesOf, rowOfPayload } from '../../src/core/payload';
import { columnsRead, type EntityPolicy, type Policy } from '../../src/core/policy';
import type { Reading } from '../../src/core/reading';
import { isComparable } from '../../src/core/record-version';
import type { ObservedReading } from '../../src/store/observe-readings';

/** What the parameters of a node say of one reading. */
export interface GivenReading {
	readonly record: unknown;
	readonly deleted: boolean;
	readonly version: unknown;
	readonly etag: unknown;
	readonly ticket: unknown;
	readonly mark: unknown;
	readonly occurredAt: unknown;
	readonly earlier: unknown;
	/** What the record lacks is null, not merely left out. */
	readonly isComplete: boolean;
}

/** The entity, in a system that the policy reaches through an API. @throws SyncError INVALID_SETTING, WRONG_KIND_OF_SYSTEM */
export function apiEntity(policy: Policy, system: string, name: string): EntityPolicy {
	const entity = policy.entities.get(name);
	if (!entity) throw new SyncError('INVALID_SETTING', `The policy "${policy.name}" has no entity "${name}"`);
	const binding = entity.tables.get(system);
	if (binding?.api === undefined) {
		throw new SyncError('WRONG_KIND_OF_SYSTEM', `The policy "${policy.name}" does not bind ${name} to an API of ${system}`);
	}
	return entity;
}

/** @throws SyncError NOT_A_READING, KEY_INCOMPLETE */
export function readingOf(given: GivenReading, { system, entity }: { system: string; entity: EntityPolicy }): Reading {
	const payload = parseFields(given.record);
	if (payload === null) throw new SyncError('NOT_A_READING', '"Record" is not an object');
	const sent = rowOfPayload(payload, propertiesOf(entity, system));
	const row = given.isComplete ? withNulls(sent, entity, system) : sent;
	const mapped = mappedProperties(entity, system);
	const facts = { ...optional('version', versionOf(given.version)), ...optional('etag', textOf('ETag', given.etag)), whole: mapped.every((name) => Object.hasOwn(row, name)) };
	return {
		system,
		entity: entity.name,
		key: keyOf(entity, system, row),
		exists: !given.deleted,
		row: given.deleted ? {} : row,
		facts,
		ticket: textOf('Ticket', given.ticket),
		mark: textOf('Our Mark', given.mark),
		atMs: momentOf(given.occurredAt),
		earlier: earlierOf(given.earlier, entity, system),
	};
}

/** The change event that an observed reading is from now on, for the nodes behind. */
export function eventOfReading({ system, entity, key, exists, row, atMs }: Reading, { position }: Pick<ObservedReading, 'position'>, id: string | null): ChangeEvent {
	const changeId = id ?? `${system}:${entity}:${Object.values(key).map(String).join('/')}:${position}`;
	return {
		changeId,
		system,
		entity,
		op: exists ? 'u' : 'd',
		key: { ...key },
		before: null,
		after: exists ? { ...row } : null,
		unchanged: [],
		source: { connector: 'api', position, prev: null, tsMs: atMs ?? 0, txId: null, snapshot: atMs === null },
		marker: null,
		bisync: {},
	};
}

/** The item as a change event; what it was before is gone from it, for it may be a whole answer of an API. */
export function eventItem(event: ChangeEvent, { json }: INodeExecutionData): INodeExecutionData {
	const bisync = typeof json['bisync'] === 'object' && json['bisync'] !== null ? json['bisync'] : {};
	return { json: { ...event, bisync: { ...bisync, ...event.bisync } } as unknown as IDataObject };
}

export function mappedProperties(entity: EntityPolicy, system: string): string[] {
	return [...entity.fields.values()].flatMap((field) => columnsRead(field, system));
}

function withNulls(row: Row, entity: EntityPolicy, system: string): Row {
	const missing = mappedProperties(entity, system).filter((name) => !Object.hasOwn(row, name));
	return { ...row, ...Object.fromEntries(missing.map((name) => [name, null])) };
}

function earlierOf(value: unknown, entity: EntityPolicy, system: string): Row[] {
	if (value === undefined || value === null || value === '') return [];
	const given: unknown = typeof value === 'string' ? parsedJson(value) : value;
	if (!Array.isArray(given)) throw new SyncError('NOT_A_READING', '"Earlier States" is not a list of objects');
	return given.map((one) => {
		const payload = parseFields(one);
		if (payload === null) throw new SyncError('NOT_A_READING', '"Earlier States" is not a list of objects');
		return rowOfPayload(payload, propertiesOf(entity, system));
	});
}

function parsedJson(text: string): unknown {
	try {
		return JSON.parse(text);
	} catch {
		return null; // No list, and refused as such.
	}
}

export function versionOf(value: unknown): string | null {
	const version = textOf('Version', value);
	if (version !== null && !isComparable(version)) throw new SyncError('NOT_A_READING', '"Version" is neither a whole number nor a time in ISO 8601 form');
	return version;
}

/** Null when nothing is given. */
export function textOf(label: string, value: unknown): string | null {
	if (value === undefined || value === null || value === '') return null;
	if (typeof value === 'string') return value;
	if (typeof value === 'number' && Number.isSafeInteger(value)) return String(value);
	throw new SyncError('NOT_A_READING', `"${label}" is not a text or a whole number`);
}

/** Milliseconds since 1970 of a time or of such a number. */
function momentOf(value: unknown): number | null {
	const text = textOf('Occurred At', value);
	if (text === null) return null;
	const atMs = /^\d+$/.test(text) ? Number(text) : Date.parse(text);
	if (Number.isNaN(atMs)) throw new SyncError('NOT_A_READING', '"Occurred At" is no time');
	return atMs;
}

function optional<Name extends string>(name: Name, value: string | null): { [K in Name]?: string } {
	return (value === null ? {} : { [name]: value }) as { [K in Name]?: string };
}
