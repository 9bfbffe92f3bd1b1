import type { IConnections, INode } from 'n8n-workflow';

import type { Policy } from '../../src/core/policy';
import { forCrm, readTemplate, withoutSignature, type WorkflowTemplate } from '../support/run-template';

const TRIGGER = 'CRM Changes';
const WRITE = 'Sync Write CRM';
const MERGE = 'Field Authority Merge';

/** Names of a system's nodes and of its credential. */
export const triggerName = (system: string): string => `${system} Changes`;
const writeName = (system: string): string => `Sync Write ${system}`;
export const credentialName = (system: string): string => `${system} database`;
/** Where the events of an API come in. */
export const eventsName = (system: string): string => `${system} Events`;
export const SCHEDULE = 'Every Hour';
export const API_CREDENTIAL_NAME = 'CRM API';
export const STORE_CREDENTIAL_NAME = 'Sync Store';

/**
 * The template for two systems, made one for all systems of a policy: a trigger and a Sync Write for
 * each, and as many outputs of Field Authority Merge.
 */
export function workflowFor(policy: Policy, urls: ReadonlyMap<string, string> = new Map()): WorkflowTemplate {
	const { name, systems } = policy;
	if (urls.size > 0) return apiWorkflowFor(policy, urls);
	const template = readTemplate('two-way-postgres');
	const perSystem = (node: string, rename: (system: string) => string): INode[] =>
		systems.map((system) => forSystem(nodeOf(template, node), { system, name: rename(system) }));
	const shared = template.nodes.filter(({ type }) => !/\.(stickyNote|postgresCdcTrigger|syncWrite)$/.test(type));
	const nodes = [...perSystem(TRIGGER, triggerName), ...shared, ...perSystem(WRITE, writeName)];
	return {
		nodes: nodes.map((node) => forPolicy(node, name, systems)),
		connections: connectionsFor(template, systems),
	};
}

function nodeOf({ nodes }: WorkflowTemplate, name: string): INode {
	const node = nodes.find((one) => one.name === name);
	if (!node) throw new TypeError(`the template has no node "${name}"`);
	return node;
}

function forSystem(node: INode, { system, name }: { system: string; name: string }): INode {
	const database = { id: null, name: credentialName(system) };
	const credentials = { ...node.credentials, bisyncPostgresApi: database };
	return { ...node, id: `${node.id}-${system}`, name, parameters: { ...node.parameters, system }, credentials };
}

function forPolicy(node: INode, policy: string, systems: readonly string[]): INode {
	const { parameters, name } = node;
	const named = 'policy' in parameters ? { ...parameters, policy } : parameters;
	return { ...node, parameters: name === MERGE ? { ...named, systems: systems.join(', ') } : named };
}

function connectionsFor({ connections }: WorkflowTemplate, systems: readonly string[]): IConnections {
	const kept = Object.entries(connections).filter(([from]) => !/^(CRM|Billing) Changes$|^Sync Write /.test(from));
	const from = (node: string, rename: (system: string) => string): [string, IConnections[string]][] =>
		systems.map((system) => [rename(system), connections[node] ?? { main: [] }]);
	const toWrites = systems.map((system) => [{ node: writeName(system), type: 'main' as const, index: 0 }]);
	const review = connections[MERGE]?.['main']?.at(-1) ?? null;
	return {
		...Object.fromEntries(kept),
		...Object.fromEntries([...from(TRIGGER, triggerName), ...from(WRITE, writeName)]),
		[MERGE]: { main: [...toWrites, review] },
	};
}

/** The template for an API and a database, for the systems of a policy. @throws TypeError for other systems than one of each */
function apiWorkflowFor({ name, systems, entities }: Policy, urls: ReadonlyMap<string, string>): WorkflowTemplate {
	const [[api, url] = ['', ''], another] = [...urls];
	const [database, third] = systems.filter((system) => system !== api);
	const [entity] = entities.keys();
	if (another || third !== undefined || database === undefined) throw new TypeError('an API is rehearsed with one database');
	const names: Readonly<Record<string, string>> = {
		'CRM Events': eventsName(api),
		'Billing Changes': triggerName(database),
		'Sync Write Billing': writeName(database),
	};
	const texts: Readonly<Record<string, string>> = { crm: api, billing: database, customer: entity ?? '', 'crm-billing': name };
	const { nodes, connections } = withoutSignature(forCrm(readTemplate('api-postgres'), url));
	const renamed = (JSON.parse(rename(JSON.stringify({ nodes, connections }), names))) as WorkflowTemplate;
	return { ...renamed, nodes: renamed.nodes.map((node) => forPolicy(forNames(node, texts, credentialName(database)), name, systems)) };
}

function rename(text: string, names: Readonly<Record<string, string>>): string {
	return Object.entries(names).reduce((renamed, [from, to]) => renamed.replaceAll(`"${from}"`, `"${to}"`), text);
}

function forNames(node: INode, texts: Readonly<Record<string, string>>, database: string): INode {
	const parameters = Object.fromEntries(
		Object.entries(node.parameters).map(([name, value]) => [name, ['system', 'entity'].includes(name) ? (texts[String(value)] ?? value) : value]),
	) as INode['parameters'];
	const { credentials } = node;
	if (credentials?.['bisyncPostgresApi'] === undefined) return { ...node, parameters };
	return { ...node, parameters, credentials: { ...credentials, bisyncPostgresApi: { id: null, name: database } } };
}
