import type { IExecuteFunctions } from 'n8n-workflow';

import { beginRequests, type BeginResult } from '../../src/store/api-requests';
import type { Rate } from '../../src/store/token-bucket';
import type { SyncStore } from '../../src/store/sync-store';
import { type InputItem, withFinding } from '../shared/items';
import { emptyOutputs, errorFinding, type Outputs } from '../shared/run-node';
import { text, wholeNumber } from '../shared/settings';
import { BEGIN, begunFinding } from './begun';
import { OUTPUTS } from './operations';
import { readWrites } from './read-writes';
import { triedWith, WRITE } from './route';

const GO = 0;
const READ_FIRST = 1;
const NOT_NOW = 2;
const SECOND_MS = 1_000;

/** Gives out, to this execution alone, what is to be sent for each operation. */
export async function beginItems(context: IExecuteFunctions, store: SyncStore, items: Parameters<typeof readWrites>[0]): Promise<Outputs> {
	const system = text('System', context.getNodeParameter('system', 0));
	const policy = text('Policy', context.getNodeParameter('policy', 0));
	const leaseMs = SECOND_MS * wholeNumber('Lease (Seconds)', context.getNodeParameter('leaseSeconds', 0), 1);
	const writes = readWrites(items, system);
	const outputs = emptyOutputs(OUTPUTS.begin.length);
	const ops = [...new Map(writes.items.map(({ op }) => [op.id, op])).values()];
	const results = writes.isTest || ops.length === 0 ? new Map<string, BeginResult>() : await beginRequests(store, { policy, system, ops, leaseMs, rate: rateOf(context) });
	const given = new Set<string>();
	for (const item of writes.items) {
		const result = results.get(item.op.id) ?? { kind: 'not-now', reason: `A test run sends nothing: it would ${item.op.kind} in ${system}` };
		const again: BeginResult = { kind: 'not-now', reason: 'An earlier item of this batch brings the same' };
		routeBegun(outputs, item, { result: given.has(item.op.id) ? again : result, tried: triedWith(item) });
		given.add(item.op.id);
	}
	for (const item of writes.unfit) outputs[NOT_NOW]?.push(withFinding(item, BEGIN, { error: errorFinding(item.error) }));
	return outputs;
}

function routeBegun(outputs: Outputs, item: InputItem, { result, tried }: { result: BeginResult; tried: string[] }): void {
	if (result.kind === 'not-now') {
		outputs[NOT_NOW]?.push(withFinding(item, BEGIN, { reason: result.reason, ...(result.error ? { error: errorFinding(result.error) } : {}) }));
		return;
	}
	const mustRead = result.kind === 'read';
	const begun = withFinding(item, BEGIN, begunFinding(result.begun, mustRead));
	outputs[mustRead ? READ_FIRST : GO]?.push(withFinding({ ...item, item: begun }, WRITE, { tried }));
}

/** Null: as many as there are. */
function rateOf(context: IExecuteFunctions): Rate | null {
	const capacity = wholeNumber('At Most (Requests)', context.getNodeParameter('rateCapacity', 0, 0), 0);
	if (capacity === 0) return null;
	return { capacity, perSecond: capacity / wholeNumber('Per (Seconds)', context.getNodeParameter('rateSeconds', 0, 10), 1) };
}
