import type { INodeExecutionData } from 'n8n-workflow';

import { isOutcome } from '../../src/core/marker';
import { filled, withFinding } from '../shared/items';
import { ECHO_FILTER, type ObservedItem } from '../shared/observe-items';
import type { Outputs } from '../shared/run-node';

/** Foreign: whatever leaves its link with something to be done, our own echoes included. Echo: the rest. */
export function routeByDue(observed: readonly ObservedItem[], isTest: boolean): Outputs {
	const foreign: INodeExecutionData[] = [];
	const echo: INodeExecutionData[] = [];
	for (const item of observed) {
		const { found } = item;
		const would = isTest ? { would: `be observed as ${found.disposition}` } : {};
		(found.due ? foreign : echo).push(withFinding(item, ECHO_FILTER, { ...found, ...would }));
	}
	return [foreign, echo];
}

/** Without a store: an item whose marker has an outcome is our own write, whatever else it shows. */
export function routeByMarker(items: readonly INodeExecutionData[]): Outputs {
	const foreign: INodeExecutionData[] = [];
	const echo: INodeExecutionData[] = [];
	for (const input of filled(items)) {
		const isOurs = hasMarker(input.item);
		const found = { disposition: isOurs ? 'echo' : 'foreign' };
		(isOurs ? echo : foreign).push(withFinding(input, ECHO_FILTER, found));
	}
	return [foreign, echo];
}

function hasMarker({ json }: INodeExecutionData): boolean {
	const { marker } = json;
	if (typeof marker !== 'object' || marker === null || !('outcome' in marker)) return false;
	return isOutcome(marker.outcome);
}
