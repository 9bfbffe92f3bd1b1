import {
	type IDataObject,
	type IExecuteFunctions,
	type INodeExecutionData,
	type INodeProperties,
	type INodeType,
	NodeConnectionTypes,
} from 'n8n-workflow';

/**
 * The nodes of n8n itself that the templates use, as far as they use them: the package that has the real ones is as
 * large as all of n8n. What they say to each other is what n8n 2.41 says; its own nodes run in the end-to-end tests.
 */
export const STAND_INS: Readonly<Record<string, INodeType>> = {
	'n8n-nodes-base.noOp': standIn([], async (items) => [items]),
	'n8n-nodes-base.respondToWebhook': standIn([], async (items) => [items]),
	'n8n-nodes-base.if': standIn(['conditions'], choose, 2),
	'n8n-nodes-base.splitOut': standIn(['fieldToSplitOut'], splitOut),
	'n8n-nodes-base.stopAndError': standIn(['errorMessage'], async (_items, context) => {
		throw new Error(String(context.getNodeParameter('errorMessage', 0)));
	}),
	'n8n-nodes-base.httpRequest': standIn(
		['method', 'url', 'sendHeaders', 'jsonHeaders', 'sendQuery', 'queryParameters', 'sendBody', 'jsonBody', 'options'],
		sendRequests,
	),
};

type Run = (items: INodeExecutionData[], context: IExecuteFunctions) => Promise<INodeExecutionData[][]>;

function standIn(parameters: readonly string[], run: Run, outputs = 1): INodeType {
	return {
		description: {
			displayName: 'Stand-in',
			name: 'standIn',
			group: ['transform'],
			version: [1, 1.1, 1.2, 2, 2.2, 4.2],
			description: '',
			defaults: {},
			inputs: [NodeConnectionTypes.Main],
			outputs: Array.from({ length: outputs }, () => NodeConnectionTypes.Main),
			properties: parameters.map((name): INodeProperties => ({ displayName: name, name, type: 'json', default: '' })),
		},
		async execute(this: IExecuteFunctions) {
			return await run(this.getInputData(), this);
		},
	};
}

interface Condition {
	readonly leftValue: unknown;
	readonly rightValue: unknown;
	readonly operator: { readonly operation: string };
}

const HOLDS: Readonly<Record<string, (left: unknown, right: unknown) => boolean>> = {
	equals: (left, right) => left === right,
	lt: (left, right) => Number(left) < Number(right),
	true: (left) => left === true,
};

async function choose(items: INodeExecutionData[], context: IExecuteFunctions): Promise<INodeExecutionData[][]> {
	const outputs: [INodeExecutionData[], INodeExecutionData[]] = [[], []];
	items.forEach((item, index) => {
		const { conditions } = context.getNodeParameter('conditions', index) as { conditions: Condition[] };
		const holds = conditions.every(({ leftValue, rightValue, operator }) => {
			const check = HOLDS[operator.operation];
			if (!check) throw new Error(`the stand-in of IF does not know "${operator.operation}"`);
			return check(leftValue, rightValue);
		});
		outputs[holds ? 0 : 1].push(paired(item, index));
	});
	return outputs;
}

async function splitOut(items: INodeExecutionData[], context: IExecuteFunctions): Promise<INodeExecutionData[][]> {
	const field = String(context.getNodeParameter('fieldToSplitOut', 0));
	return [items.flatMap(({ json }, index) => (json[field] as IDataObject[]).map((one) => ({ json: one, pairedItem: index })))];
}

async function sendRequests(items: INodeExecutionData[], context: IExecuteFunctions): Promise<INodeExecutionData[][]> {
	const replies = items.map(async (_, index): Promise<INodeExecutionData[]> => {
		const pages = await pagesOf(context, index);
		return pages.map((json) => ({ json, pairedItem: index }));
	});
	return [(await Promise.all(replies)).flat()];
}

/** One reply; of a list all pages, each its body. */
async function pagesOf(context: IExecuteFunctions, index: number): Promise<IDataObject[]> {
	const first = await replyTo(context, index, '');
	const { pagination } = context.getNodeParameter('options', index, {}) as { pagination?: unknown };
	if (pagination === undefined) return [first];
	const bodies: IDataObject[] = [];
	for (let reply = first; ; ) {
		const body = reply['body'] as IDataObject | undefined;
		if (reply['statusCode'] !== 200 || !body) throw new Error(`the list was not read: ${JSON.stringify(reply)}`);
		bodies.push(body);
		if (!body['next_cursor']) return bodies;
		reply = await replyTo(context, index, String(body['next_cursor']));
	}
}

async function replyTo(context: IExecuteFunctions, index: number, cursor: string): Promise<IDataObject> {
	const read = (name: string, fallback: unknown): unknown => context.getNodeParameter(name, index, fallback as string);
	const url = new URL(String(read('url', '')));
	if (read('sendQuery', false) === true) {
		const { parameters } = read('queryParameters', {}) as { parameters: { name: string; value: string }[] };
		for (const { name, value } of parameters) url.searchParams.set(name, value);
	}
	if (cursor !== '') url.searchParams.set('cursor', cursor);
	const headers = read('sendHeaders', false) === true ? (JSON.parse(String(read('jsonHeaders', '{}'))) as Record<string, string>) : {};
	const credential = await context.getCredentials<{ name: string; value: string }>('httpHeaderAuth');
	const body = read('sendBody', false) === true ? { body: String(read('jsonBody', '{}')) } : {};
	const type: Record<string, string> = 'body' in body ? { 'content-type': 'application/json' } : {};
	try {
		const sent = { ...headers, ...type, [credential.name]: credential.value };
		const reply = await fetch(url, { method: String(read('method', 'GET') || 'GET'), headers: sent, ...body });
		const text = await reply.text();
		const json = text === '' ? '' : (JSON.parse(text) as IDataObject);
		return { statusCode: reply.status, headers: Object.fromEntries(reply.headers), body: json };
	} catch (error) {
		const { cause, message } = error as { cause?: { code?: string }; message: string };
		return { error: { message, code: cause?.code ?? 'ECONNRESET' } };
	}
}

function paired(item: INodeExecutionData, index: number): INodeExecutionData {
	return { ...item, pairedItem: index };
}
