import type { IDataObject } from 'n8n-workflow';

import { requirePublished } from '../../src/store/published-policy';
import type { StreamRecord, SyncStore } from '../../src/store/sync-store';
import { nextStep } from './publish';

/** The version in force, and how far each system has been read. */
export async function show(store: Pick<SyncStore, 'load'>, name: string): Promise<IDataObject> {
	const loaded = await store.load({ policy: name });
	const { document, hash, version, mode } = requirePublished(loaded, name);
	return {
		policy: name,
		version,
		hash,
		mode,
		document: document as IDataObject,
		streams: Object.fromEntries(
			Object.entries(loaded.streams).map(([system, stream]) => [system, streamData(stream)]),
		),
		nextStep: nextStep(mode, name),
	};
}

function streamData({ slot, snapshot, position, acknowledgedLsn }: StreamRecord): IDataObject {
	return { slot, snapshot, position, acknowledgedLsn };
}
