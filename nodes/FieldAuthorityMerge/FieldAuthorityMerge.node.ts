import {
	type IExecuteFunctions,
	type INodeExecutionData,
	type INodeType,
	type INodeTypeDescription,
	NodeConnectionTypes,
} from 'n8n-workflow';

import { credentialTest } from '../shared/credential-tests';
import { policy, shownWhen } from '../shared/properties';
import { readSettings, runNode } from '../shared/run-node';
import { nameList, oneOf } from '../shared/settings';
import { mergeByFields } from './by-fields';
import { mergeByPolicy } from './by-policy';
import { fieldProperties } from './field-properties';
import { MERGE, OUTPUTS_BY_SYSTEM, outputsFor } from './outputs';

/** R2: decides once per link and hands out what is to be written, to every system that lacks it. */
export class FieldAuthorityMerge implements INodeType {
	description: INodeTypeDescription = {
		displayName: 'Field Authority Merge',
		name: 'fieldAuthorityMerge',
		icon: { light: 'file:fieldAuthorityMerge.svg', dark: 'file:fieldAuthorityMerge.dark.svg' },
		group: ['transform'],
		version: 1,
		subtitle:
			'={{ $parameter.mode === "policy" ? "policy " + $parameter.policy : "given versions" }}',
		description: 'Decides, field by field, which system has the last word, and what each one lacks',
		defaults: { name: 'Field Authority Merge' },
		usableAsTool: true,
		inputs: [NodeConnectionTypes.Main],
		outputs: OUTPUTS_BY_SYSTEM,
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
					'Connect each output "Write to …" to a Sync Write of that system. Review and Nothing To Do may stay unconnected: what waits for a person is in the sync store.',
				type: 'info',
				location: 'ndv',
				whenToDisplay: 'beforeExecution',
				displayCondition: '={{ $parameter.mode === "policy" }}',
			},
		],
		properties: [
			{
				displayName: 'Merge',
				name: 'mode',
				type: 'options',
				noDataExpression: true,
				options: [
					{
						name: 'By Policy',
						value: 'policy',
						description:
							'The published policy decides, with all that the sync store knows of the record',
					},
					{
						name: 'Given Versions',
						value: 'fields',
						description:
							'Three versions of a record that each item brings along, in any flow, without a store',
					},
				],
				default: 'policy',
			},
			shownWhen(policy, { mode: ['policy'] }),
			{
				displayName: 'Systems',
				name: 'systems',
				type: 'string',
				noDataExpression: true,
				required: true,
				default: 'crm, billing',
				placeholder: 'crm, billing',
				description:
					'The systems of the policy, separated by commas. Each gets an output "Write to …". With given versions: the names of the sides A and B.',
			},
			...fieldProperties,
		],
	};

	methods = { credentialTest };

	async execute(this: IExecuteFunctions): Promise<INodeExecutionData[][]> {
		const systems = readSettings(this, () =>
			nameList('Systems', this.getNodeParameter('systems', 0)),
		);
		const { outputCount, nothingToDo } = outputsFor(systems);
		const options = { node: MERGE, outputCount, safeOutput: nothingToDo };
		return await runNode(this, options, async (items) => {
			const mode = oneOf('Merge', this.getNodeParameter('mode', 0), ['policy', 'fields']);
			return mode === 'policy'
				? await mergeByPolicy(this, systems, items)
				: mergeByFields(this, systems, items);
		});
	}
}
