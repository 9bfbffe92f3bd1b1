import type { IDataObject, INodeExecutionData } from 'n8n-workflow';

import { type ChangeEvent, parseChangeEvent } from '../../src/core/change-event';
import { type ErrorCode, SyncError } from '../../src/core/errors';

/** An input item and its place, which its descendants name as their origin. */
export interface InputItem {
	readonly index: number;
	readonly item: INodeExecutionData;
}

export interface EventItem extends InputItem {
	readonly event: ChangeEvent;
}

export interface UnreadableItem extends InputItem {
	readonly error: SyncError;
}

/** A batch of items, read. */
export interface EventBatch {
	readonly events: readonly EventItem[];
	/** Items that are no change events. */
	readonly unreadable: readonly UnreadableItem[];
	/** The items come from a manual test run: nothing may be committed or written for them. */
	readonly isTest: boolean;
}

/** Reads items as change events. Empty items, which n8n makes for "Always Output Data", are left out. */
export function readEvents(items: readonly INodeExecutionData[]): EventBatch {
	const { read: events, unread } = readEach(items, (input) => ({ ...input, event: readEvent(input.item) }));
	const unreadable = unread.map(({ error, ...input }) => ({ ...input, error: asSyncError(error, 'NOT_A_CHANGE_EVENT') }));
	return { events, unreadable, isTest: events.some(({ item }) => isTestItem(item)) };
}

/** What the items that have something in them say; one that cannot be read does not stand in the others' way. */
export function readEach<Read>(
	items: readonly INodeExecutionData[],
	read: (input: InputItem) => Read,
): { readonly read: readonly Read[]; readonly unread: readonly (InputItem & { readonly error: unknown })[] } {
	const done: Read[] = [];
	const unread: (InputItem & { error: unknown })[] = [];
	for (const input of filled(items)) {
		try {
			done.push(read(input));
		} catch (error) {
			unread.push({ ...input, error });
		}
	}
	return { read: done, unread };
}

/** The items that have something in them. */
export function filled(items: readonly INodeExecutionData[]): InputItem[] {
	return items
		.map((item, index) => ({ item, index }))
		.filter(({ item }) => Object.keys(item.json).length > 0);
}

/** Whether the item comes from a manual test run of the trigger. */
export function isTestItem({ json }: INodeExecutionData): boolean {
	return json['test'] === true;
}

/** What a node of this pack found earlier, under `bisync.<node>`; null when it has not seen the item. */
export function findingOf(item: INodeExecutionData, node: string): IDataObject | null {
	const bisync = item.json['bisync'];
	const found = isObject(bisync) ? bisync[node] : undefined;
	return isObject(found) ? found : null;
}

/** The item with what this node found under `bisync.<node>`; nothing else is changed. */
export function withFinding(
	{ item, index }: InputItem,
	node: string,
	finding: object,
): INodeExecutionData {
	const bisync = isObject(item.json['bisync']) ? item.json['bisync'] : {};
	return {
		...item,
		json: { ...item.json, bisync: { ...bisync, [node]: { ...finding } } },
		pairedItem: { item: index },
	};
}

/** The item's event, which stands somewhere in its system's stream unless it only wakes a link. */
function readEvent({ json }: INodeExecutionData): ChangeEvent {
	const event = parseChangeEvent(json);
	if (event.op === 'w' || event.source.position !== null) return event;
	const problem = 'source.position: must say where in the stream the change stands';
	throw new SyncError('NOT_A_CHANGE_EVENT', `The item is not a change event (${problem})`);
}

/** @param code - for what is no error of ours */
export function asSyncError(error: unknown, code: ErrorCode): SyncError {
	return error instanceof SyncError ? error : new SyncError(code, 'The item cannot be read', { cause: error });
}

function isObject(value: unknown): value is IDataObject {
	return typeof value === 'object' && value !== null && !Array.isArray(value);
}
