import type { IDataObject, INodeExecutionData } from 'n8n-workflow';

import { canonicalJson, type Json, sha256Hex } from '../../src/core/canonical-json';
import type { Operation } from '../../src/core/link';
import type { ReviewItem } from '../../src/core/review';
import { LETTER_PREFIX, WRITE_PREFIX } from '../shared/dead-letters';
import { findingOf } from '../shared/items';
import type { OfRecord } from './record-letters';

/** The key of this node's findings. */
export const DEAD_LETTER = 'deadLetter';

/** What an item that was pushed turns out to be. */
export type Pushed =
	/** It tells of items that are open already, or will be opened by the change stream. */
	| { readonly kind: 'known'; readonly state: string; readonly ids: readonly string[] }
	| { readonly kind: 'letter'; readonly review: ReviewItem };

export interface PushContext {
	readonly policy: string;
	/** Why an item of another workflow is kept; asked for such items alone, for it costs an expression. */
	readonly reason: () => string;
	/** Which record such an item is about; asked likewise. */
	readonly ofRecord: () => OfRecord;
	/** Of the workflow that pushes. */
	readonly origin: { readonly workflow: string; readonly execution: string };
}

/** Pure: the same item pushed twice is one letter. */
export function letterOf(item: INodeExecutionData, context: PushContext): Pushed {
	const reviews = findingOf(item, 'merge')?.['reviews'];
	const write = findingOf(item, 'write');
	if (write !== null && typeof write['op'] === 'string') return writeLetter(item, write, context);
	if (Array.isArray(reviews) && reviews.length > 0) {
		const ids = reviews.map((review) => String((review as IDataObject)['id']));
		return { kind: 'known', state: 'already open', ids };
	}
	return plainLetter(item, context);
}

function writeLetter(
	item: INodeExecutionData,
	write: IDataObject,
	{ policy, origin }: PushContext,
): Pushed {
	const op = findingOf(item, 'merge')?.['op'] as unknown as Operation | undefined;
	const id = String(write['op']);
	if (write['outcome'] !== 'none') {
		// Its marker opens an item of its own, which holds the fields still and ends by itself.
		return { kind: 'known', state: 'opened by the change stream', ids: [] };
	}
	const error = (write['error'] ?? {}) as IDataObject;
	const reason = String(error['message'] ?? 'The write failed');
	const review: ReviewItem = {
		id: `${WRITE_PREFIX}${id}`,
		kind: 'failure',
		policy,
		link: null,
		entity: op?.entity ?? null,
		fields: Object.keys(op?.fields ?? {}),
		reason,
		token: tokenOf([id, reason]),
		// Names only: the values are in the link, and the policy says which of them may be shown.
		detail: {
			op: id,
			link: op?.link ?? null,
			system: op?.system ?? null,
			error: plain(error),
			origin: { ...origin },
		},
	};
	return { kind: 'letter', review };
}

function plainLetter(
	{ json }: INodeExecutionData,
	{ policy, reason: reasonOf, ofRecord, origin }: PushContext,
): Pushed {
	const reason = reasonOf();
	const payload = plain(json);
	const about = ofRecord();
	const isOfRecord = about.record !== '';
	const hash = sha256Hex(canonicalJson([policy, origin.workflow, payload])).slice(0, 24);
	const entity = typeof json['entity'] === 'string' ? json['entity'] : null;
	const review: ReviewItem = {
		id: isOfRecord ? recordLetterId(policy, about.record) : `${LETTER_PREFIX}${hash}`,
		kind: 'failure',
		policy,
		link: null,
		entity,
		fields: [],
		reason,
		// Another version than the one that somebody looked at is not what they decided about.
		token: tokenOf([hash, about.version, reason]),
		detail: { payload, ...(isOfRecord ? { ...about } : {}), origin: { ...origin } },
	};
	return { kind: 'letter', review };
}

/** Whichever workflow pushes: what one could not write, another may. */
export function recordLetterId(policy: string, record: string): string {
	return `${LETTER_PREFIX}${sha256Hex(canonicalJson([policy, 'record', record])).slice(0, 24)}`;
}

function tokenOf(parts: readonly string[]): string {
	return sha256Hex(canonicalJson(parts)).slice(0, 16);
}

/** As JSON keeps it: n8n items can hold dates and other objects. */
function plain(value: IDataObject): Json {
	return JSON.parse(JSON.stringify(value)) as Json;
}
