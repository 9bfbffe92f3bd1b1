import {
	commit,
	commitOf,
	link,
	linkOfKey,
	linkOfMatch,
	loadLink,
	note,
	type OpenStore,
	POLICY,
	review,
	type StoreUnderTest,
} from './store-under-test';

/** State, journal and reviews of links: all or nothing per link, one winner per revision. */
export function describeCommits(open: OpenStore): void {
	describe('commits of links', () => {
		let under: StoreUnderTest;
		beforeEach(async () => {
			under = await open();
		});
		afterEach(() => under.close());

		test('a committed link is loaded back by its id, its keys and its match keys, and once', async () => {
			const keys = { crm: { id: '1' }, billing: { account_no: '9', region: 'EU' } };
			const state = link('l1', { keys });
			await commit(under.store, [commitOf(state, { claims: ['b', 'a'] })]);
			const { links } = await under.store.load({
				policy: POLICY,
				links: ['l1', 'l1', 'unknown'],
				keys: [
					{ system: 'crm', entity: 'customer', key: { id: '1' } },
					{ system: 'billing', entity: 'customer', key: { region: 'EU', account_no: '9' } },
				],
				matches: [{ entity: 'customer', match: 'a' }],
			});
			expect(links).toEqual([{ state, revision: 1, due: true, matches: ['a', 'b'] }]);
		});

		test('nothing is found for keys of another entity, system or policy', async () => {
			await commit(under.store, [commitOf(link('l1'), { claims: ['m'] })]);
			const key = { id: 'l1' };
			const request = {
				links: ['l1'],
				keys: [{ system: 'crm', entity: 'customer', key }],
				matches: [{ entity: 'customer', match: 'm' }],
			};
			expect((await under.store.load({ policy: 'other', ...request })).links).toEqual([]);
			const elsewhere = [
				{ system: 'billing', entity: 'customer', key },
				{ system: 'crm', entity: 'order', key },
			];
			const matches = [{ entity: 'order', match: 'm' }];
			expect((await under.store.load({ policy: POLICY, keys: elsewhere, matches })).links).toEqual(
				[],
			);
		});

		test('of 20 concurrent commits at one revision exactly one wins', async () => {
			await commit(under.store, [commitOf(link('l1'))]);
			const racing = Array.from({ length: 20 }, async (_, n) => {
				const state = link('l1', { reviewCount: n });
				const journal = [note(String(n))];
				return (await commit(under.store, [commitOf(state, { expectedRevision: 1, journal })]))[0];
			});
			const results = await Promise.all(racing);
			expect(results.filter((result) => result === 'committed')).toHaveLength(1);
			const winner = results.indexOf('committed');
			expect(await loadLink(under.store, 'l1')).toMatchObject({
				revision: 2,
				state: { reviewCount: winner },
			});
			const journal = await under.store.readJournal({ policy: POLICY, limit: 100 });
			expect(journal.map(({ entry }) => entry)).toEqual([note(String(winner))]);
		});

		test('of 20 concurrent commits that create one link exactly one wins', async () => {
			const results = await Promise.all(
				Array.from({ length: 20 }, () => commit(under.store, [commitOf(link('l1'))])),
			);
			expect(results.filter(([result]) => result === 'committed')).toHaveLength(1);
		});

		test('overlapping commits with the links in any order neither deadlock nor win twice', async () => {
			const ids = Array.from({ length: 30 }, (_, n) => `link-${n}`);
			await commit(
				under.store,
				ids.map((id) => commitOf(link(id))),
			);
			for (let round = 1; round <= 5; round++) {
				const racing = Array.from({ length: 10 }, (_, n) => {
					const order = ids.map((_id, i) => ids[(i * 7 + n * 11) % ids.length] ?? '');
					const links = order.map((id) => commitOf(link(id), { expectedRevision: round }));
					return commit(under.store, links.slice(0, 10 + 2 * n)).then((results) =>
						results.flatMap((result, i) => (result === 'committed' ? [order[i]] : [])),
					);
				});
				const won = (await Promise.all(racing)).flat();
				expect([...won].sort()).toEqual([...ids].sort());
			}
		});

		test('commits, publishing, sweeping and noting attempts at the same time do not deadlock', async () => {
			// Created in falling order, so that whoever takes them as they lie meets those who go up.
			const ids = Array.from({ length: 300 }, (_, n) => `link-${999 - n}`);
			await commit(
				under.store,
				ids.map((id) => commitOf(link(id))),
			);
			await under.elapse(10_000);
			const base = { name: POLICY, document: {}, by: 'test', initialMode: 'live' as const };
			const lease = { policy: POLICY, limit: 50, delayMs: 0, maxDelayMs: 0 };
			for (let round = 0; round < 10; round++) {
				const reversed = [...ids].reverse();
				const { revision: expectedRevision = 0 } = (await loadLink(under.store, 'link-999')) ?? {};
				await Promise.all([
					commit(
						under.store,
						ids.map((id) => commitOf(link(id), { expectedRevision })),
					),
					commit(
						under.store,
						reversed.map((id) => commitOf(link(id), { expectedRevision })),
					),
					under.store.publishPolicy({ ...base, hash: `h${round}` }),
					under.store.leaseDue(lease),
					under.store.noteAttempts(POLICY, reversed),
				]);
			}
			expect((await under.store.load({ policy: POLICY })).policy).toMatchObject({ version: 10 });
		});

		test('a link that loses leaves no trace, and the others of the request are committed', async () => {
			await commit(under.store, [commitOf(link('l1'))]);
			const lost = commitOf(link('l1', { keys: { crm: { id: 'new' } } }), {
				claims: ['m'],
				journal: [note('lost')],
				reviews: [{ action: 'open', item: review('l1.1') }],
			});
			const won = commitOf(link('l2'), { journal: [note('won')] });
			expect(await commit(under.store, [lost, won])).toEqual(['conflict', 'committed']);
			const { links } = await under.store.load({
				policy: POLICY,
				links: ['l1', 'l2'],
				keys: [{ system: 'crm', entity: 'customer', key: { id: 'new' } }],
			});
			expect(
				links.map(({ state, revision, matches }) => [state.id, revision, matches]).sort(),
			).toEqual([
				['l1', 1, []],
				['l2', 1, []],
			]);
			const journal = await under.store.readJournal({ policy: POLICY, limit: 100 });
			expect(journal.map(({ entry }) => entry)).toEqual([note('won')]);
			expect(await under.store.listReviews({ limit: 10 })).toEqual([]);
		});

		test('of links committed together all lose when one does', async () => {
			await commit(under.store, [commitOf(link('l1'))]);
			const requests = [commitOf(link('l1')), commitOf(link('l2'), { claims: ['m'], journal: [note('no')] })];
			expect(await commit(under.store, requests, { together: true })).toEqual(['conflict', 'conflict']);
			expect(await loadLink(under.store, 'l2')).toBeUndefined();
			expect(await linkOfMatch(under.store, 'm')).toBeUndefined();
			expect(await under.store.readJournal({ policy: POLICY, limit: 10 })).toEqual([]);
		});

		test('links committed together may swap keys and match keys', async () => {
			const [one, two] = [link('l1'), link('l2')];
			await commit(under.store, [commitOf(one, { claims: ['a'] }), commitOf(two, { claims: ['b'] })]);
			const swapped = [
				commitOf({ ...one, keys: two.keys, generation: 2 }, { expectedRevision: 1, releases: ['a'], claims: ['b'] }),
				commitOf({ ...two, keys: one.keys, generation: 3 }, { expectedRevision: 1, releases: ['b'], claims: ['a'] }),
			];
			expect(await commit(under.store, swapped)).toEqual(['conflict', 'conflict']);
			expect(await commit(under.store, swapped, { together: true })).toEqual(['committed', 'committed']);
			expect(await linkOfMatch(under.store, 'a')).toBe('l2');
			expect(await linkOfKey(under.store, 'l1')).toBe('l2');
			expect(await linkOfKey(under.store, 'l2')).toBe('l1');
			expect(await loadLink(under.store, 'l1')).toMatchObject({ matches: ['b'] });
		});

		test('a link that is not there cannot be changed, only created', async () => {
			expect(await commit(under.store, [commitOf(link('l1'), { expectedRevision: 1 })])).toEqual([
				'conflict',
			]);
			expect(await loadLink(under.store, 'l1')).toBeUndefined();
		});

		test('of two commits of one link in one request the first wins', async () => {
			const twice = [commitOf(link('l1')), commitOf(link('l1', { keys: {} }))];
			expect(await commit(under.store, twice)).toEqual(['committed', 'conflict']);
			expect((await loadLink(under.store, 'l1'))?.state.keys).toEqual({ crm: { id: 'l1' } });
		});

		test('links of different policies with the same id and key do not meet', async () => {
			await commit(under.store, [commitOf(link('l1'), { claims: ['m'] })]);
			const other = [commitOf(link('l1'), { claims: ['m'] })];
			expect(await commit(under.store, other, { policy: 'other' })).toEqual(['committed']);
		});

		test('what a caller does to a state afterwards does not reach the store', async () => {
			const state = link('l1');
			await commit(under.store, [commitOf(state)]);
			state.keys['crm'] = { id: 'changed' };
			const loaded = await loadLink(under.store, 'l1');
			expect(loaded?.state.keys).toEqual({ crm: { id: 'l1' } });
			if (loaded) loaded.state.keys = {};
			expect((await loadLink(under.store, 'l1'))?.state.keys).toEqual({ crm: { id: 'l1' } });
		});

		test('what was committed is there for a new client after the old one is closed', async () => {
			await commit(under.store, [commitOf(link('l1'), { journal: [note('kept')] })]);
			const other = await under.another();
			await under.store.close();
			expect(await loadLink(other, 'l1')).toMatchObject({ revision: 1, due: true });
			expect(await other.readJournal({ policy: POLICY, limit: 10 })).toHaveLength(1);
		});
	});
}
