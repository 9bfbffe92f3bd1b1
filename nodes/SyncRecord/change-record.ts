import type { IDataObject } from 'n8n-workflow';

import type { HoldRequest } from '../../src/core/hold';
import { freezeRecord } from '../../src/store/freeze-record';
import { joinRecords, partRecord } from '../../src/store/link-by-hand';
import type { RecordRef } from '../../src/store/load-record';
import type { SyncStore } from '../../src/store/sync-store';

type ChangingStore = Pick<SyncStore, 'load' | 'commit'>;

/** @param fields - none: the record as a whole */
export async function holdRecord(store: ChangingStore, { policy, record, fields, ...asked }: Omit<HoldRequest, 'fields'> & { policy: string; record: RecordRef; fields: readonly string[] }): Promise<IDataObject> {
	const held = fields.length === 0 ? ('record' as const) : fields;
	const link = await freezeRecord(store, { policy, record, fields: held, ...asked });
	return { link, state: asked.action === 'freeze' ? 'frozen' : 'unfrozen', fields: held === 'record' ? 'record' : [...held] };
}

export async function linkRecords(store: ChangingStore, request: { policy: string; records: readonly [RecordRef, RecordRef]; by: string }): Promise<IDataObject> {
	const { link, other } = await joinRecords(store, request);
	return { link, state: other === null ? 'were one already' : 'linked', gaveUp: other };
}

export async function unlinkRecord(store: ChangingStore, request: { policy: string; record: RecordRef; system: string; by: string }): Promise<IDataObject> {
	const { link, other } = await partRecord(store, request);
	return { link, state: 'unlinked', newLink: other, system: request.system };
}
