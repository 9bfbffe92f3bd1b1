import type { IExecuteFunctions, INodeExecutionData } from 'n8n-workflow';

import type { EntityPolicy } from '../../src/core/policy';
import type { Reading } from '../../src/core/reading';
import { wakeFinding, wakeItem } from '../../src/core/wake-item';
import { observeReadings, takeTickets, type ObservedReading, type ReadingStore } from '../../src/store/observe-readings';
import { policyInForce, requirePublished } from '../../src/store/published-policy';
import { asSyncError, type InputItem, readEach, withFinding } from '../shared/items';
import { noteOnMode } from '../shared/mode-hint';
import { ECHO_FILTER, type RefusedItem } from '../shared/observe-items';
import { givenReading, optionsOf } from '../shared/read-given';
import { apiEntity, eventItem, eventOfReading, readingOf } from '../shared/reading-items';
import { emptyOutputs, type Outputs } from '../shared/run-node';
import { text } from '../shared/settings';

const FOREIGN = 0;
const ECHO = 1;
const READ_AGAIN = 2;

type Context = Pick<IExecuteFunctions, 'getNodeParameter' | 'addExecutionHints'>;

export interface ApiBatch {
	readonly outputs: Outputs;
	readonly refused: readonly RefusedItem[];
	/** Items that could be read. */
	readonly observed: readonly InputItem[];
}

interface ReadItem extends InputItem {
	readonly reading: Reading;
	readonly eventId: string | null;
}

/** Observes what an API has said of records: one item each. */
export async function observeApi(context: Context, store: ReadingStore, items: readonly INodeExecutionData[]): Promise<ApiBatch> {
	const { entity, policyName, system } = await placeOf(context, store);
	const { read, refused } = readAll(items, (input) => readItem(context, input, { system, entity }));
	const observed = await observeReadings(store, policyName, read.map(({ reading }) => reading));
	const outputs = emptyOutputs(READ_AGAIN + 1);
	read.forEach((item, at) => {
		const found = observed[at];
		if (found) route(outputs, item, found);
	});
	const note = noteOnMode(observed.find(({ mode }) => mode !== undefined)?.mode ?? 'live');
	if (note !== null) context.addExecutionHints({ message: note });
	return { outputs, refused, observed: read };
}

function route(outputs: Outputs, item: ReadItem, { wakes = [], position, ...found }: ObservedReading): void {
	const { index, reading, eventId } = item;
	const event = eventOfReading(reading, { position }, eventId);
	const shown = withFinding({ index, item: eventItem(event, item.item) }, ECHO_FILTER, found);
	const isDoubtful = found.disposition === 'doubtful';
	outputs[isDoubtful ? READ_AGAIN : found.due ? FOREIGN : ECHO]?.push(shown);
	for (const link of wakes) {
		const woken = { index, item: eventItem(wakeItem(link, reading.system), { json: {} }) };
		outputs[FOREIGN]?.push(withFinding(woken, ECHO_FILTER, wakeFinding(link.id)));
	}
}

/** Notes what is known of the records that the items name; the items go on as they are. */
export async function ticketItems(context: Context, store: Pick<ReadingStore, 'load'>, items: readonly INodeExecutionData[]): Promise<ApiBatch> {
	const { entity, policyName, system } = await placeOf(context, store);
	const { read, refused } = readAll(items, (input) => readItem(context, input, { system, entity }));
	const tickets = await takeTickets(store, policyName, read.map(({ reading }) => reading));
	const output = read.map((item, at) => withFinding(item, ECHO_FILTER, { ticket: tickets[at] ?? '', key: item.reading.key }));
	return { outputs: [output], refused, observed: read };
}

async function placeOf(context: Context, store: Pick<ReadingStore, 'load'>): Promise<{ entity: EntityPolicy; policyName: string; system: string }> {
	const policyName = text('Policy', context.getNodeParameter('policy', 0));
	const system = text('System', context.getNodeParameter('system', 0));
	const published = requirePublished(await store.load({ policy: policyName }), policyName);
	const entity = apiEntity(policyInForce(published).policy, system, text('Entity', context.getNodeParameter('entity', 0)));
	return { entity, policyName, system };
}

function readItem(context: Context, input: InputItem, place: { system: string; entity: EntityPolicy }): ReadItem {
	const isDeleted = context.getNodeParameter('deleted', input.index, false) === true;
	const { eventId } = optionsOf(context, input.index);
	const reading = readingOf(givenReading(context, input.index, !isDeleted), place);
	return { ...input, reading, eventId: typeof eventId === 'string' && eventId !== '' ? eventId : null };
}

function readAll(items: readonly INodeExecutionData[], read: (input: InputItem) => ReadItem): { read: readonly ReadItem[]; refused: readonly RefusedItem[] } {
	const { read: done, unread } = readEach(items, read);
	return { read: done, refused: unread.map(({ error, ...input }) => ({ ...input, error: asSyncError(error, 'NOT_A_READING') })) };
}
