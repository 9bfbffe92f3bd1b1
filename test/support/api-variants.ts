import type { INode } from 'n8n-workflow';

import type { ApiTier } from './api-world';
import type { SwitchChange } from './rest-crm/switches';
import type { WorkflowTemplate } from './run-template';

/** What the CRM is like for each tier. */
export const CRM_OF_TIER: Readonly<Record<ApiTier, SwitchChange>> = {
	conditional: {},
	verified: { versions: 'informative' },
	blind: { versions: 'none', history: false, webhooks: { versioned: false } },
};

/** The template as the page about APIs says that it is changed for an API of this tier. */
export function forTier<T extends Pick<WorkflowTemplate, 'nodes' | 'connections'>>(template: T, tier: ApiTier): T {
	if (tier === 'verified') return { ...template, nodes: template.nodes.map(withHistory) };
	return tier === 'blind' ? { ...template, connections: asHints(template.connections) } : template;
}

/** Readings bring the former states of the record, so that what somebody wrote in between is not overlooked. */
function withHistory(node: INode): INode {
	const { parameters, name } = node;
	const asksHistory = name === 'Read Customer' || name === 'Look Up';
	if (asksHistory) return { ...node, parameters: { ...parameters, ...EARLIER } };
	if (name !== 'Observe Reading' && name !== 'Check') return node;
	const options = { ...(parameters['readingOptions'] as object), earlier: '={{ $json.body?.earlier ?? [] }}' };
	return { ...node, parameters: { ...parameters, readingOptions: options } };
}

const EARLIER = { sendQuery: true, queryParameters: { parameters: [{ name: 'earlier', value: '20' }] } };

/** Without versions nobody can say of what time an event tells: it is a hint to read the record. */
function asHints(connections: WorkflowTemplate['connections']): WorkflowTemplate['connections'] {
	const to = (node: string) => ({ node, type: 'main' as const, index: 0 });
	const [, ...others] = connections['Idempotency Guard']?.['main'] ?? [];
	return {
		...connections,
		'Idempotency Guard': { main: [[to('Before Reading'), to('Event Done')], ...others] },
		'Each Customer': { main: [[to('Before Reading')]] },
	};
}

/** Whoever died holds a lease: nobody waits for its end for long. */
export function inAHurry<T extends Pick<WorkflowTemplate, 'nodes'>>(template: T): T {
	const seconds: Readonly<Record<string, number>> = { 'Idempotency Guard': 2, Begin: 5 };
	const nodes = template.nodes.map((node) => {
		const leaseSeconds = seconds[node.name];
		return leaseSeconds === undefined ? node : { ...node, parameters: { ...node.parameters, leaseSeconds } };
	});
	return { ...template, nodes };
}
