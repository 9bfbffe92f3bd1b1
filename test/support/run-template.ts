import 'reflect-metadata';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { ExecutionLifecycleHooks, WorkflowExecute } from 'n8n-core';
import {
	type IConnections,
	type IDataObject,
	type INode,
	type INodeExecutionData,
	type INodeType,
	type INodeTypes,
	type IRun,
	type IWorkflowExecuteAdditionalData,
	NodeConnectionTypes,
	Workflow,
} from 'n8n-workflow';

import { DeadLetterQueue } from '../../nodes/DeadLetterQueue/DeadLetterQueue.node';
import { EchoFilter } from '../../nodes/EchoFilter/EchoFilter.node';
import { FieldAuthorityMerge } from '../../nodes/FieldAuthorityMerge/FieldAuthorityMerge.node';
import { IdempotencyGuard } from '../../nodes/IdempotencyGuard/IdempotencyGuard.node';
import { SyncWrite } from '../../nodes/SyncWrite/SyncWrite.node';
import { VersionVectorCheck } from '../../nodes/VersionVectorCheck/VersionVectorCheck.node';
import type { ChangeEvent } from '../../src/core/change-event';
import { STAND_INS } from './n8n-stand-ins';

const PACK = 'n8n-nodes-bisync';
const TRIGGERS = [`${PACK}.postgresCdcTrigger`, 'n8n-nodes-base.webhook', 'n8n-nodes-base.scheduleTrigger'];

/** A workflow as n8n exports it. */
export interface WorkflowTemplate {
	readonly nodes: readonly INode[];
	readonly connections: IConnections;
}

/** @param name - of a file in `templates/`, without its ending */
export function readTemplate(name: string): WorkflowTemplate {
	const text = readFileSync(join(__dirname, '../../templates', `${name}.json`), 'utf8');
	return JSON.parse(text) as WorkflowTemplate;
}

/** The template with the address of a CRM that is there. */
export function forCrm<T>(template: T, url: string): T {
	return JSON.parse(JSON.stringify(template).replaceAll('https://crm.example.com', url)) as T;
}

/** What stands between the webhook and the Guard checks who sent it, with nodes of n8n; that is for the end-to-end tests. */
export function withoutSignature({ nodes, connections }: WorkflowTemplate): WorkflowTemplate {
	const left = new Set(['Raw Body', 'Signature', 'Is It the CRM?']);
	const guard = connections['Is It the CRM?']?.['main']?.[0] ?? [];
	const kept = Object.entries(connections).filter(([from]) => !left.has(from));
	return {
		nodes: nodes.filter(({ name }) => !left.has(name)),
		connections: { ...Object.fromEntries(kept), 'CRM Events': { main: [guard] } },
	};
}

export interface TemplateRun {
	readonly template: WorkflowTemplate;
	/** The name of the trigger node that emitted the events. */
	readonly from: string;
	readonly events: readonly ChangeEvent[] | readonly IDataObject[];
	/** By the names that the template gives the credentials. */
	readonly credentials: Readonly<Record<string, object>>;
}

/** Runs a template once with n8n's own engine in this process, its trigger replaced by the given events. */
export async function runTemplate({
	template,
	from,
	events,
	credentials,
}: TemplateRun): Promise<IRun> {
	const nodes = template.nodes
		.filter(({ type }) => !type.endsWith('.stickyNote'))
		.map((node) => ({ ...node, parameters: structuredClone(node.parameters) }));
	const workflow = new Workflow({
		id: 'template',
		nodes,
		connections: structuredClone(template.connections),
		active: false,
		nodeTypes: nodeTypes(events),
		settings: { executionOrder: 'v1' },
	});
	const startNode = workflow.getNode(from);
	if (!startNode) throw new Error(`The template has no node "${from}"`);
	const data = additionalData({ nodes, connections: template.connections, credentials });
	return await new WorkflowExecute(data, 'trigger').run({ workflow, startNode });
}

function nodeTypes(events: TemplateRun['events']): INodeTypes {
	const types: Readonly<Record<string, INodeType>> = {
		...STAND_INS,
		...Object.fromEntries(TRIGGERS.map((type) => [type, feed(events)])),
		[`${PACK}.echoFilter`]: new EchoFilter(),
		[`${PACK}.versionVectorCheck`]: new VersionVectorCheck(),
		[`${PACK}.fieldAuthorityMerge`]: new FieldAuthorityMerge(),
		[`${PACK}.idempotencyGuard`]: new IdempotencyGuard(),
		[`${PACK}.syncWrite`]: new SyncWrite(),
		[`${PACK}.deadLetterQueue`]: new DeadLetterQueue(),
	};
	const find = (name: string): INodeType => {
		const type = types[name];
		if (!type) throw new Error(`The template has a node of the unknown type "${name}"`);
		return type;
	};
	return { getByName: find, getByNameAndVersion: find, getKnownTypes: () => ({}) };
}

function feed(events: TemplateRun['events']): INodeType {
	return {
		description: {
			displayName: 'Feed',
			name: 'feed',
			group: ['trigger'],
			version: [1, 1.2, 2],
			description: '',
			defaults: {},
			inputs: [],
			outputs: [NodeConnectionTypes.Main],
			properties: [],
		},
		execute: async () => [events.map((event) => ({ json: event as INodeExecutionData['json'] }))],
	};
}

function additionalData({
	nodes,
	connections,
	credentials,
}: {
	nodes: INode[];
	connections: IConnections;
	credentials: TemplateRun['credentials'];
}): IWorkflowExecuteAdditionalData {
	const getDecrypted = async (_data: unknown, { name }: { name: string }): Promise<object> => {
		const found = credentials[name];
		if (!found) throw new Error(`no credential is named "${name}"`);
		return found;
	};
	const hooks = new ExecutionLifecycleHooks('trigger', '1', {
		id: 'template',
		nodes,
		connections,
	} as never);
	return {
		hooks,
		executionId: '1',
		credentialsHelper: { getDecrypted, isCredentialUsableByNode: () => true },
		webhookWaitingBaseUrl: 'http://localhost/webhook-waiting',
		formWaitingBaseUrl: 'http://localhost/form-waiting',
		variables: {},
		setExecutionStatus: () => undefined,
		sendDataToUI: () => undefined,
		executeWorkflow: () => undefined,
	} as unknown as IWorkflowExecuteAdditionalData;
}
