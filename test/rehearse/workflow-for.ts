import type { IConnections, INode } from 'n8n-workflow';

import type { Policy } from '../../src/core/policy';
import { readTemplate, type WorkflowTemplate } from '../support/run-template';

const TRIGGER = 'CRM Changes';
const WRITE = 'Sync Write CRM';
const MERGE = 'Field Authority Merge';

/** Names of a system's nodes and of its credential. */
export const triggerName = (system: string): string => `${system} Changes`;
const writeName = (system: string): string => `Sync Write ${system}`;
export const credentialName = (system: string): string => `${system} database`;
export const STORE_CREDENTIAL_NAME = 'Sync Store';

/**
 * The template for two systems, made one for all systems of a policy: a trigger and a Sync Write for
 * each, and as many outputs of Field Authority Merge.
 */
export function workflowFor({ name, systems }: Policy): WorkflowTemplate {
	const template = readTemplate('two-way-postgres');
	const perSystem = (node: string, rename: (system: string) => string): INode[] =>
		systems.map((system) => forSystem(nodeOf(template, node), { system, name: rename(system) }));
	const shared = template.nodes.filter(({ type }) => !/\.(stickyNote|postgresCdcTrigger|syncWrite)$/.test(type));
	const nodes = [...perSystem(TRIGGER, triggerName), ...shared, ...perSystem(WRITE, writeName)];
	return {
		nodes: nodes.map((node) => ({ ...node, parameters: forPolicy(node, name, systems) })),
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

function forPolicy({ parameters, name }: INode, policy: string, systems: readonly string[]): INode['parameters'] {
	const named = 'policy' in parameters ? { ...parameters, policy } : parameters;
	return name === MERGE ? { ...named, systems: systems.join(', ') } : named;
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
