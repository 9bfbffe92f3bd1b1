import {
	type IDataObject,
	type IExecuteFunctions,
	type INodeExecutionData,
	type INodeType,
	type INodeTypeDescription,
	NodeConnectionTypes,
} from 'n8n-workflow';

import { type ErrorCode, SyncError } from '../../src/core/errors';
import type { HealthLevel } from '../../src/core/health';
import { prometheusDown } from '../../src/core/prometheus';
import { credentialTest } from '../shared/credential-tests';
import { databaseSettings } from '../shared/open-database';
import { withStore } from '../shared/open-store';
import { emptyOutputs, errorFinding, type Outputs, readSettings, runNode } from '../shared/run-node';
import { oneOf, text, wholeNumber } from '../shared/settings';
import { checkHealth, type CheckedHealth, healthItem, historyOf, metricsOf, storeDownItem } from './check-health';
import { measureSystem } from './measure-system';
import { type MonitorOperation, OPERATIONS, OUTPUTS, OUTPUTS_BY_OPERATION } from './operations';
import { properties } from './properties';
import { readThresholds } from './threshold-properties';

/** The credentials say what hides them: see Sync Policy. */
const WITHOUT_DATABASE = OPERATIONS.filter((operation) => operation !== 'measure');

const OUTPUT_OF: Readonly<Record<HealthLevel, number>> = { healthy: 0, warning: 1, critical: 2 };
const MINUTE_MS = 60_000;

/** Tells how a sync is doing, and wakes the right person in time. */
export class SyncMonitor implements INodeType {
	description: INodeTypeDescription = {
		displayName: 'Sync Monitor',
		name: 'syncMonitor',
		icon: { light: 'file:syncMonitor.svg', dark: 'file:syncMonitor.dark.svg' },
		group: ['transform'],
		version: 1,
		subtitle: '={{ $parameter.operation === "measure" ? "measure " + $parameter.system : $parameter.operation + " " + $parameter.policy }}',
		description: 'Measures lag and replication slots, judges the health of a sync, and says when it changes; also for Prometheus',
		defaults: { name: 'Sync Monitor' },
		usableAsTool: true,
		inputs: [NodeConnectionTypes.Main],
		outputs: OUTPUTS_BY_OPERATION,
		credentials: [
			{ name: 'bisyncStoreApi', displayName: 'Sync Store', required: true, testedBy: 'testSyncStore' },
			{
				name: 'bisyncPostgresApi',
				displayName: 'Postgres Replication',
				required: true,
				testedBy: 'testPostgresReplication',
				displayOptions: { hide: { operation: WITHOUT_DATABASE, connectWith: ['postgres'] } },
			},
			{
				// eslint-disable-next-line @n8n/community-nodes/valid-credential-references, n8n-nodes-base/node-class-description-credentials-name-unsuffixed -- the credential of n8n's own Postgres node
				name: 'postgres',
				displayName: 'Postgres (Built-In)',
				required: true,
				displayOptions: { hide: { operation: WITHOUT_DATABASE, connectWith: ['bisyncPostgresApi'] } },
			},
		],
		hints: [
			{
				message: 'Put one Measure System node for each Postgres system before this one, in the same workflow: what has not been measured is a warning.',
				type: 'info',
				location: 'ndv',
				whenToDisplay: 'beforeExecution',
				displayCondition: '={{ $parameter.operation === "check" }}',
			},
		],
		properties,
	};

	methods = { credentialTest };

	/** Runs once, whatever the number of items. */
	async execute(this: IExecuteFunctions): Promise<INodeExecutionData[][]> {
		const operation = readSettings(this, () => oneOf('Operation', this.getNodeParameter('operation', 0), OPERATIONS));
		const outputCount = OUTPUTS[operation].length;
		const options = { node: 'syncMonitor', outputCount, safeOutput: outputCount - 1, runsOnEmptyItems: true };
		return await runNode(this, options, async () => await runOperation(this, operation));
	}
}

async function runOperation(context: IExecuteFunctions, operation: MonitorOperation): Promise<Outputs> {
	const policy = text('Policy', context.getNodeParameter('policy', 0));
	switch (operation) {
		case 'check':
			return await runCheck(context, policy);
		case 'measure':
			return await runMeasure(context, policy);
		case 'prometheus':
			return [[itemOf({ text: await metricsOrDown(context, policy) })]];
		case 'history': {
			const grain = oneOf('Every', context.getNodeParameter('grain', 0), ['hour', 'minute']);
			const hours = wholeNumber('Hours Back', context.getNodeParameter('hours', 0), 1);
			const found = await withStore(context, async (store) => await historyOf(store, policy, { grain, hours }));
			return [found.map(itemOf)];
		}
	}
}

async function runCheck(context: IExecuteFunctions, policy: string): Promise<Outputs> {
	const tell = oneOf('Tell', context.getNodeParameter('tell', 0), ['always', 'news']);
	const options = context.getNodeParameter('options', 0, {}) as IDataObject;
	const thresholds = readThresholds(context.getNodeParameter('thresholds', 0, {}) as IDataObject);
	const remindMs = wholeNumber('Remind Every', options['remindHours'] ?? 4, 0) * 60 * MINUTE_MS;
	const calmMs = wholeNumber('Better for', options['calmMinutes'] ?? 5, 0) * MINUTE_MS;
	const outputs = emptyOutputs(OUTPUTS.check.length);
	const memory = context.getWorkflowStaticData('node');
	const checked = await orStoreDown(async () => await withStore(context, async (store) => await checkHealth(store, policy, { thresholds, timing: { remindMs, calmMs } })));
	if (checked instanceof SyncError) {
		// The store remembers what was told, so this cannot be kept there.
		const toldMs = memory['storeDownMs'];
		const isKnown = typeof toldMs === 'number' && (remindMs === 0 || Date.now() - toldMs < remindMs);
		if (!isKnown) memory['storeDownMs'] = Date.now();
		if (!isKnown || tell === 'always') outputs[OUTPUT_OF.critical]?.push(itemOf(storeDownItem(policy, checked)));
		return outputs;
	}
	const isBack = memory['storeDownMs'] !== undefined;
	delete memory['storeDownMs'];
	if (tell === 'always' || checked.news !== null || isBack) outputs[OUTPUT_OF[checked.health.level]]?.push(itemOf(healthItem(orBack(checked, isBack))));
	return outputs;
}

/** That the store answers again is news, whatever it says. */
const orBack = (checked: CheckedHealth, isBack: boolean): CheckedHealth => (isBack && checked.news === null ? { ...checked, news: 'better' } : checked);

async function runMeasure(context: IExecuteFunctions, policy: string): Promise<Outputs> {
	const system = text('System', context.getNodeParameter('system', 0));
	const options = context.getNodeParameter('options', 0, {}) as IDataObject;
	const waitMs = wholeNumber('Wait for Heartbeat', options['waitSeconds'] ?? 10, 0) * 1_000;
	const connection = await databaseSettings(context, context.getNodeParameter('connectWith', 0));
	const measured = await orStoreDown(async () => await withStore(context, async (store) => await measureSystem(store, { policy, system, connection, waitMs })));
	// Check Health comes after this node, and is the one to tell that the store is down.
	const found = measured instanceof SyncError ? { error: errorFinding(measured) } : measured;
	return [[itemOf({ policy, system, ...found } as unknown as IDataObject)]];
}

async function metricsOrDown(context: IExecuteFunctions, policy: string): Promise<string> {
	const thresholds = readThresholds(context.getNodeParameter('thresholds', 0, {}) as IDataObject);
	const text = await orStoreDown(async () => await withStore(context, async (store) => await metricsOf(store, policy, thresholds)));
	return text instanceof SyncError ? prometheusDown(policy) : text;
}

/** What the work gives; the error, where the store is what failed. */
async function orStoreDown<T>(work: () => Promise<T>): Promise<T | SyncError> {
	try {
		return await work();
	} catch (error) {
		return storeErrorOf(error);
	}
}

/** What somebody has to set right in this workflow. Anything else that is thrown here is about the store. */
const OWN_FAULT: readonly ErrorCode[] = ['INVALID_SETTING', 'POLICY_UNPUBLISHED', 'POLICY_INVALID'];

function storeErrorOf(error: unknown): SyncError {
	if (error instanceof SyncError && !OWN_FAULT.includes(error.code)) return error;
	throw error;
}

const itemOf = (json: IDataObject): INodeExecutionData => ({ json, pairedItem: { item: 0 } });
