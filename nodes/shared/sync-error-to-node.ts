import { type INode, NodeOperationError } from 'n8n-workflow';

import { SyncError } from '../../src/core/errors';

/**
 * What the editor shows of an error: the message as the headline, the remedy below it. n8n lets
 * only its own error classes out of a node.
 */
export function nodeError(node: INode, error: unknown, itemIndex?: number): NodeOperationError {
	if (error instanceof NodeOperationError) return error;
	const options = itemIndex === undefined ? {} : { itemIndex };
	const cause = error instanceof Error ? error : new Error(String(error));
	const description = error instanceof SyncError ? { description: error.remedy } : {};
	const shown = new NodeOperationError(node, cause, { ...options, ...description });
	// n8n puts a general sentence in place of a message that names a code such as ECONNREFUSED, and
	// with it goes which server could not be reached.
	shown.message = cause.message;
	return shown;
}
