import type { IDataObject, INodeProperties } from 'n8n-workflow';

import { rehearsalAsHtml } from '../../src/console/rehearsal-page';
import { type PolicyRehearsal, rehearsePolicy } from '../../src/core/rehearse-policy';
import { rehearsalAsMarkdown } from '../../src/core/rehearse-table';
import { HASH_PREFIX } from '../../src/core/sign-off-csv';
import { fieldTitle } from '../../src/core/sign-off-words';
import type { SyncStore } from '../../src/store/sync-store';
import { lookAt, type Subject } from './sign-off';

export const REHEARSAL_FORMATS = ['table', 'markdown', 'html'] as const;

export const rehearsalProperties: INodeProperties[] = [
	{
		displayName: 'Format',
		name: 'rehearsalFormat',
		type: 'options',
		displayOptions: { show: { operation: ['rehearse'] } },
		options: [
			{ name: 'HTML', value: 'html', description: 'One item with a page to print, with lines to sign on' },
			{ name: 'Markdown', value: 'markdown', description: 'One item with the same for a repository or a chat' },
			{ name: 'Table', value: 'table', description: 'One item for each field and each thing that can happen to it' },
		],
		default: 'table',
		description: 'How the outcomes are returned',
	},
];

/** What the policy makes of each case. Reads no data and writes nothing. */
export async function rehearse(
	store: Pick<SyncStore, 'load'>,
	subject: Subject,
	format: (typeof REHEARSAL_FORMATS)[number],
): Promise<IDataObject[]> {
	const { policy, published } = await lookAt(store, subject);
	const rehearsal = rehearsePolicy(policy);
	if (format === 'table') return casesAsItems(rehearsal);
	return [
		{
			policy: policy.name,
			version: published?.version ?? null,
			hash: `${HASH_PREFIX}${rehearsal.hash}`,
			cases: rehearsal.cases.length,
			asked: rehearsal.cases.filter(({ asks }) => asks !== null).length,
			notRehearsed: rehearsal.cases.filter(({ cannot }) => cannot !== null).length,
			format,
			sheet: format === 'html' ? rehearsalAsHtml(rehearsal) : rehearsalAsMarkdown(rehearsal),
		},
	];
}

function casesAsItems({ cases }: PolicyRehearsal): IDataObject[] {
	return cases.map(({ entity, field, kind, happens, before, writes, ends, asks, cannot }): IDataObject => ({
		entity,
		field: fieldTitle(field),
		case: kind,
		happens,
		before: before as IDataObject['before'],
		writes: writes as IDataObject,
		ends: { ...ends },
		asks: asks?.kind ?? null,
		reason: asks?.reason ?? null,
		cannot,
	}));
}
