import {
	type IExecuteFunctions,
	type INodeExecutionData,
	type INodeType,
	type INodeTypeDescription,
	NodeConnectionTypes,
} from 'n8n-workflow';

import { credentialTest } from '../shared/credential-tests';
import { withStore } from '../shared/open-store';
import { readSettings, runNode } from '../shared/run-node';
import { oneOf, optionalText, text, wholeNumber } from '../shared/settings';
import { claimItems } from './claim-items';
import { endClaims } from './end-claims';
import { GUARD, IN_PROGRESS, OPERATIONS, OUTPUTS_BY_OPERATION } from './outputs';
import { properties } from './properties';

const SECOND_MS = 1_000;
const DAY_MS = 86_400_000;

/** Lets each key through once, for work that must not be done twice. */
export class IdempotencyGuard implements INodeType {
	description: INodeTypeDescription = {
		displayName: 'Idempotency Guard',
		name: 'idempotencyGuard',
		icon: { light: 'file:idempotencyGuard.svg', dark: 'file:idempotencyGuard.dark.svg' },
		group: ['transform'],
		version: 1,
		subtitle: '={{ $parameter.operation.replace(/([A-Z])/g, " $1").toLowerCase() }}',
		description: 'Lets each event or write through once, however often it arrives',
		defaults: { name: 'Idempotency Guard' },
		usableAsTool: true,
		inputs: [NodeConnectionTypes.Main],
		outputs: OUTPUTS_BY_OPERATION,
		credentials: [{ name: 'bisyncStoreApi', required: true, testedBy: 'testSyncStore' }],
		hints: [
			{
				message:
					'After the work is done, run this node again with the operation Complete; when it failed, with Release. Otherwise the same key is let through again when the lease is over.',
				type: 'info',
				location: 'ndv',
				whenToDisplay: 'beforeExecution',
				displayCondition: '={{ $parameter.operation === "claim" }}',
			},
		],
		properties,
	};

	methods = { credentialTest };

	async execute(this: IExecuteFunctions): Promise<INodeExecutionData[][]> {
		const read = (name: string): unknown => this.getNodeParameter(name, 0);
		const operation = readSettings(this, () => oneOf('Operation', read('operation'), OPERATIONS));
		const isClaim = operation === 'claim';
		const safe = { outputCount: isClaim ? 3 : 1, safeOutput: isClaim ? IN_PROGRESS : 0 };
		return await runNode(this, { node: GUARD, ...safe }, async (items) => {
			const scope = text('Scope', read('scope'));
			if (isClaim) {
				const leaseMs = SECOND_MS * wholeNumber('Lease (Seconds)', read('leaseSeconds'), 1);
				const policy = optionalText('Policy', read('policy'));
				return await withStore(
					this,
					async (store) => await claimItems(this, store, { items, scope, leaseMs, policy }),
				);
			}
			const retainMs =
				operation === 'complete'
					? DAY_MS * wholeNumber('Remember For (Days)', read('retainDays'), 1)
					: null;
			return await withStore(
				this,
				async (store) => await endClaims(this, store, { items, scope, retainMs }),
			);
		});
	}
}
