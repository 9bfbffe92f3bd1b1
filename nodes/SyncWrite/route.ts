import type { IExecuteFunctions, INodeExecutionData } from 'n8n-workflow';

import type { Outcome } from '../../src/core/marker';
import type { WriteResult } from '../../src/postgres/row-writer';
import { findingOf, withFinding } from '../shared/items';
import { emptyOutputs, errorFinding, errorItem, type Outputs } from '../shared/run-node';
import { OUTPUTS } from './operations';
import type { WriteItem, Writes } from './read-writes';

export const FAILED = 2;

/** The key of this node's findings. */
export const WRITE = 'write';

/** Hints only: what counts is the marker that comes back with the change stream. */
const OUTPUT_OF: Record<Outcome | 'none', number> = {
	applied: 0,
	stale: 1,
	exists: 1,
	void: 1,
	refused: FAILED,
	none: FAILED,
};

export function routeResults(
	context: Pick<IExecuteFunctions, 'getNode' | 'continueOnFail'>,
	{ writes, results }: { writes: Writes; results: ReadonlyMap<string, WriteResult> },
): Outputs {
	const outputs = emptyOutputs(OUTPUTS.write.length);
	for (const item of writes.items) {
		const result = results.get(item.op.id);
		if (result === undefined) {
			outputs[0]?.push(wouldWrite(item));
			continue;
		}
		const finding = { ...findingOn(result), tried: triedWith(item) };
		outputs[OUTPUT_OF[result.outcome]]?.push(withFinding(item, WRITE, finding));
	}
	for (const item of writes.unfit) {
		const finding = { op: null, outcome: 'none', error: errorFinding(item.error) };
		// An error item only where errors have an output of their own: else Failed is where it belongs.
		const failed = context.continueOnFail()
			? errorItem(context.getNode(), item, { key: WRITE, error: item.error })
			: withFinding(item, WRITE, finding);
		outputs[FAILED]?.push(failed);
	}
	return outputs;
}

/**
 * The operations that this item has brought to a Sync Write, in this execution. An item that is wired
 * back to Field Authority Merge must not be given any of them again, or two systems' writes would take turns for ever.
 */
export function triedWith({ item, op }: WriteItem): string[] {
	const before = findingOf(item, WRITE)?.['tried'];
	return [...new Set([...(Array.isArray(before) ? before.map(String) : []), op.id])];
}

function wouldWrite(item: WriteItem): INodeExecutionData {
	const { id, kind, system, fields } = item.op;
	const would = `${kind} in ${system}: ${Object.keys(fields).join(', ') || 'the record'}`;
	return withFinding(item, WRITE, { op: id, would });
}

function findingOn(result: WriteResult): object {
	const { op, outcome } = result;
	if (outcome === 'none')
		return { op, outcome, recorded: false, error: errorFinding(result.error) };
	const { recorded, error } = result;
	return {
		op,
		outcome,
		recorded,
		...(error === undefined ? {} : { error: refusal(error, outcome) }),
	};
}

function refusal(message: string, outcome: Outcome): { message: string; remedy: string } {
	const remedy =
		outcome === 'refused'
			? 'The fields wait for a person: correct the value in the system it comes from, or resolve the review item with the Dead Letter Queue node.'
			: '';
	return { message, remedy };
}
