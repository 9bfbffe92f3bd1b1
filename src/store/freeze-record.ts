import { isDue } from '../core/decide';
import { SyncError } from '../core/errors';
import { hold, type HoldRequest } from '../core/hold';
import { EXISTENCE } from '../core/link';
import type { EntityPolicy } from '../core/policy';
import { loadRecord, type RecordRef } from './load-record';
import { policyInForce } from './published-policy';
import { retryContended } from './retry-contended';
import type { SyncStore } from './sync-store';

export interface FreezeRequest extends HoldRequest {
	readonly policy: string;
	readonly record: RecordRef;
}

/**
 * Freezes or unfreezes fields of a record (see `hold`).
 *
 * @returns the record's link
 * @throws SyncError RECORD_UNKNOWN when no link has the row, FIELD_UNKNOWN when the policy has no such field,
 * COMMIT_CONTENDED when the record changes all the time; STORE_UNREACHABLE, POLICY_UNPUBLISHED
 */
export async function freezeRecord(store: Pick<SyncStore, 'load' | 'commit'>, request: FreezeRequest): Promise<string> {
	const { policy: name, record, ...asked } = request;
	return await retryContended(async (isLast) => {
		const { link, published } = await loadRecord(store, name, record);
		const policy = policyInForce(published);
		checkFields(request, policy.policy.entities.get(link.state.entity));
		const { state, journal } = hold(link.state, asked, policy);
		const due = isDue(state, policy, published.mode);
		const { links } = await store.commit({
			policy: name,
			links: [{ state, expectedRevision: link.revision, due, claims: [], journal, reviews: [], stopAt: null }],
		});
		if (links[0] === 'committed') return state.id;
		if (isLast) throw new SyncError('COMMIT_CONTENDED', `The record of link ${state.id} changes all the time`);
		return null;
	});
}

function checkFields({ fields, policy }: FreezeRequest, entity: EntityPolicy | undefined): void {
	if (fields === 'record') return;
	const unknown = fields.find((field) => field !== EXISTENCE && !entity?.fields.has(field));
	if (unknown === undefined) return;
	throw new SyncError('FIELD_UNKNOWN', `The entity "${entity?.name ?? ''}" of the policy "${policy}" has no field "${unknown}"`);
}
