import {
	type INode,
	type INodeExecutionData,
	type INodeType,
	type INodeTypeDescription,
	type ITriggerFunctions,
	type ITriggerResponse,
	NodeConnectionTypes,
	NodeOperationError,
} from 'n8n-workflow';

import { SyncError } from '../../src/core/errors';
import { credentialTest } from '../shared/credential-tests';
import { openStore, STORE_CREDENTIAL, withStore } from '../shared/open-store';
import { nodeError } from '../shared/sync-error-to-node';
import { type RunningTrigger, startTrigger } from './lifecycle';
import { sampleEvents } from './manual-run';
import { readSettings, type TriggerSettings } from './settings';
import { RowsReader } from './rows-reader';
import { StorePoller } from './store-poller';
import { StoreReader } from './store-reader';
import { type PollMemory, TablesPoller } from './tables-poller';
import { TablesReader } from './tables-reader';
import type { TablesMemory } from './tables-start';
import { triggerProperties } from './trigger-properties';

/** Starts the workflow when rows of a Postgres database change, and misses none. */
export class PostgresCdcTrigger implements INodeType {
	description: INodeTypeDescription = {
		displayName: 'Postgres CDC Trigger',
		name: 'postgresCdcTrigger',
		icon: { light: 'file:postgresCdcTrigger.svg', dark: 'file:postgresCdcTrigger.dark.svg' },
		group: ['trigger'],
		version: 1,
		subtitle:
			'={{ $parameter.useStore ? $parameter.system + " of " + $parameter.policy : $parameter.tables }}',
		description:
			"Starts the workflow when rows change, read from the database's own log: no change is missed",
		eventTriggerDescription: 'Waiting for rows to change',
		activationMessage:
			'Changes are read from now on. While the workflow is inactive, the server keeps them for you.',
		defaults: { name: 'Postgres CDC Trigger' },
		inputs: [],
		outputs: [NodeConnectionTypes.Main],
		outputNames: ['Changes'],
		credentials: [
			{
				name: 'bisyncPostgresApi',
				required: true,
				testedBy: 'testPostgresReplication',
				displayOptions: { show: { connectWith: ['bisyncPostgresApi'] } },
			},
			{
				// eslint-disable-next-line @n8n/community-nodes/valid-credential-references -- the credential of n8n's own Postgres node
				name: 'postgres',
				required: true,
				displayOptions: { show: { connectWith: ['postgres'] } },
			},
			{
				name: 'bisyncStoreApi',
				required: true,
				testedBy: 'testSyncStore',
				displayOptions: { show: { useStore: [true] } },
			},
		],
		hints: [
			{
				message:
					'Connect this trigger directly to Echo Filter: a node in between that drops changes makes them come again and again.',
				type: 'info',
				location: 'ndv',
				whenToDisplay: 'beforeExecution',
				displayCondition: '={{ $parameter.useStore }}',
			},
			{
				message:
					'Polling sees each row as it is at a poll: what it was in between stays unknown, and so does whether somebody had seen our write before they changed something else. No row is missed.',
				type: 'info',
				location: 'ndv',
				whenToDisplay: 'beforeExecution',
				displayCondition: "={{ $parameter.readBy === 'polling' }}",
			},
			{
				message:
					'Changes that wait in the slot, or some rows as they are. A test run consumes and writes nothing.',
				type: 'info',
				location: 'outputPane',
				whenToDisplay: 'afterExecution',
			},
		],
		properties: triggerProperties,
	};

	methods = { credentialTest };

	async trigger(this: ITriggerFunctions): Promise<ITriggerResponse> {
		if (this.getMode() === 'manual')
			return { manualTriggerFunction: async () => await runTest(this) };
		try {
			const running = await activate(this);
			return { closeFunction: async () => await running.close() };
		} catch (error) {
			throw withRemedy(error);
		}
	}
}

async function runTest(context: ITriggerFunctions): Promise<void> {
	try {
		const events = await sampleEvents({
			settings: await readSettings(context),
			withStore: async (work) => await withStore(context, work),
			log: context.logger,
		});
		context.emit([events.map((event) => ({ json: event as INodeExecutionData['json'] }))]);
	} catch (error) {
		throw triggerError(context.getNode(), error);
	}
}

/** When n8n itself starts, databases may still be starting too; a person who activates wants to see the error. */
const PATIENT_ACTIVATIONS: readonly string[] = ['init', 'leadershipChange'];

async function activate(context: ITriggerFunctions): Promise<RunningTrigger> {
	const asNodeError = (error: unknown): NodeOperationError =>
		triggerError(context.getNode(), error);
	const isPatient = PATIENT_ACTIVATIONS.includes(context.getActivationMode());
	let settings: TriggerSettings;
	try {
		settings = await readSettings(context);
	} catch (error) {
		throw asNodeError(error);
	}
	const { source, polling } = settings;
	const shared = { settings, host: context, asNodeError };
	if (source.kind === 'tables') {
		const memory: PollMemory & TablesMemory = context.getWorkflowStaticData('node');
		if (polling) return await startTrigger(new TablesPoller({ ...shared, source, polling, memory }), context, { isPatient });
		if (source.rows !== 'only') return await startTrigger(new TablesReader({ ...shared, source, memory }), context, { isPatient });
		const isNew = context.getActivationMode() === 'activate';
		return await startTrigger(new RowsReader({ ...shared, source, memory, isNew }), context, { isPatient });
	}
	const credential = await context.getCredentials(STORE_CREDENTIAL);
	const parts = { ...shared, source, openStore: async () => await openStore(credential) };
	if (!polling) return await startTrigger(new StoreReader(parts), context, { isPatient });
	return await startTrigger(new StorePoller({ ...parts, polling }), context, { isPatient });
}

/** Of a trigger that does not start, n8n shows the message alone: what to do has to stand in it. */
function withRemedy(error: unknown): unknown {
	if (error instanceof NodeOperationError && error.description) {
		error.message = `${error.message}. ${error.description}`;
	}
	return error;
}

/** As `nodeError`; what the preflight found comes with the SQL for each problem. */
function triggerError(node: INode, error: unknown): NodeOperationError {
	const shown = nodeError(node, error);
	const fixes = error instanceof SyncError ? error.details['fixes'] : undefined;
	if (error instanceof SyncError && Array.isArray(fixes)) {
		shown.description = `${error.remedy}\n${fixes.join('\n')}`;
	}
	return shown;
}
