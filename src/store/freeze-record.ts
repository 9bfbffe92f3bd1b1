import { isDue } from '../core/decide';
import { SyncError } from '../core/errors';
import { hold, type HoldRequest } from '../core/hold';
import { EXISTENCE, type Key } from '../core/link';
import { keyText } from '../core/mapping';
import { policyInForce, requirePublished } from './published-policy';
import { retryContended } from './retry-contended';
import type { LoadedLink, SyncStore } from './sync-store';

export interface FreezeRequest extends HoldRequest {
	readonly policy: string;
	/** One record, by its row in any system. */
	readonly record: { readonly system: string; readonly entity: string; readonly key: Key };
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
	const key = Object.fromEntries(Object.entries(record.key).map(([column, value]) => [column, keyText(value)]));
	return await retryContended(async (isLast) => {
		const loaded = await store.load({ policy: name, keys: [{ ...record, key }] });
		const published = requirePublished(loaded, name);
		const [link] = loaded.links;
		if (!link) throw unknownRecord(request);
		const policy = policyInForce(published);
		checkFields(request, policy.policy.entities.get(record.entity)?.fields);
		const { state, journal } = hold(link.state, asked, policy);
		const due = isDue(state, policy, published.mode);
		const { links } = await store.commit({
			policy: name,
			links: [{ state, expectedRevision: link.revision, due, claims: [], journal, reviews: [], stopAt: null }],
		});
		if (links[0] === 'committed') return state.id;
		if (isLast) throw contended(link);
		return null;
	});
}

function checkFields({ fields, record, policy }: FreezeRequest, known: ReadonlyMap<string, unknown> | undefined): void {
	if (fields === 'record') return;
	const unknown = fields.find((field) => field !== EXISTENCE && !known?.has(field));
	if (unknown === undefined) return;
	throw new SyncError('FIELD_UNKNOWN', `The entity "${record.entity}" of the policy "${policy}" has no field "${unknown}"`);
}

function unknownRecord({ record, policy }: FreezeRequest): SyncError {
	const columns = Object.keys(record.key).join(', ');
	return new SyncError('RECORD_UNKNOWN', `The policy "${policy}" knows no ${record.entity} of ${record.system} with this ${columns}`);
}

function contended({ state }: LoadedLink): SyncError {
	return new SyncError('COMMIT_CONTENDED', `The record of link ${state.id} changes all the time`);
}
