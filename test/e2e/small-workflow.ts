import type { N8nClient, StoredWorkflow, WorkflowNode } from '../../demo/n8n-client';

const STORE = { bisyncStoreApi: { id: null, name: 'Sync Store' } };

export interface SmallNode {
	readonly name: string;
	/** Without the package's name. */
	readonly type: string;
	readonly parameters?: Readonly<Record<string, unknown>>;
	readonly credentials?: WorkflowNode['credentials'];
}

/** A workflow of a manual trigger that gives out these items, and one node of the pack behind it. */
export async function createSmallWorkflow(
	client: N8nClient,
	items: readonly Readonly<Record<string, unknown>>[],
	{ name, type, parameters = {}, credentials = STORE }: SmallNode,
): Promise<StoredWorkflow> {
	const nodes: WorkflowNode[] = [
		{
			id: 'start',
			name: 'Start',
			type: 'n8n-nodes-base.manualTrigger',
			typeVersion: 1,
			position: [0, 0],
			parameters: {},
		},
		{
			id: 'node',
			name,
			type: `n8n-nodes-bisync.${type}`,
			typeVersion: 1,
			position: [240, 0],
			parameters,
			credentials,
		},
	];
	return await client.createWorkflow({
		name: `test of ${name}`,
		nodes,
		connections: { Start: { main: [[{ node: name, type: 'main', index: 0 }]] } },
		settings: { executionOrder: 'v1' },
		pinData: { Start: items.map((json) => ({ json })) },
	});
}
