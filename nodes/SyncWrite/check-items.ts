import type { IExecuteFunctions, INodeExecutionData } from 'n8n-workflow';

import { SyncError } from '../../src/core/errors';
import type { EntityPolicy, Policy } from '../../src/core/policy';
import type { Reading } from '../../src/core/reading';
import { wakeItem } from '../../src/core/wake-item';
import { continueRequests, type BeginResult } from '../../src/store/api-requests';
import { policyInForce, requirePublished } from '../../src/store/published-policy';
import type { SyncStore } from '../../src/store/sync-store';
import { type InputItem, readEach, withFinding } from '../shared/items';
import { givenReading } from '../shared/read-given';
import { apiEntity, eventItem, readingOf } from '../shared/reading-items';
import { emptyOutputs, errorFinding, type Outputs } from '../shared/run-node';
import { text } from '../shared/settings';
import { BEGIN, begunFinding, type BegunFinding, parseBegun } from './begun';
import { OUTPUTS } from './operations';
import { WRITE } from './route';

const GO = 0;
const NOT_NOW = 1;

interface CheckItem extends InputItem {
	readonly begun: BegunFinding;
	readonly reading: Reading | null;
}

/** Goes on with writes whose records have been read. */
export async function checkItems(context: IExecuteFunctions, store: SyncStore, items: readonly INodeExecutionData[]): Promise<Outputs> {
	const policyName = text('Policy', context.getNodeParameter('policy', 0));
	const { policy } = policyInForce(requirePublished(await store.load({ policy: policyName }), policyName));
	const outputs = emptyOutputs(OUTPUTS.check.length);
	const { read, unread } = readEach(items, (input) => readItem(context, input, policy));
	for (const input of unread) outputs[NOT_NOW]?.push(withFinding(input, BEGIN, { error: errorFinding(input.error) }));
	const results = read.length > 0 ? await continueRequests(store, policyName, read) : [];
	read.forEach((item, at) => {
		const result = results[at];
		if (result) route(outputs, item, result);
	});
	return outputs;
}

function route(outputs: Outputs, { index, item, begun }: CheckItem, result: BeginResult): void {
	const { link: id, entity, system, key, op } = begun;
	const event = wakeItem({ id, entity, keys: key ? { [system]: key } : {} }, system);
	const wake = { index, item: eventItem(event, item) };
	if (result.kind === 'not-now') {
		const finding = { reason: result.reason, ...(result.error ? { error: errorFinding(result.error) } : {}) };
		outputs[NOT_NOW]?.push(withFinding(wake, BEGIN, finding));
		return;
	}
	const going = withFinding(wake, BEGIN, begunFinding(result.begun, false));
	outputs[GO]?.push(withFinding({ index, item: going }, WRITE, { tried: [op] }));
}

function readItem(context: IExecuteFunctions, input: InputItem, policy: Policy): CheckItem {
	const begun = parseBegun(context.getNodeParameter('begun', input.index));
	const entity = apiEntity(policy, begun.system, begun.entity);
	const isFound = context.getNodeParameter('found', input.index, true) === true;
	return { ...input, begun, reading: isFound ? foundReading(context, input, { begun, entity }) : missingReading(begun) };
}

function foundReading(context: IExecuteFunctions, { index }: InputItem, { begun, entity }: { begun: BegunFinding; entity: EntityPolicy }): Reading {
	const given = { ...givenReading(context, index, true), ticket: begun.ticket };
	const reading = readingOf(given, { system: begun.system, entity });
	const isOther = begun.key !== null && Object.entries(begun.key).some(([name, value]) => reading.key[name] !== value);
	if (isOther) throw new SyncError('NOT_A_READING', `"Record" is another ${begun.entity} than the one that the write is for`);
	return reading;
}

/** There is no such record; of a new one there is no key by which that could be said. */
function missingReading({ key, system, entity, ticket }: BegunFinding): Reading | null {
	if (key === null) return null;
	return { system, entity, key, exists: false, row: {}, facts: { whole: false }, ticket, mark: null, atMs: null, earlier: [] };
}
