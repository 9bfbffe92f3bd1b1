import type { IDataObject, INodeProperties } from 'n8n-workflow';

import { parsePolicy } from '../../src/core/parse-policy';
import { requirePublished } from '../../src/store/published-policy';
import type { SyncStore } from '../../src/store/sync-store';
import { whatIf, type WhatIfStore } from '../../src/store/what-if';
import { optionalText, wholeNumber } from '../shared/settings';

export const whatIfProperties: INodeProperties[] = [
	{
		displayName: 'Decisions at Most',
		name: 'decisions',
		type: 'number',
		typeOptions: { minValue: 1 },
		displayOptions: { show: { operation: ['whatIf'] } },
		default: 10000,
		description: 'Stop after the record that this many past decisions are reached with; the answer then says where to go on',
	},
	{
		displayName: 'Examples',
		name: 'examples',
		type: 'number',
		typeOptions: { minValue: 1, maxValue: 100 },
		displayOptions: { show: { operation: ['whatIf'] } },
		default: 5,
		description: 'How many examples to show of each field and each kind of difference',
	},
	{
		displayName: 'After',
		name: 'after',
		type: 'string',
		displayOptions: { show: { operation: ['whatIf'] } },
		default: '',
		placeholder: '={{ $json.next }}',
		description: 'Where an answer that was cut says to go on; empty to begin with the first record',
	},
];

/** @throws SyncError POLICY_INVALID; POLICY_UNPUBLISHED: there is no past to compare with */
export async function askWhatIf(
	store: WhatIfStore & Pick<SyncStore, 'load'>,
	document: string,
	read: (name: string) => unknown,
): Promise<IDataObject> {
	const changed = parsePolicy(document);
	requirePublished(await store.load({ policy: changed.name }), changed.name);
	const report = await whatIf(store, {
		changed,
		limit: wholeNumber('Decisions at Most', read('decisions'), 1),
		examples: wholeNumber('Examples', read('examples'), 1),
		after: optionalText('After', read('after')),
	});
	const examples = report.examples.map(({ atMs, ...example }) => ({ ...example, at: new Date(atMs).toISOString() }));
	return { policy: changed.name, ...report, examples } as unknown as IDataObject;
}
