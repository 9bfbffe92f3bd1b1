import { SyncError } from '../core/errors';
import { keyText } from '../core/mapping';
import { requirePublished } from './published-policy';
import type { LoadedLink, PublishedPolicy, RecordKey, SyncStore } from './sync-store';

/** One record: by its row in any system, or by its link. */
export type RecordRef = RecordKey | { readonly link: string };

export interface FoundRecord {
	readonly link: LoadedLink;
	readonly published: PublishedPolicy;
}

/**
 * A record with the version of the policy that is in force, in one store trip; a key may hold numbers or their texts.
 *
 * @throws SyncError RECORD_UNKNOWN when it has no link; STORE_UNREACHABLE, POLICY_UNPUBLISHED
 */
export async function loadRecord(store: Pick<SyncStore, 'load'>, policy: string, ref: RecordRef): Promise<FoundRecord> {
	const loaded = await store.load({ policy, ...('link' in ref ? { links: [ref.link] } : { keys: [{ ...ref, key: asStored(ref) }] }) });
	const published = requirePublished(loaded, policy);
	const [link] = loaded.links;
	if (link) return { link, published };
	throw new SyncError('RECORD_UNKNOWN', 'link' in ref ? `The policy "${policy}" knows no link ${ref.link}` : unknownRow(ref, policy));
}

const asStored = ({ key }: RecordKey): RecordKey['key'] => Object.fromEntries(Object.entries(key).map(([column, value]) => [column, keyText(value)]));

function unknownRow({ system, entity, key }: RecordKey, policy: string): string {
	return `The policy "${policy}" knows no ${entity} of ${system} with this ${Object.keys(key).join(', ')}`;
}
