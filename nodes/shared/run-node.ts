import type { IExecuteFunctions, INode, INodeExecutionData } from 'n8n-workflow';

import { SyncError } from '../../src/core/errors';
import { filled, type InputItem, withFinding } from './items';
import { nodeError } from './sync-error-to-node';

export interface RunOptions {
	/** The key of this node's findings under `bisync`. */
	readonly node: string;
	readonly outputCount: number;
	/** The output that leads to no work: where items go that could not be handled, with Continue On Fail. */
	readonly safeOutput: number;
	/** The node has work even when all items are empty, such as reading the store. */
	readonly runsOnEmptyItems?: boolean;
}

/** By output, then item. */
export type Outputs = INodeExecutionData[][];

/**
 * Runs a node's work on all of its items at once. What fails as a whole (the store is down, a
 * policy is not published) fails the execution visibly. With Continue On Fail every item leaves by
 * the safe output with the error: n8n itself would send it down the first output, as if all were well.
 */
export async function runNode(
	context: IExecuteFunctions,
	options: RunOptions,
	work: (items: readonly INodeExecutionData[]) => Promise<Outputs>,
): Promise<Outputs> {
	const items = context.getInputData();
	if (inputs(items, options).length === 0) return emptyOutputs(options.outputCount);
	try {
		return await work(items);
	} catch (error) {
		const node = context.getNode();
		if (!context.continueOnFail()) throw nodeError(node, error);
		const outputs = emptyOutputs(options.outputCount);
		const failed = inputs(items, options).map((input) =>
			errorItem(node, input, { key: options.node, error }),
		);
		outputs[options.safeOutput]?.push(...failed);
		return outputs;
	}
}

function inputs(
	items: readonly INodeExecutionData[],
	{ runsOnEmptyItems }: RunOptions,
): InputItem[] {
	return runsOnEmptyItems ? items.map((item, index) => ({ item, index })) : filled(items);
}

/** Reads settings that are needed before the work begins. */
export function readSettings<T>(context: Pick<IExecuteFunctions, 'getNode'>, read: () => T): T {
	try {
		return read();
	} catch (error) {
		throw nodeError(context.getNode(), error);
	}
}

export function emptyOutputs(count: number): Outputs {
	return Array.from({ length: count }, () => []);
}

/** The item with what went wrong, as n8n marks items that failed. */
export function errorItem(
	node: INode,
	input: InputItem,
	{ key, error }: { key: string; error: unknown },
): INodeExecutionData {
	return {
		...withFinding(input, key, { error: errorFinding(error) }),
		error: nodeError(node, error, input.index),
	};
}

/** What an item says about an error. */
export function errorFinding(error: unknown): { code: string; message: string; remedy: string } {
	if (error instanceof SyncError) {
		const { code, message, remedy } = error;
		return { code, message, remedy };
	}
	const message = error instanceof Error ? error.message : String(error);
	return { code: 'UNEXPECTED', message, remedy: '' };
}
