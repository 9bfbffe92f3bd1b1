import type { INodeExecutionData } from 'n8n-workflow';

import { findingOf, withFinding } from '../shared/items';
import { ECHO_FILTER, type ObservedItem } from '../shared/observe-items';
import { emptyOutputs, type Outputs } from '../shared/run-node';

export const OUTPUTS = ['In Order', 'Concurrent', 'Stale'] as const;
export const STALE = 2;

/** The key of this node's findings. */
export const VERSION_CHECK = 'versionCheck';

type Verdict = 'in-order' | 'concurrent' | 'stale';

/** Which output each verdict leaves by. */
const OUTPUT_OF: Record<Verdict, number> = { 'in-order': 0, concurrent: 1, stale: STALE };

/** @param observed - in the order of the batch */
export function routeByOrdering(observed: readonly ObservedItem[]): Outputs {
	const outputs = emptyOutputs(OUTPUTS.length);
	const lastOf = new Map(observed.map((item) => [item.found.link, item]));
	for (const item of observed) {
		const verdict = verdictOn(item, lastOf.get(item.found.link) === item);
		const checked = { ...item, item: withEcho(item) };
		outputs[OUTPUT_OF[verdict]]?.push(withFinding(checked, VERSION_CHECK, { ordering: verdict }));
	}
	return outputs;
}

/** What was observed here is left for the nodes behind, as the Echo Filter would have left it. */
function withEcho(item: ObservedItem): INodeExecutionData {
	return findingOf(item.item, ECHO_FILTER) ? item.item : withFinding(item, ECHO_FILTER, item.found);
}

/** One item is enough to say "look at this link": the earlier ones of the same link are stale. */
function verdictOn({ found }: ObservedItem, isLastOfLink: boolean): Verdict {
	if (!found.due || found.link === null || !isLastOfLink) return 'stale';
	return found.concurrentFields.length > 0 ? 'concurrent' : 'in-order';
}
