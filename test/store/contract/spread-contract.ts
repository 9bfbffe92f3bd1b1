import { MAX_ALIKE, MAX_WOKEN, type LinkCommit } from '../../../src/store/sync-store';
import { commitOf, GRACE_MS, link, loadLink, type OpenStore, POLICY, type StoreUnderTest } from './store-under-test';

/** What a commit says of other links: whom it wakes, and by what its record is found. */
export function describeSpreading(open: OpenStore): void {
	describe('what links say of each other', () => {
		let under: StoreUnderTest;
		beforeEach(async () => {
			under = await open();
		});
		afterEach(() => under.close());

		const commit = async (...links: LinkCommit[]) => await under.store.commit({ policy: POLICY, links });
		const resting = (id: string, changes: Partial<LinkCommit> = {}) => commitOf(link(id), { due: false, ...changes });
		const alikeTo = async (...blocks: string[]) =>
			(await under.store.findAlike(POLICY, blocks)).map((found) => found.link);

		test('a link that waits is due once somebody tells what it waits for, and what was thought out about it loses', async () => {
			await commit(resting('child', { waitsFor: ['parent', 'other'] }), resting('stranger', { waitsFor: ['else'] }));
			expect(await commit(resting('parent', { tells: ['parent'] }))).toMatchObject({ woken: ['child'] });
			expect(await loadLink(under.store, 'child')).toMatchObject({ due: true, revision: 2 });
			expect(await loadLink(under.store, 'stranger')).toMatchObject({ due: false, revision: 1 });
			expect(await commit(resting('child', { expectedRevision: 1 }))).toMatchObject({ links: ['conflict'] });
			await under.elapse(GRACE_MS);
			const leased = await under.store.leaseDue({ policy: POLICY, limit: 9, delayMs: 60_000, maxDelayMs: 60_000 });
			expect(leased.map(({ state }) => state.id)).toEqual(['child']);
		});

		test('it goes on waiting until it says otherwise itself', async () => {
			await commit(resting('child', { waitsFor: ['parent'] }));
			await commit(resting('child', { expectedRevision: 1 }));
			expect(await commit(resting('p1', { tells: ['parent'] }))).toMatchObject({ woken: ['child'] });
			expect(await commit(resting('p2', { tells: ['parent'] }))).toMatchObject({ woken: ['child'] });
			await commit(resting('child', { expectedRevision: 4, waitsFor: ['another'] }));
			expect(await commit(resting('p3', { tells: ['parent'] }))).toMatchObject({ woken: [] });
			await commit(resting('child', { expectedRevision: 5, waitsFor: [] }));
			expect(await commit(resting('p4', { tells: ['another'] }))).toMatchObject({ woken: [] });
		});

		test('a commit that loses tells nothing, and neither wakes the links of its own request', async () => {
			await commit(resting('child', { waitsFor: ['parent'] }), resting('parent'));
			expect(await commit(resting('parent', { tells: ['parent'] }))).toMatchObject({ links: ['conflict'], woken: [] });
			const both = [resting('child', { expectedRevision: 1 }), resting('parent', { expectedRevision: 1, tells: ['parent'] })];
			expect(await commit(...both)).toMatchObject({ links: ['committed', 'committed'], woken: [] });
		});

		test('very many that wait are not woken all at once', async () => {
			const ids = Array.from({ length: MAX_WOKEN + 1 }, (_, n) => `c${String(n).padStart(4, '0')}`);
			await commit(...ids.map((id) => resting(id, { waitsFor: ['parent'] })));
			const { woken } = await commit(resting('parent', { tells: ['parent'] }));
			expect(woken).toEqual(ids.slice(0, MAX_WOKEN));
		});

		test('two commits that wake each other’s links do not wait for each other for ever', async () => {
			const another = await under.another();
			await commit(resting('a', { waitsFor: ['b'] }), resting('b', { waitsFor: ['a'] }));
			for (let round = 0; round < 20; round++) {
				const [a, b] = [await loadLink(under.store, 'a'), await loadLink(under.store, 'b')];
				const at = (id: 'a' | 'b') => resting(id, { expectedRevision: (id === 'a' ? a : b)?.revision ?? 0, tells: [id] });
				const results = await Promise.all([
					under.store.commit({ policy: POLICY, links: [at('a')] }),
					another.commit({ policy: POLICY, links: [at('b')] }),
				]);
				expect(results.filter(({ links }) => links[0] === 'committed')).toHaveLength(1);
			}
		});

		test('a record is found by each of its blocks, with what is to be compared, until it says otherwise', async () => {
			const values = ['acme inc', null];
			await commit(resting('l1', { alike: { blocks: ['acme', 'inc'], values } }), resting('l2', { alike: { blocks: ['acme'], values: ['acme'] } }));
			expect(await under.store.findAlike(POLICY, ['inc', 'acme', 'none', 'acme'])).toEqual([
				{ block: 'inc', link: 'l1', values },
				{ block: 'acme', link: 'l1', values },
				{ block: 'acme', link: 'l2', values: ['acme'] },
			]);
			await commit(resting('l1', { expectedRevision: 1 }), resting('l2', { expectedRevision: 1, alike: null }));
			expect(await alikeTo('acme')).toEqual(['l1']);
			await commit(resting('l1', { expectedRevision: 2, alike: { blocks: ['other'], values } }));
			expect([await alikeTo('acme'), await alikeTo('other'), await alikeTo()]).toEqual([[], ['l1'], []]);
			expect(await under.store.findAlike('another policy', ['other'])).toEqual([]);
		});

		test('of a block that very many records share, only so many are looked at', async () => {
			const ids = Array.from({ length: MAX_ALIKE + 5 }, (_, n) => `l${String(n).padStart(4, '0')}`);
			await commit(...ids.map((id) => resting(id, { alike: { blocks: ['inc'], values: [id] } })));
			expect(await alikeTo('inc')).toEqual(ids.slice(0, MAX_ALIKE));
		});

		test('what a losing commit says of likeness and waiting is not kept', async () => {
			await commit(resting('l1'));
			await commit(resting('l1', { alike: { blocks: ['b'], values: ['v'] }, waitsFor: ['t'] }));
			expect(await alikeTo('b')).toEqual([]);
			expect(await commit(resting('l2', { tells: ['t'] }))).toMatchObject({ woken: [] });
		});
	});
}
