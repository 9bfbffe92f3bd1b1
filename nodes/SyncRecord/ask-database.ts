import type { IDataObject, IExecuteFunctions } from 'n8n-workflow';

import { databaseSettings } from '../shared/open-database';
import { withStore } from '../shared/open-store';
import { text } from '../shared/settings';
import type { Operation, WITH_DATABASE } from './operations';
import { readAgain, readTables } from './read-again';
import { dropUnusedSlots, listSlots } from './slots';

export type DatabaseOperation = Extract<Operation, (typeof WITH_DATABASE)[number]>;

/** Runs an operation about a system's database: once, whatever the number of items. */
export async function askDatabase(context: IExecuteFunctions, operation: DatabaseOperation): Promise<IDataObject[]> {
	const read = (name: string): unknown => context.getNodeParameter(name, 0);
	const connection = await databaseSettings(context, read('connectWith'));
	if (operation === 'readTables') return [await readTables(read, connection)];
	const request = { policy: text('Policy', read('policy')), connection };
	return await withStore(context, async (store) => {
		switch (operation) {
			case 'listSlots':
				return await listSlots(store, request);
			case 'dropSlots':
				return await dropUnusedSlots(store, read, request);
			case 'readAgain':
				return [await readAgain(store, read, request)];
		}
	});
}
