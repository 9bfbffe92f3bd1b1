import {
	type IExecuteFunctions,
	type INodeExecutionData,
	type INodeType,
	type INodeTypeDescription,
	NodeConnectionTypes,
} from 'n8n-workflow';

import type { SyncStore } from '../../src/store/sync-store';
import { credentialTest } from '../shared/credential-tests';
import { readEvents } from '../shared/items';
import { hintOnMode } from '../shared/mode-hint';
import { ECHO_FILTER, observeItems, refuseItems, storeFor } from '../shared/observe-items';
import { withStore } from '../shared/open-store';
import { policy, shownWhen, system } from '../shared/properties';
import { entityProperty, readingOptions, recordProperty } from '../shared/reading-properties';
import { type Outputs, readSettings, runNode } from '../shared/run-node';
import { oneOf, text } from '../shared/settings';
import { observeApi, ticketItems } from './observe-api';
import { offerDue } from './offer-due';
import { type EchoOperation, operation, OPERATIONS, OUTPUTS, OUTPUTS_BY_OPERATION } from './operations';
import { routeByDue, routeByMarker } from './route';

const ECHO = 1;
const OF_API = ['observeApi', 'takeTicket'];

/** R1: observes a batch in the sync store, and lets on what somebody has to look at. */
export class EchoFilter implements INodeType {
	description: INodeTypeDescription = {
		displayName: 'Echo Filter',
		name: 'echoFilter',
		icon: { light: 'file:echoFilter.svg', dark: 'file:echoFilter.dark.svg' },
		group: ['transform'],
		version: 1,
		subtitle:
			'={{ $parameter.mode === "store" ? "policy " + $parameter.policy : "by marker, no store" }}',
		description: 'Tells changes made by people and programs from our own writes coming back',
		defaults: { name: 'Echo Filter' },
		usableAsTool: true,
		inputs: [NodeConnectionTypes.Main],
		outputs: OUTPUTS_BY_OPERATION,
		credentials: [
			{
				name: 'bisyncStoreApi',
				required: true,
				testedBy: 'testSyncStore',
				displayOptions: { show: { mode: ['store'] } },
			},
		],
		hints: [
			{
				message:
					'Connect the triggers of all systems directly to this node: a node in between that drops or reorders changes makes it refuse what follows.',
				type: 'info',
				location: 'ndv',
				whenToDisplay: 'beforeExecution',
				displayCondition: '={{ $parameter.mode === "store" && $parameter.operation === "observe" }}',
			},
			{
				message:
					'Connect Read Again to a request that reads the record, and its answer to this node again. A webhook without a version is best taken as a hint: Before Reading, then the request, then this node.',
				type: 'info',
				location: 'ndv',
				whenToDisplay: 'beforeExecution',
				displayCondition: '={{ $parameter.mode === "store" && $parameter.operation === "observeApi" }}',
			},
		],
		properties: [
			{
				displayName: 'Recognise Our Writes By',
				name: 'mode',
				type: 'options',
				noDataExpression: true,
				options: [
					{
						name: 'Sync Store',
						value: 'store',
						description:
							'Compares each change with what was written. Also finds what the other system made of our write, and changes that came twice.',
					},
					{
						name: 'Marker Only',
						value: 'marker',
						description:
							'Drops every change that carries the marker of one of our writes. Needs no store, and does not notice when a trigger in the database changed more than we wrote.',
					},
				],
				default: 'store',
			},
			operation,
			shownWhen(policy, { mode: ['store'] }),
			shownWhen(system, { mode: ['store'], operation: OF_API }),
			entityProperty({ mode: ['store'], operation: OF_API }),
			recordProperty({ mode: ['store'], operation: OF_API }),
			{
				displayName: 'Record Is Deleted',
				name: 'deleted',
				type: 'boolean',
				default: false,
				displayOptions: { show: { mode: ['store'], operation: ['observeApi'] } },
				description: 'Whether the API says that there is no such record any more, as an expression: {{ $JSON.statusCode === 404 }}. "Record" must still have the key.',
			},
			readingOptions({ mode: ['store'], operation: ['observeApi'] }),
		],
	};

	methods = { credentialTest };

	async execute(this: IExecuteFunctions): Promise<INodeExecutionData[][]> {
		const mode = readSettings(this, () => oneOf('Recognise Our Writes By', this.getNodeParameter('mode', 0), ['store', 'marker']));
		const chosen = readSettings(this, () => oneOf('Operation', this.getNodeParameter('operation', 0, 'observe'), OPERATIONS));
		const what: EchoOperation = mode === 'marker' ? 'observe' : chosen;
		const outputCount = OUTPUTS[what].length;
		const options = { node: ECHO_FILTER, outputCount, safeOutput: Math.min(ECHO, outputCount - 1), runsOnEmptyItems: what === 'offerDue' };
		return await runNode(this, options, async (items) => {
			if (mode === 'marker') return routeByMarker(items);
			return await withStore(this, async (store) => (what === 'observe' ? await observeChanges(this, store, items) : await workOnApi(this, store, { what, items })));
		});
	}
}

async function observeChanges(context: IExecuteFunctions, store: SyncStore, items: readonly INodeExecutionData[]): Promise<Outputs> {
	const name = text('Policy', context.getNodeParameter('policy', 0));
	const batch = readEvents(items);
	const seen = await observeItems(storeFor(batch, store), name, batch);
	const outputs = routeByDue(seen.observed, batch.isTest);
	hintOnMode(context, seen.observed);
	refuseItems(context, seen, { key: ECHO_FILTER, outputs, safeOutput: ECHO });
	return outputs;
}

async function workOnApi(
	context: IExecuteFunctions,
	store: SyncStore,
	{ what, items }: { what: Exclude<EchoOperation, 'observe'>; items: readonly INodeExecutionData[] },
): Promise<Outputs> {
	if (what === 'offerDue') return await offerDue(store, text('Policy', context.getNodeParameter('policy', 0)), items);
	const { outputs, ...seen } = what === 'takeTicket' ? await ticketItems(context, store, items) : await observeApi(context, store, items);
	refuseItems(context, seen, { key: ECHO_FILTER, outputs, safeOutput: Math.min(ECHO, outputs.length - 1) });
	return outputs;
}
