import { EXISTENCE } from '../../src/core/link';
import { replay } from '../../src/core/replay';
import { freezeRecord, type FreezeRequest } from '../../src/store/freeze-record';
import type { SyncStore } from '../../src/store/sync-store';
import { SIMULATED_ENTITY, SIMULATED_POLICY } from '../support/simulated-policy';
import { StoreLab } from '../support/store-lab';

beforeAll(() => void jest.spyOn(Math, 'random').mockReturnValue(0));
afterAll(() => void jest.restoreAllMocks());

/** Both systems hold a record, which crm calls 1. */
async function linked(): Promise<StoreLab> {
	const lab = await StoreLab.open();
	await lab.observe(lab.insert('crm', { id: '1', ref: 'r1', note: 'x' }));
	await lab.pump();
	return lab;
}

const request = (changes: Partial<FreezeRequest> = {}): FreezeRequest => ({
	policy: SIMULATED_POLICY,
	record: { system: 'crm', entity: SIMULATED_ENTITY, key: { id: '1' } },
	action: 'freeze',
	fields: ['note'],
	by: 'maria',
	reason: 'being looked at',
	...changes,
});

test('a field that is frozen gets no write until it is unfrozen', async () => {
	const lab = await linked();
	const link = await freezeRecord(lab.store, request());
	expect(link).toBe(lab.linkOf('crm', '1').id);
	await lab.observe(lab.update('crm', '1', { note: 'a' }));
	expect(await lab.pump()).toEqual([]);
	await freezeRecord(lab.store, request({ action: 'unfreeze' }));
	expect(await lab.pump()).toMatchObject([{ system: 'billing', fields: { note: { next: 'a' } } }]);
});

test('a record is found by its row in any system, and by a key that is a number', async () => {
	const lab = await StoreLab.open();
	await lab.observe(lab.insert('crm', { id: '1', ref: 'r1', note: 'x' }));
	await lab.observe(lab.insert('billing', { id: '7', ref: 'r1', note: 'x' }));
	const record = { system: 'billing', entity: SIMULATED_ENTITY, key: { id: 7 } };
	expect(await freezeRecord(lab.store, request({ record }))).toBe(lab.linkOf('crm', '1').id);
});

test('a whole record is its fields and whether it exists', async () => {
	const lab = await linked();
	await freezeRecord(lab.store, request({ fields: 'record' }));
	const { fields } = lab.linkOf('crm', '1');
	expect(Object.keys(fields).filter((name) => fields[name]?.held !== undefined).sort()).toEqual(['note', 'ref', EXISTENCE].sort());
	await lab.observe(lab.delete('crm', '1'));
	expect(await lab.pump()).toEqual([]);
	expect(Object.keys(lab.rows['billing'] ?? {})).toHaveLength(1);
});

test('the journal gives the same state again', async () => {
	const lab = await linked();
	await freezeRecord(lab.store, request());
	await lab.observe(lab.update('billing', Object.keys(lab.rows['billing'] ?? {})[0] ?? '', { note: 'b' }));
	await freezeRecord(lab.store, request({ action: 'unfreeze', fields: 'record' }));
	await lab.pump();
	const entries = await lab.store.readJournal({ policy: SIMULATED_POLICY, limit: 1_000 });
	expect(replay(entries, (hash) => (hash === lab.policy.hash ? lab.policy : undefined))).toEqual(lab.linkOf('crm', '1'));
});

test.each<[string, Partial<FreezeRequest>, string, string]>([
	['a row that no link has', { record: { system: 'crm', entity: SIMULATED_ENTITY, key: { id: '404' } } }, 'RECORD_UNKNOWN', 'knows no customer of crm with this id'],
	['a field that the policy does not have', { fields: ['note', 'nose'] }, 'FIELD_UNKNOWN', 'has no field "nose"'],
	['a policy that nobody published', { policy: 'other' }, 'POLICY_UNPUBLISHED', 'other'],
])('%s is refused, and nothing is frozen', async (_, ...[changes, code, words]) => {
	const lab = await linked();
	const before = lab.links();
	const refused = freezeRecord(lab.store, request(changes));
	await expect(refused).rejects.toMatchObject({ code, message: expect.stringContaining(words) as string });
	expect(lab.links()).toEqual(before);
});

test('another worker that was faster is no obstacle: it is done again on what that one left', async () => {
	const lab = await linked();
	let lost = 0;
	const busy: Pick<SyncStore, 'load' | 'commit'> = {
		load: async (wanted) => await lab.store.load(wanted),
		commit: async (wanted) => {
			if (lost < 2) {
				lost += 1;
				await lab.observe(lab.update('crm', '1', { note: `faster ${lost}` }));
			}
			return await lab.store.commit(wanted);
		},
	};
	await freezeRecord(busy, request());
	expect(lost).toBe(2);
	expect(lab.linkOf('crm', '1').fields['note']).toMatchObject({ held: { by: 'maria' }, views: { crm: { canon: 'faster 2' } } });
});

test('a record that changes all the time is given up with a word about it', async () => {
	const lab = await linked();
	let turn = 0;
	const restless: Pick<SyncStore, 'load' | 'commit'> = {
		load: async (wanted) => await lab.store.load(wanted),
		commit: async (wanted) => {
			await lab.observe(lab.update('crm', '1', { note: `faster ${(turn += 1)}` }));
			return await lab.store.commit(wanted);
		},
	};
	await expect(freezeRecord(restless, request())).rejects.toMatchObject({ code: 'COMMIT_CONTENDED' });
});

test('a question about a field that is frozen by hand meanwhile can still be answered', async () => {
	const fields = { ref: { crm: 'ref', billing: 'ref', owner: 'crm' }, note: { crm: 'note', billing: 'note', owner: 'shared', resolve: 'review' } };
	const lab = await StoreLab.open({ fields });
	for (const system of lab.systems) await lab.observe(lab.insert(system, { id: '1', ref: 'r1', note: 'x' }));
	await lab.pump();
	await lab.observe(lab.update('crm', '1', { note: 'a' }));
	await lab.observe(lab.update('billing', '1', { note: 'b' }));
	await lab.decide();
	await freezeRecord(lab.store, request());
	await lab.resolve({ kind: 'apply', system: 'crm' });
	expect(await lab.openReviews()).toEqual([]);
	expect(await lab.pump()).toEqual([]);
	await freezeRecord(lab.store, request({ action: 'unfreeze' }));
	expect(await lab.pump()).toMatchObject([{ system: 'billing', fields: { note: { next: 'a' } } }]);
});

test('a foreign change of a field that is frozen by hand leaves the link at rest', async () => {
	const lab = await linked();
	await freezeRecord(lab.store, request());
	await lab.observe(lab.update('crm', '1', { note: 'a' }));
	expect(lab.links().map(({ due }) => due)).toEqual([false]);
});
