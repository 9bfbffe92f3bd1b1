import {
	type IExecuteFunctions,
	type INodeExecutionData,
	type INodeType,
	type INodeTypeDescription,
	NodeConnectionTypes,
} from 'n8n-workflow';

import { credentialTest } from '../shared/credential-tests';
import { readEvents } from '../shared/items';
import { hintOnMode } from '../shared/mode-hint';
import { ECHO_FILTER, observeItems, refuseItems, storeFor } from '../shared/observe-items';
import { withStore } from '../shared/open-store';
import { policy, shownWhen } from '../shared/properties';
import { runNode } from '../shared/run-node';
import { oneOf, text } from '../shared/settings';
import { routeByDue, routeByMarker } from './route';

const OUTPUTS = ['Foreign', 'Echo'];
const ECHO = 1;

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
		outputs: [NodeConnectionTypes.Main, NodeConnectionTypes.Main],
		outputNames: OUTPUTS,
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
				displayCondition: '={{ $parameter.mode === "store" }}',
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
			shownWhen(policy, { mode: ['store'] }),
		],
	};

	methods = { credentialTest };

	async execute(this: IExecuteFunctions): Promise<INodeExecutionData[][]> {
		const options = { node: ECHO_FILTER, outputCount: OUTPUTS.length, safeOutput: ECHO };
		return await runNode(this, options, async (items) => {
			const mode = oneOf('Recognise Our Writes By', this.getNodeParameter('mode', 0), [
				'store',
				'marker',
			]);
			if (mode === 'marker') return routeByMarker(items);
			const name = text('Policy', this.getNodeParameter('policy', 0));
			const batch = readEvents(items);
			const seen = await withStore(
				this,
				async (store) => await observeItems(storeFor(batch, store), name, batch),
			);
			const outputs = routeByDue(seen.observed, batch.isTest);
			hintOnMode(this, seen.observed);
			refuseItems(this, seen, { key: ECHO_FILTER, outputs, safeOutput: ECHO });
			return outputs;
		});
	}
}
