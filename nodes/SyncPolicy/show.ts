import type { IDataObject } from 'n8n-workflow';

import { formatLsn, parseLsn } from '../../src/core/lsn';
import { withoutLineage } from '../../src/core/position';
import { requirePublished } from '../../src/store/published-policy';
import type { StreamRecord } from '../../src/store/stream-record';
import type { SyncStore } from '../../src/store/sync-store';
import { progressOf } from './first-contact-report';
import { nextStep } from './publish';

/** The version in force, and how far each system has been read. */
export async function show(store: Pick<SyncStore, 'load'>, name: string): Promise<IDataObject> {
	const loaded = await store.load({ policy: name });
	const published = requirePublished(loaded, name);
	const { document, hash, version, mode, pending, signatures } = published;
	return {
		policy: name,
		version,
		hash,
		mode,
		pending: [...pending],
		signatures: signatures.map(({ atMs, ...signature }) => ({ ...signature, at: new Date(atMs).toISOString(), inForce: signature.hash === hash })),
		document: document as IDataObject,
		streams: Object.fromEntries(
			Object.entries(loaded.streams).map(([system, stream]) => [system, streamData(stream)]),
		),
		progress: progressOf(loaded),
		nextStep: nextStep(published),
	};
}

function streamData({ slot, snapshot, position, acknowledgedLsn }: StreamRecord): IDataObject {
	const acknowledged = acknowledgedLsn === null ? null : formatLsn(withoutLineage(parseLsn(acknowledgedLsn)));
	return { slot, snapshot, position, acknowledgedLsn: acknowledged };
}
