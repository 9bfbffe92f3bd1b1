import type { IExecuteFunctions } from 'n8n-workflow';

import type { GivenReading } from './reading-items';

/** What the parameters of the node say of one item's reading. Evaluated per item: that is what they are for. */
export function givenReading(context: Pick<IExecuteFunctions, 'getNodeParameter'>, index: number, exists: boolean): GivenReading {
	const options = optionsOf(context, index);
	return {
		record: context.getNodeParameter('record', index, ''),
		deleted: !exists,
		version: options['version'],
		etag: options['etag'],
		ticket: options['ticket'],
		mark: options['mark'],
		occurredAt: options['occurredAt'],
		earlier: options['earlier'],
		isComplete: options['complete'] === true,
	};
}

/** The collection beside the record. */
export function optionsOf(context: Pick<IExecuteFunctions, 'getNodeParameter'>, index: number): Readonly<Record<string, unknown>> {
	const given: unknown = context.getNodeParameter('readingOptions', index, {});
	return typeof given === 'object' && given !== null ? { ...given } : {};
}
