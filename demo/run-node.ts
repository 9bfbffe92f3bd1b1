import { waitUntil } from '../test/support/wait-until';
import { parseFlatted } from './flatted';
import type { N8nClient, StoredWorkflow } from './n8n-client';

/** An execution that ended with an error, with what the user reads in the editor. */
export class ExecutionFailed extends Error {
	constructor(
		readonly node: string,
		message: string,
		readonly description: string,
	) {
		super(`node "${node}" failed: ${message}${description === '' ? '' : `\n${description}`}`);
	}
}

interface ExecutionData {
	readonly resultData: {
		readonly error?: {
			readonly message: string;
			readonly description?: string | null;
			readonly node?: { readonly name: string };
		};
		readonly runData: Readonly<Record<string, readonly NodeRun[]>>;
	};
}

interface NodeRun {
	/** Milliseconds. */
	readonly executionTime?: number;
	readonly error?: { readonly message: string };
	readonly data?: {
		readonly main: readonly (readonly { readonly json: Record<string, unknown> }[] | null)[];
	};
}

/**
 * Runs one node of a workflow as the button "Execute step" does: from the manual trigger to the node.
 *
 * @param parameters - what the person types into the node before
 * @returns the json of the first item that came out
 * @throws ExecutionFailed
 */
export async function runNode(
	client: N8nClient,
	workflow: StoredWorkflow,
	node: string,
	parameters: Readonly<Record<string, unknown>> = {},
): Promise<Record<string, unknown>> {
	const outputs = await runNodeOutputs(client, workflow, node, parameters);
	return outputs.flat()[0] ?? {};
}

/** As {@link runNode}; returns the json of all items, output by output. */
export async function runNodeOutputs(
	client: N8nClient,
	workflow: StoredWorkflow,
	node: string,
	parameters: Readonly<Record<string, unknown>> = {},
): Promise<readonly (readonly Record<string, unknown>[])[]> {
	await typeIn(client, workflow, node, parameters);
	const { data } = await runTo(client, workflow.id, node);
	const outputs = data.resultData.runData[node]?.at(-1)?.data?.main ?? [];
	return outputs.map((items) => (items ?? []).map(({ json }) => json));
}

/** As {@link runNodeOutputs}; returns how long the node itself took, in milliseconds, and how many items came out of each output. */
export async function timeNode(client: N8nClient, workflow: StoredWorkflow, node: string): Promise<{ readonly ms: number; readonly items: readonly number[] }> {
	const { data } = await runTo(client, workflow.id, node);
	const run = data.resultData.runData[node]?.at(-1);
	return { ms: run?.executionTime ?? 0, items: (run?.data?.main ?? []).map((items) => items?.length ?? 0) };
}

async function typeIn(
	client: N8nClient,
	{ id }: StoredWorkflow,
	node: string,
	parameters: Readonly<Record<string, unknown>>,
): Promise<void> {
	if (Object.keys(parameters).length === 0) return;
	const { nodes, versionId } = await client.readWorkflow(id);
	const changed = nodes.map((one) =>
		one.name === node ? { ...one, parameters: { ...one.parameters, ...parameters } } : one,
	);
	await client.request('PATCH', `/rest/workflows/${id}`, { nodes: changed, versionId });
}

/** A bench hands some hundred thousand items through n8n. */
const RUN_LIMITS = { timeoutMs: 600_000 };

const RUNNING = ['new', 'running', 'waiting'];

/** Null: n8n was busy for so long that it closed the connection. */
async function readBusy(client: N8nClient, executionId: string): Promise<Awaited<ReturnType<N8nClient['readExecution']>> | null> {
	try {
		return await client.readExecution(executionId);
	} catch (error) {
		const { code } = ((error as Error).cause ?? {}) as { code?: string };
		if (code === 'ECONNRESET') return null;
		throw error;
	}
}

async function runTo(
	client: N8nClient,
	workflowId: string,
	node: string,
): Promise<{ data: ExecutionData }> {
	const { executionId } = await client.request<{ executionId: string }>(
		'POST',
		`/rest/workflows/${workflowId}/run`,
		{
			destinationNode: { nodeName: node, mode: 'inclusive' },
		},
	);
	const execution = await waitUntil(`node "${node}" to run`, async () => {
		const found = await readBusy(client, executionId);
		return found !== null && !RUNNING.includes(found.status) && found;
	}, RUN_LIMITS);
	const data = parseFlatted(execution.data) as ExecutionData;
	const { error } = data.resultData;
	if (error === undefined) return { data };
	throw new ExecutionFailed(error.node?.name ?? node, error.message, error.description ?? '');
}
