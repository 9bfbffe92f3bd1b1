import { MAX_SIGNATURES } from '../../../src/store/sync-store';
import {
	commit,
	commitOf,
	link,
	loadLink,
	type OpenStore,
	POLICY,
	type StoreUnderTest,
} from './store-under-test';

const FIRST = {
	name: POLICY,
	document: { policy: POLICY, systems: ['crm', 'billing'], note: null },
	hash: 'h1',
	by: 'ann',
	initialMode: 'first-contact' as const,
};
const SECOND = { ...FIRST, document: { policy: POLICY, systems: ['crm'] }, hash: 'h2', by: 'bob' };
const SWEEP = { policy: POLICY, limit: 10, delayMs: 60_000, maxDelayMs: 60_000 };

/** Published versions and the switch. */
export function describePolicies(open: OpenStore): void {
	describe('policies', () => {
		let under: StoreUnderTest;
		beforeEach(async () => {
			under = await open();
		});
		afterEach(() => under.close());

		test('there is no policy before the first publish', async () => {
			expect((await under.store.load({ policy: POLICY })).policy).toBeNull();
		});

		test('the first version is loaded as it was published, with what makes the store itself', async () => {
			const published = await under.store.publishPolicy(FIRST);
			expect(published).toEqual({
				name: POLICY,
				document: FIRST.document,
				hash: 'h1',
				version: 1,
				mode: 'first-contact',
				pending: [],
				signatures: [],
				storeId: expect.stringMatching(/^[0-9a-z]{12}$/) as string,
				macKey: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
				epoch: 1,
			});
			expect((await under.store.load({ policy: POLICY })).policy).toEqual(published);
		});

		test('the same hash again changes nothing', async () => {
			const first = await under.store.publishPolicy(FIRST);
			await commit(under.store, [commitOf(link('l1'), { due: false })]);
			const again = { ...FIRST, by: 'bob', initialMode: 'live' as const };
			expect(await under.store.publishPolicy(again)).toEqual(first);
			expect(await loadLink(under.store, 'l1')).toMatchObject({ due: false, revision: 1 });
		});

		test('another hash is a new version, which keeps the mode, and going back is one more', async () => {
			await under.store.publishPolicy(FIRST);
			await under.store.setMode(POLICY, 'shadow');
			const second = await under.store.publishPolicy({ ...SECOND, initialMode: 'live' });
			expect(second).toMatchObject({
				version: 2,
				hash: 'h2',
				mode: 'shadow',
				document: SECOND.document,
			});
			expect(await under.store.publishPolicy(FIRST)).toMatchObject({ version: 3, hash: 'h1' });
		});

		test('of concurrent publishers of one hash one makes the version', async () => {
			const published = await Promise.all(
				Array.from({ length: 10 }, () => under.store.publishPolicy(FIRST)),
			);
			expect(published.map(({ version }) => version)).toEqual(Array(10).fill(1));
		});

		test('a new version makes every link of the policy due at once', async () => {
			await under.store.publishPolicy(FIRST);
			await commit(under.store, [commitOf(link('l1'), { due: false }), commitOf(link('l2'))]);
			await commit(under.store, [commitOf(link('l3'), { due: false })], { policy: 'other' });
			await under.store.publishPolicy(SECOND);
			const leased = await under.store.leaseDue(SWEEP);
			expect(leased.map(({ state }) => state.id).sort()).toEqual(['l1', 'l2']);
			expect(await under.store.leaseDue({ ...SWEEP, policy: 'other' })).toEqual([]);
		});

		test('a commit that was thought out under the version before loses', async () => {
			await under.store.publishPolicy(FIRST);
			await commit(under.store, [commitOf(link('l1'))]);
			await under.store.publishPolicy(SECOND);
			const settled = commitOf(link('l1'), { expectedRevision: 1, due: false });
			expect(await commit(under.store, [settled])).toEqual(['conflict']);
			expect((await loadLink(under.store, 'l1'))?.due).toBe(true);
		});

		test('going live makes every link due, once; no other mode does', async () => {
			await under.store.publishPolicy(FIRST);
			await commit(under.store, [commitOf(link('l1'), { due: false })]);
			for (const mode of ['shadow', 'stopped', 'first-contact'] as const) {
				expect(await under.store.setMode(POLICY, mode)).toMatchObject({ mode, version: 1 });
			}
			expect(await loadLink(under.store, 'l1')).toMatchObject({ due: false, revision: 1 });
			expect(await under.store.setMode(POLICY, 'live')).toMatchObject({ mode: 'live' });
			expect(await under.store.leaseDue(SWEEP)).toHaveLength(1);
			const { revision = 0 } = (await loadLink(under.store, 'l1')) ?? {};
			await under.store.setMode(POLICY, 'live');
			expect((await loadLink(under.store, 'l1'))?.revision).toBe(revision);
		});

		test('a new epoch is higher than all before it, for every client and every policy', async () => {
			const { epoch } = await under.store.publishPolicy(FIRST);
			await under.store.raiseEpoch();
			const other = await under.another();
			const raised = (await other.load({ policy: POLICY })).policy?.epoch ?? 0;
			expect(raised).toBeGreaterThan(epoch);
			await other.raiseEpoch();
			expect((await under.store.load({ policy: POLICY })).policy?.epoch).toBeGreaterThan(raised);
		});

		test('what a version leaves pending stays so until somebody approves that version', async () => {
			await under.store.publishPolicy({ ...FIRST, initialMode: 'live' });
			const pending = ['customer.phone.crm', 'customer.phone.billing'];
			expect(await under.store.publishPolicy({ ...SECOND, pending })).toMatchObject({ pending });
			expect((await under.store.load({ policy: POLICY })).policy?.pending).toEqual(pending);
			await commit(under.store, [commitOf(link('l1'), { due: false })]);
			expect(await under.store.approve(POLICY, 'h1')).toMatchObject({ pending });
			expect((await loadLink(under.store, 'l1'))?.due).toBe(false);
			expect(await under.store.approve(POLICY, 'h2')).toMatchObject({ pending: [], mode: 'live' });
			expect(await loadLink(under.store, 'l1')).toMatchObject({ due: true, revision: 2 });
			expect(await under.store.approve(POLICY, 'h2')).toMatchObject({ pending: [] });
			expect(await loadLink(under.store, 'l1')).toMatchObject({ revision: 2 });
		});

		test.each([
			['first-contact', 'live'],
			['shadow', 'shadow'],
			['stopped', 'stopped'],
		] as const)('approving what is pending in the mode %s leads to %s', async (mode, then) => {
			await under.store.publishPolicy(FIRST);
			await under.store.setMode(POLICY, mode);
			await under.store.publishPolicy({ ...SECOND, pending: ['customer.phone.crm'] });
			expect(await under.store.approve(POLICY, 'h2')).toMatchObject({ mode: then, pending: [] });
		});

		test('a signature is kept with the hash, the name and the time of the store, once, through later versions', async () => {
			await under.store.publishPolicy({ ...FIRST, initialMode: 'live' });
			const signed = await under.store.sign(POLICY, 'h1', 'Ann "Q" | =1');
			expect(signed.signatures).toEqual([{ hash: 'h1', by: 'Ann "Q" | =1', atMs: expect.any(Number) as number }]);
			const { atMs } = signed.signatures[0] ?? { atMs: 0 };
			expect(Number.isInteger(atMs)).toBe(true);
			expect((await under.store.sign(POLICY, 'h1', 'Ann "Q" | =1')).signatures).toEqual(signed.signatures);
			await under.store.sign(POLICY, 'h2', 'bob');
			const second = await under.store.publishPolicy(SECOND);
			expect(second.signatures.map(({ hash, by }) => [hash, by])).toEqual([['h1', 'Ann "Q" | =1'], ['h2', 'bob']]);
			expect((await under.store.load({ policy: POLICY })).policy).toEqual(second);
			await expect(under.store.sign('other', 'h1', 'ann')).rejects.toMatchObject({ code: 'POLICY_UNPUBLISHED' });
		});

		test('signing what is in force makes every link due, signing anything else does not', async () => {
			await under.store.publishPolicy({ ...FIRST, initialMode: 'live' });
			await commit(under.store, [commitOf(link('l1'), { due: false })]);
			await under.store.sign(POLICY, 'h2', 'ann');
			expect(await loadLink(under.store, 'l1')).toMatchObject({ due: false, revision: 1 });
			await under.store.sign(POLICY, 'h1', 'ann');
			expect(await loadLink(under.store, 'l1')).toMatchObject({ due: true, revision: 2 });
			await under.store.sign(POLICY, 'h1', 'ann');
			expect(await loadLink(under.store, 'l1')).toMatchObject({ revision: 2 });
		});

		test('earlier versions are found by their hashes', async () => {
			await under.store.publishPolicy(FIRST);
			await under.store.publishPolicy(SECOND);
			await under.store.publishPolicy(FIRST);
			const found = await under.store.findVersions(POLICY, ['h2', 'h1', 'h3']);
			expect(Object.fromEntries(found)).toEqual({ h1: FIRST.document, h2: SECOND.document });
			expect((await under.store.findVersions('other', ['h1'])).size).toBe(0);
			const listed = await under.store.listVersions(POLICY, 2);
			expect(listed).toMatchObject([{ version: 3, hash: 'h1', document: FIRST.document, by: FIRST.by }, { version: 2, hash: 'h2' }]);
			expect(listed.every(({ atMs }) => Number.isFinite(atMs))).toBe(true);
			expect(await under.store.listVersions('other', 2)).toEqual([]);
		});

		test('the last signatures are kept', async () => {
			await under.store.publishPolicy(FIRST);
			for (let number = 1; number <= MAX_SIGNATURES + 2; number++) await under.store.sign(POLICY, `h${number}`, 'ann');
			const { signatures = [] } = (await under.store.load({ policy: POLICY })).policy ?? {};
			expect(signatures.map(({ hash }) => hash)).toEqual(Array.from({ length: MAX_SIGNATURES }, (_, place) => `h${place + 3}`));
		});

		test('a request that was worked out from a version no longer in force publishes nothing', async () => {
			await under.store.publishPolicy({ ...FIRST, after: null });
			const third = { ...SECOND, hash: 'h3' };
			expect(await under.store.publishPolicy({ ...SECOND, after: 'h1' })).toMatchObject({ version: 2 });
			expect(await under.store.publishPolicy({ ...third, after: 'h1' })).toMatchObject({ hash: 'h2' });
			expect(await under.store.publishPolicy({ ...third, after: null })).toMatchObject({ hash: 'h2' });
			expect(await under.store.publishPolicy({ ...third, after: 'h2' })).toMatchObject({ version: 3 });
		});

		test('what is suspended waits beside what waits already, in the version that is in force', async () => {
			await under.store.publishPolicy({ ...FIRST, initialMode: 'live' });
			await under.store.publishPolicy({ ...SECOND, pending: ['customer.phone.crm'] });
			await commit(under.store, [commitOf(link('l1'), { due: false })]);
			const scopes = ['customer.phone.crm', 'customer.name.billing', 'customer.Name.billing'];
			const pending = ['customer.Name.billing', 'customer.name.billing', 'customer.phone.crm'];
			expect(await under.store.suspend(POLICY, 'h1', scopes)).toMatchObject({ pending: ['customer.phone.crm'] });
			expect(await under.store.suspend(POLICY, 'h2', scopes)).toMatchObject({ pending, mode: 'live', version: 2 });
			expect((await under.store.load({ policy: POLICY })).policy?.pending).toEqual(pending);
			expect(await loadLink(under.store, 'l1')).toMatchObject({ due: false, revision: 1 });
			await expect(under.store.suspend('other', 'h2', scopes)).rejects.toMatchObject({ code: 'POLICY_UNPUBLISHED' });
		});

		test('nothing of a policy that was never published can be approved', async () => {
			await expect(under.store.approve(POLICY, 'h1')).rejects.toMatchObject({
				code: 'POLICY_UNPUBLISHED',
			});
		});

		test('the mode of a policy that was never published cannot be set', async () => {
			await expect(under.store.setMode(POLICY, 'live')).rejects.toMatchObject({
				code: 'POLICY_UNPUBLISHED',
				message: expect.stringContaining('"crm-billing"') as string,
			});
		});
	});
}
