import {
	type IExecuteFunctions,
	type INodeExecutionData,
	NodeOperationError,
} from 'n8n-workflow';

import { SyncError } from '../../src/core/errors';
import { parseFields } from '../../src/core/given-json';
import type { Choice, Resolution } from '../../src/core/resolve';
import { endOf, resolveReviews } from '../../src/store/resolve-review';
import type { StoredReview } from '../../src/core/review';
import type { SyncStore } from '../../src/store/sync-store';
import { payloadOf } from '../shared/dead-letters';
import { withFinding } from '../shared/items';
import { errorItem } from '../shared/run-node';
import { invalid, oneOf, optionalText, text } from '../shared/settings';
import { DEAD_LETTER } from './letters';

type Decision = 'resolve' | 'approve' | 'reject' | 'dismiss' | 'retry';

interface Decisions {
	readonly operation: Decision;
	readonly items: readonly INodeExecutionData[];
}

interface Answered {
	readonly item: INodeExecutionData;
	readonly index: number;
	/** Why the settings of this item make no decision. */
	readonly resolution: Resolution | Error;
}

/**
 * Carries out a person's decisions on the items that the input items name. One that is refused does
 * not hold up the rest, and fails the node at the end.
 */
export async function decideItems(
	context: IExecuteFunctions,
	store: SyncStore,
	{ operation, items }: Decisions,
): Promise<INodeExecutionData[]> {
	const answers = items.map((item, index): Answered => ({
		item,
		index,
		resolution: asError(() => readResolution(context, operation, index)),
	}));
	const resolutions = answers.flatMap(({ resolution }) => (resolution instanceof Error ? [] : [resolution]));
	const resolved = await resolveReviews(store, resolutions);
	const outcomes = new Map(resolutions.map((resolution, index) => [resolution, resolved[index]]));
	const done: INodeExecutionData[] = [];
	const refused: { index: number; error: Error }[] = [];
	for (const { item, index, resolution } of answers) {
		const review = resolution instanceof Error ? resolution : outcomes.get(resolution);
		if (review === undefined || review instanceof Error || resolution instanceof Error) {
			const error = review instanceof Error ? review : new Error('The decision was not carried out');
			refused.push({ index, error });
			if (context.continueOnFail()) done.push(errorItem(context.getNode(), { item, index }, { key: DEAD_LETTER, error }));
		} else done.push(resultItem({ item, index }, review, resolution));
	}
	const [first] = refused;
	if (first && !context.continueOnFail())
		throw failure(context, first, { refused: refused.length, of: items.length });
	return done;
}

function asError<T>(read: () => T): T | Error {
	try {
		return read();
	} catch (error) {
		return error instanceof Error ? error : new Error(String(error));
	}
}

function readResolution(
	context: IExecuteFunctions,
	operation: Decision,
	index: number,
): Resolution {
	const read = (name: string): unknown => context.getNodeParameter(name, index);
	const review = text('Item ID', read('id'));
	if (review.startsWith('first-contact-')) {
		throw new SyncError(
			'INVALID_RESOLUTION',
			'A first contact is approved with the Sync Policy node, operation Approve First Contact',
		);
	}
	const token = optionalText('Token', read('token'));
	if (token === '') {
		throw invalid(
			'Token',
			'must be given: it is the field "token" of the item as List or Get returned it',
		);
	}
	return { review, token, by: text('By', read('by')), choice: readChoice(read, operation) };
}

function readChoice(read: (name: string) => unknown, operation: Decision): Choice {
	if (operation !== 'resolve') return { kind: operation };
	const kind = oneOf('Take', read('choice'), ['apply', 'fields', 'values']);
	if (kind === 'apply') return { kind, system: text('System', read('system')) };
	if (kind === 'fields') return { kind: 'mix', systems: readSystems(read('systems')) };
	const values = parseFields(read('values'));
	if (values && Object.keys(values).length > 0) return { kind, values };
	throw invalid(
		'Values',
		'must be an object of values by field, such as { "phone": "+1 555 0100" }',
	);
}

function readSystems(given: unknown): Record<string, string> {
	const systems = Object.entries(parseFields(given) ?? {});
	const isRight = systems.length > 0 && systems.every(([, system]) => typeof system === 'string' && system !== '');
	if (!isRight) throw invalid('Systems by Field', 'must be an object of systems by field, such as { "phone": "crm" }');
	return Object.fromEntries(systems) as Record<string, string>;
}

/** A letter of another workflow that is retried comes out as the item that was pushed. */
function resultItem(
	input: { item: INodeExecutionData; index: number },
	review: StoredReview,
	{ choice, by }: Resolution,
): INodeExecutionData {
	const { id } = review;
	const finding = { id, state: endOf(choice), choice: choice.kind, by };
	const json = (choice.kind === 'retry' ? payloadOf(review) : null) ?? input.item.json;
	return withFinding({ index: input.index, item: { json } }, DEAD_LETTER, finding);
}

function failure(
	context: IExecuteFunctions,
	{ error, index }: { error: unknown; index: number },
	{ refused, of }: { refused: number; of: number },
): NodeOperationError {
	const cause = error instanceof Error ? error : new Error(String(error));
	const message =
		of > 1 ? `${cause.message} (${refused} of ${of} decisions refused)` : cause.message;
	const description = error instanceof SyncError ? error.remedy : '';
	return new NodeOperationError(context.getNode(), cause, {
		message,
		description,
		itemIndex: index,
	});
}
