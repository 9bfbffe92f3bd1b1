import type {
	IExecuteFunctions,
	INode,
	INodeExecutionData,
	INodeProperties,
	INodeType,
	NodeExecutionHint,
} from 'n8n-workflow';

/** A parameter's value; a function stands for an expression, which n8n evaluates per item. */
export type ParameterValue = unknown;

export interface FakeExecution {
	readonly items?: readonly INodeExecutionData[];
	/** Of the second input, where a node has two. */
	readonly otherItems?: readonly INodeExecutionData[];
	/** By parameter name; the others have the defaults of the node's description. */
	readonly parameters?: Readonly<Record<string, ParameterValue>>;
	/** By credential type. */
	readonly credentials?: Readonly<Record<string, Record<string, unknown>>>;
	readonly continueOnFail?: boolean;
	/** What n8n keeps for the node from one execution to the next; changed in place. */
	readonly staticData?: Record<string, unknown>;
}

export interface NodeRun {
	/** By output, then item. */
	readonly outputs: INodeExecutionData[][];
	/** What the person at the canvas is told. */
	readonly hints: readonly string[];
}

/** Runs a node's `execute` with a plain object in the place of n8n. */
export async function executeNode(
	node: INodeType,
	execution: FakeExecution = {},
): Promise<NodeRun> {
	const hints: string[] = [];
	const context = fakeContext(node, execution, (...given) => {
		hints.push(...given.map(({ message }) => message));
	});
	const result = await node.execute?.call(context);
	if (!Array.isArray(result)) throw new Error('the node returned no items');
	return { outputs: result as INodeExecutionData[][], hints };
}

function fakeContext(
	node: INodeType,
	{
		items = [{ json: {} }],
		otherItems = [],
		parameters = {},
		credentials = {},
		continueOnFail = false,
		staticData = {},
	}: FakeExecution,
	addExecutionHints: (...hints: NodeExecutionHint[]) => void,
): IExecuteFunctions {
	const values = { ...defaultsOf(node.description.properties), ...parameters };
	const context = {
		getInputData: (input = 0) => [...(input === 0 ? items : otherItems)],
		getNode: (): INode => fakeNode(node),
		getWorkflow: () => ({ id: 'workflow1', name: 'Test', active: false }),
		getExecutionId: () => 'execution1',
		getTimezone: () => 'UTC',
		getWorkflowStaticData: () => staticData,
		helpers: {
			prepareBinaryData: async (content: Buffer, fileName: string, mimeType: string) => ({ data: content.toString('base64'), fileName, mimeType }),
		},
		continueOnFail: () => continueOnFail,
		addExecutionHints,
		getNodeParameter: (name: string, index: number, fallback?: unknown) => {
			if (!Object.hasOwn(values, name)) {
				if (fallback !== undefined) return fallback;
				throw new Error(`Could not get parameter "${name}"`);
			}
			return evaluated(values[name], items[index], fallback);
		},
		getCredentials: async (type: string) => {
			const data = credentials[type];
			if (!data) throw new Error(`Node does not have any credentials set for "${type}"`);
			return data;
		},
	};
	return context as unknown as IExecuteFunctions;
}

function evaluated(
	value: unknown,
	item: INodeExecutionData | undefined,
	fallback: unknown,
): unknown {
	if (typeof value !== 'function') return value;
	const result: unknown = (value as (json: unknown) => unknown)(item?.json ?? {});
	return result ?? fallback;
}

/** Of all fields, shown or not; expressions as the functions that these tests know. */
function defaultsOf(properties: readonly INodeProperties[]): Record<string, unknown> {
	return Object.fromEntries(
		properties.map(({ name, default: value }) => [
			name,
			typeof value === 'string' && value.startsWith('={{') ? expression(value) : value,
		]),
	);
}

interface ItemJson {
	readonly [name: string]: unknown;
	readonly bisync?: { readonly merge?: { readonly op?: { readonly id?: string } } };
	readonly error?: { readonly message?: string } | string;
}

const KNOWN_EXPRESSIONS: Readonly<Record<string, (json: ItemJson) => unknown>> = {
	'={{ $workflow.id }}': () => 'workflow1',
	'={{ $json }}': (json) => json,
	'={{ JSON.stringify($json.key) }}': (json) => JSON.stringify(json['key']),
	'={{ $json.bisync?.merge?.op?.id ?? $json.changeId }}': (json) =>
		json.bisync?.merge?.op?.id ?? json['changeId'],
	'={{ $json.error?.message ?? $json.error ?? "Sent here by the workflow" }}': ({ error }) =>
		(typeof error === 'object' ? error.message : error) ?? 'Sent here by the workflow',
};

function expression(text: string): (json: ItemJson) => unknown {
	const known = KNOWN_EXPRESSIONS[text];
	if (known) return known;
	const field = /^=\{\{ \$json\.(\w+) \}\}$/.exec(text)?.[1];
	if (field === undefined) throw new Error(`these tests cannot evaluate ${text}`);
	return (json) => json[field];
}

function fakeNode({ description }: INodeType): INode {
	return {
		id: 'node1',
		name: description.displayName,
		type: description.name,
		typeVersion: 1,
		position: [0, 0],
		parameters: {},
	};
}
