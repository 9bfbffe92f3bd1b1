import type { IExecuteFunctions, INodeExecutionData } from 'n8n-workflow';

import { SyncError } from '../../src/core/errors';
import { parseVector } from '../../src/core/given-json';
import { compare, type Ordering, type VersionVector } from '../../src/core/version-vector';
import { filled, withFinding } from '../shared/items';
import { emptyOutputs, errorItem, type Outputs } from '../shared/run-node';
import { nodeError } from '../shared/sync-error-to-node';
import { OUTPUTS, STALE, VERSION_CHECK } from './route';

/** Which output each ordering of (incoming, stored) leaves by. An equal version brings nothing new. */
const OUTPUT_OF: Record<Ordering, number> = {
	after: 0,
	concurrent: 1,
	before: STALE,
	equal: STALE,
};

/** Compares the two version vectors of each item. */
export function compareGivenVectors(
	context: IExecuteFunctions,
	items: readonly INodeExecutionData[],
): Outputs {
	const outputs = emptyOutputs(OUTPUTS.length);
	for (const input of filled(items)) {
		try {
			const incoming = vectorAt(
				context,
				{ name: 'incoming', label: 'Incoming Version' },
				input.index,
			);
			const stored = vectorAt(context, { name: 'stored', label: 'Stored Version' }, input.index);
			const ordering = compare(incoming, stored);
			outputs[OUTPUT_OF[ordering]]?.push(withFinding(input, VERSION_CHECK, { ordering }));
		} catch (error) {
			const node = context.getNode();
			if (!context.continueOnFail()) throw nodeError(node, error, input.index);
			outputs[STALE]?.push(errorItem(node, input, { key: VERSION_CHECK, error }));
		}
	}
	return outputs;
}

function vectorAt(
	context: IExecuteFunctions,
	{ name, label }: { name: string; label: string },
	index: number,
): VersionVector {
	const vector = parseVector(context.getNodeParameter(name, index));
	if (vector) return vector;
	const problem =
		'must be an object of whole numbers by system, such as { "crm": 3, "billing": 1 }';
	throw new SyncError('INVALID_SETTING', `"${label}" of item ${index} ${problem}`);
}
