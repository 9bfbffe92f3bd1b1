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
import {
	alreadyObserved,
	byIndex,
	observeItems,
	refuseItems,
	storeFor,
} from '../shared/observe-items';
import { withStore } from '../shared/open-store';
import { policy, shownWhen } from '../shared/properties';
import { runNode } from '../shared/run-node';
import { oneOf, text } from '../shared/settings';
import { compareGivenVectors } from './given-vectors';
import { OUTPUTS, routeByOrdering, STALE, VERSION_CHECK } from './route';

/** Tells changes that can be applied from concurrent ones, and from those that nobody need look at. */
export class VersionVectorCheck implements INodeType {
	description: INodeTypeDescription = {
		displayName: 'Version Vector Check',
		name: 'versionVectorCheck',
		icon: { light: 'file:versionVectorCheck.svg', dark: 'file:versionVectorCheck.dark.svg' },
		group: ['transform'],
		version: 1,
		subtitle:
			'={{ $parameter.mode === "policy" ? "policy " + $parameter.policy : "given vectors" }}',
		description:
			'Says whether a change has seen what the other systems hold: in order, concurrent, or stale',
		defaults: { name: 'Version Vector Check' },
		usableAsTool: true,
		inputs: [NodeConnectionTypes.Main],
		outputs: [NodeConnectionTypes.Main, NodeConnectionTypes.Main, NodeConnectionTypes.Main],
		outputNames: [...OUTPUTS],
		credentials: [
			{
				name: 'bisyncStoreApi',
				required: true,
				testedBy: 'testSyncStore',
				displayOptions: { show: { mode: ['policy'] } },
			},
		],
		hints: [
			{
				message:
					'Connect In Order and Concurrent to Field Authority Merge. Stale may stay unconnected: those records are looked at by another item, or need nothing.',
				type: 'info',
				location: 'ndv',
				whenToDisplay: 'beforeExecution',
			},
		],
		properties: [
			{
				displayName: 'Compare',
				name: 'mode',
				type: 'options',
				noDataExpression: true,
				options: [
					{
						name: 'By Policy',
						value: 'policy',
						description:
							'What the sync store knows of each record. Works behind Echo Filter, or alone.',
					},
					{
						name: 'Given Vectors',
						value: 'vectors',
						description:
							'Two version vectors that each item brings along, in any flow, without a store',
					},
				],
				default: 'policy',
			},
			shownWhen(policy, { mode: ['policy'] }),
			{
				displayName: 'Incoming Version',
				name: 'incoming',
				type: 'json',
				displayOptions: { show: { mode: ['vectors'] } },
				default: '={{ $json.incoming }}',
				placeholder: '{ "crm": 3, "billing": 1 }',
				description: 'For each system, how many of its changes the incoming version contains',
			},
			{
				displayName: 'Stored Version',
				name: 'stored',
				type: 'json',
				displayOptions: { show: { mode: ['vectors'] } },
				default: '={{ $json.stored }}',
				placeholder: '{ "crm": 2, "billing": 1 }',
				description: 'The same of the version that is there already; {} when there is none',
			},
		],
	};

	methods = { credentialTest };

	async execute(this: IExecuteFunctions): Promise<INodeExecutionData[][]> {
		const options = { node: VERSION_CHECK, outputCount: OUTPUTS.length, safeOutput: STALE };
		return await runNode(this, options, async (items) => {
			const mode = oneOf('Compare', this.getNodeParameter('mode', 0), ['policy', 'vectors']);
			if (mode === 'vectors') return compareGivenVectors(this, items);
			const name = text('Policy', this.getNodeParameter('policy', 0));
			const batch = readEvents(items);
			const { observed, rest } = alreadyObserved(batch);
			const seen =
				rest.events.length > 0
					? await withStore(
							this,
							async (store) => await observeItems(storeFor(batch, store), name, rest),
						)
					: { observed: [], refused: rest.unreadable };
			const all = byIndex(observed, seen.observed);
			hintOnMode(this, all);
			const outputs = routeByOrdering(all);
			refuseItems(this, seen, { key: VERSION_CHECK, outputs, safeOutput: STALE });
			return outputs;
		});
	}
}
