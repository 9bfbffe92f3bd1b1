import { type IDataObject, type IExecuteFunctions, type INodeExecutionData, type INodeType, type INodeTypeDescription, NodeConnectionTypes } from 'n8n-workflow';

import type { Policy } from '../../src/core/policy';
import { policyInForce, requirePublished } from '../../src/store/published-policy';
import type { SyncStore } from '../../src/store/sync-store';
import { credentialTest } from '../shared/credential-tests';
import { withFinding } from '../shared/items';
import { withStore } from '../shared/open-store';
import { errorItem, runNode } from '../shared/run-node';
import { nameList, oneOf, optionalText, text, wholeNumber } from '../shared/settings';
import { nodeError } from '../shared/sync-error-to-node';
import { askDatabase, type DatabaseOperation } from './ask-database';
import { holdRecord, linkRecords, unlinkRecord } from './change-record';
import { explainRecord, showState } from './explain';
import { type Operation, OPERATIONS, WITH_DATABASE } from './operations';
import { properties } from './properties';
import { readRecord } from './record-given';
import { rollBackGiven } from './roll-back';

/** About one record each. */
type RecordOperation = Exclude<Operation, 'rollBack' | DatabaseOperation>;

/** The credentials say what hides them: see Sync Policy. */
const WITHOUT_DATABASE = OPERATIONS.filter((operation) => !isDatabaseOperation(operation));

/** The key of this node's findings. */
const RECORD = 'record';

/** Explains one record, and lets a person take it into their own hands. It changes what the sync knows, and writes to no system. */
export class SyncRecord implements INodeType {
	description: INodeTypeDescription = {
		displayName: 'Sync Record',
		name: 'syncRecord',
		icon: { light: 'file:syncRecord.svg', dark: 'file:syncRecord.dark.svg' },
		group: ['transform'],
		version: 1,
		subtitle: '={{ $parameter.operation.replace(/([A-Z])/g, " $1").toLowerCase() }}',
		description: 'Explains a record of a sync, freezes it, and says which rows belong together',
		defaults: { name: 'Sync Record' },
		usableAsTool: true,
		inputs: [NodeConnectionTypes.Main],
		outputs: [NodeConnectionTypes.Main],
		credentials: [
			{ name: 'bisyncStoreApi', displayName: 'Sync Store', required: true, testedBy: 'testSyncStore', displayOptions: { hide: { operation: ['readTables'] } } },
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
		properties,
	};

	methods = { credentialTest };

	async execute(this: IExecuteFunctions): Promise<INodeExecutionData[][]> {
		const options = { node: RECORD, outputCount: 1, safeOutput: 0, runsOnEmptyItems: true };
		return await runNode(this, options, async (items) => {
			const operation = oneOf('Operation', this.getNodeParameter('operation', 0), OPERATIONS);
			if (isDatabaseOperation(operation)) return [(await askDatabase(this, operation)).map((json) => ({ json, pairedItem: { item: 0 } }))];
			if (operation === 'rollBack') return [[{ json: await rollBackOnce(this), pairedItem: { item: 0 } }]];
			return await withStore(this, async (store) => [await eachItem(this, store, { operation, items })]);
		});
	}
}

/** Once, whatever the number of items: a run is rolled back by a person, not by data. */
async function rollBackOnce(context: IExecuteFunctions): Promise<IDataObject> {
	const read = (name: string): unknown => context.getNodeParameter(name, 0);
	const about = { policy: text('Policy', read('policy')), nowMs: Date.now(), zone: context.getTimezone() };
	return await withStore(context, async (store) => await rollBackGiven(store, read, about));
}

function isDatabaseOperation(operation: Operation): operation is DatabaseOperation {
	return (WITH_DATABASE as readonly Operation[]).includes(operation);
}

/** One record after the other: an item that is refused does not hold up those after it, with Continue On Fail. */
async function eachItem(context: IExecuteFunctions, store: SyncStore, { operation, items }: { operation: RecordOperation; items: readonly INodeExecutionData[] }): Promise<INodeExecutionData[]> {
	const policy = text('Policy', context.getNodeParameter('policy', 0));
	const rules = policyInForce(requirePublished(await store.load({ policy }), policy)).policy;
	const done: INodeExecutionData[] = [];
	for (const [index, item] of items.entries()) {
		try {
			const json = await runOperation(context, store, { operation, index, rules });
			const answers = operation === 'explain' || operation === 'state';
			done.push(answers ? { json, pairedItem: { item: index } } : withFinding({ item, index }, RECORD, json));
		} catch (error) {
			if (!context.continueOnFail()) throw nodeError(context.getNode(), error, index);
			done.push(errorItem(context.getNode(), { item, index }, { key: RECORD, error }));
		}
	}
	return done;
}

async function runOperation(context: IExecuteFunctions, store: SyncStore, { operation, index, rules }: { operation: RecordOperation; index: number; rules: Policy }): Promise<IDataObject> {
	const read = (name: string): unknown => context.getNodeParameter(name, index);
	const keyColumns = (system: string, entity: string): readonly string[] | null => rules.entities.get(entity)?.tables.get(system)?.key ?? null;
	const policy = rules.name;
	const record = readRecord(read, '', keyColumns);
	switch (operation) {
		case 'explain': {
			const field = optionalText('Field', read('field'));
			return await explainRecord(store, { policy, record, field: field === '' ? null : field, lines: wholeNumber('Lines', read('lines'), 1), zone: context.getTimezone() });
		}
		case 'state':
			return await showState(store, { policy, record });
		case 'freeze':
		case 'unfreeze': {
			const given = optionalText('Fields', read('fields'));
			return await holdRecord(store, { policy, record, action: operation, by: text('By', read('by')), reason: optionalText('Reason', read('reason')), fields: given === '' ? [] : nameList('Fields', given) });
		}
		case 'link':
			return await linkRecords(store, { policy, records: [record, readRecord(read, 'other', keyColumns)], by: text('By', read('by')) });
		case 'unlink':
			return await unlinkRecord(store, { policy, record, system: oneOf('Row To Take Out', read('part'), rules.systems), by: text('By', read('by')) });
	}
}
