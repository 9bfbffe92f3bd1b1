import { defaultName, readSettings } from '../../../nodes/PostgresCdcTrigger/settings';

const CREDENTIAL = { host: 'db', port: 5432, user: 'bisync', password: 's', database: 'crm' };

async function settingsOf(
	parameters: Record<string, unknown>,
): Promise<Awaited<ReturnType<typeof readSettings>>> {
	const all: Record<string, unknown> = {
		connectWith: 'bisyncPostgresApi',
		useStore: true,
		policy: 'crm-billing',
		system: 'crm',
		options: {},
		...parameters,
	};
	return await readSettings({
		getNodeParameter: ((name: string) => all[name]) as never,
		getCredentials: (async () => CREDENTIAL) as never,
	});
}

test('with a sync store everything has a default that follows policy and system', async () => {
	expect(await settingsOf({})).toMatchObject({
		publication: 'bisync_crm_billing',
		slot: 'bisync_crm_billing_crm',
		maxChanges: 1_000,
		maxWaitMs: 100,
		source: {
			kind: 'store',
			policy: 'crm-billing',
			system: 'crm',
			readsAfterGap: false,
			sweepMs: 5_000,
		},
	});
});

test('without one tables, publication and slot are named', async () => {
	const parameters = {
		useStore: false,
		tables: 'customers, crm.orders',
		publication: 'p',
		slot: 's',
	};
	expect(await settingsOf(parameters)).toMatchObject({
		publication: 'p',
		slot: 's',
		source: {
			kind: 'tables',
			tables: [
				{ schema: 'public', table: 'customers' },
				{ schema: 'crm', table: 'orders' },
			],
		},
	});
});

test.each<[string, Record<string, unknown>, RegExp]>([
	[
		'no tables',
		{ useStore: false, tables: '', publication: 'p', slot: 's' },
		/"Tables" must not be empty/,
	],
	[
		'a table with too many dots',
		{ useStore: false, tables: 'a.b.c', publication: 'p', slot: 's' },
		/"a\.b\.c" is not one/,
	],
	[
		'a slot name Postgres refuses',
		{ options: { slotName: 'My-Slot' } },
		/"Slot Name" may have only small letters/,
	],
	[
		'no changes per execution',
		{ options: { maxChanges: 0 } },
		/"Max Changes per Execution" must be a whole number/,
	],
	['an empty policy', { policy: ' ' }, /"Policy" must not be empty/],
])('%s is refused by the label of the field', async (_, parameters, message) => {
	await expect(settingsOf(parameters)).rejects.toThrow(message);
});

test('with a policy all rows are read; what would damage records is refused with the reason', async () => {
	expect(await settingsOf({ existingRows: 'whenNeeded' })).toMatchObject({ source: { readsAfterGap: true } });
	expect(await settingsOf({ existingRows: 'initial' })).toMatchObject({ source: { readsAfterGap: false } });
	await expect(settingsOf({ existingRows: 'never' })).rejects.toThrow('made here a second time');
	await expect(settingsOf({ existingRows: 'only' })).rejects.toThrow('overwritten by the others');
});

test('without one rows are left alone unless they are asked for; to read them alone takes no slot', async () => {
	const alone = { useStore: false, tables: 'customers', publication: 'p', slot: 's' };
	expect(await settingsOf(alone)).toMatchObject({ source: { rows: 'never' } });
	for (const existingRows of ['initial', 'whenNeeded']) expect(await settingsOf({ ...alone, existingRows })).toMatchObject({ slot: 's', source: { rows: existingRows } });
	expect(await settingsOf({ ...alone, existingRows: 'only', publication: '', slot: '' })).toMatchObject({ source: { rows: 'only' } });
	await expect(settingsOf({ ...alone, existingRows: 'some' })).rejects.toThrow('"Existing Rows" must be one of initial, never, only, whenNeeded');
});

test('few tables are read at once', async () => {
	expect(await settingsOf({})).toMatchObject({ tablesAtOnce: 2 });
	expect(await settingsOf({ options: { tablesAtOnce: 4 } })).toMatchObject({ tablesAtOnce: 4 });
	await expect(settingsOf({ options: { tablesAtOnce: 5 } })).rejects.toThrow('"Tables Read at Once" must be 4 at most');
});

test('whether standbys keep the slot is left as it is unless said', async () => {
	expect((await settingsOf({})).failover).toBeUndefined();
	expect(await settingsOf({ options: { failover: true } })).toMatchObject({ failover: true });
	const alone = { useStore: false, tables: 'customers', publication: 'p', slot: 's' };
	expect(await settingsOf({ ...alone, options: { failover: false } })).toMatchObject({ failover: false });
});

test('names that Postgres would cut stay distinct', () => {
	const long = 'p'.repeat(60);
	const [a, b] = [defaultName('bisync', long, 'crm'), defaultName('bisync', long, 'billing')];
	expect(a).not.toBe(b);
	expect([a.length, b.length]).toEqual([63, 63]);
});

test('polling needs neither slot nor publication, and looks for deleted rows unless told otherwise', async () => {
	const alone = { useStore: false, tables: 'customers', readBy: 'polling' };
	expect(await settingsOf(alone)).toMatchObject({ polling: { everyMs: 30_000, deletesEvery: 1 }, slot: '(polling)' });
	expect(await settingsOf({ ...alone, pollSeconds: 5, deletesEvery: 0 })).toMatchObject({ polling: { everyMs: 5_000, deletesEvery: 0 } });
	expect(await settingsOf({ readBy: 'polling' })).toMatchObject({ polling: { everyMs: 30_000, deletesEvery: 1 }, source: { kind: 'store' } });
	expect(await settingsOf({})).toMatchObject({ polling: null });
});

test('a sync that is polled has to look for deleted rows', async () => {
	await expect(settingsOf({ readBy: 'polling', deletesEvery: 0 })).rejects.toThrow('"Look for Deleted Rows (Every so Many Polls)" must be a whole number of at least 1');
	await expect(settingsOf({ readBy: 'guessing' })).rejects.toThrow('"Read Changes By" must be one of log, polling');
});
