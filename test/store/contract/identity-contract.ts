import {
	commit,
	commitOf,
	link,
	linkOfKey,
	linkOfMatch,
	loadLink,
	type OpenStore,
	POLICY,
	type StoreUnderTest,
} from './store-under-test';

/** The record 42 of the crm under different links. */
const record42 = (id: string, generation: number) =>
	link(id, { generation, keys: { crm: { id: '42' } } });

/** Keys and match keys: a link is a bijection between records. */
export function describeIdentities(open: OpenStore): void {
	describe('identities of links', () => {
		let under: StoreUnderTest;
		beforeEach(async () => {
			under = await open();
		});
		afterEach(() => under.close());

		test('a key that another link has makes a commit lose', async () => {
			await commit(under.store, [commitOf(record42('first', 1))]);
			const second = commitOf(record42('second', 1), { claims: ['m'] });
			expect(await commit(under.store, [second])).toEqual(['conflict']);
			expect(await linkOfKey(under.store, '42')).toBe('first');
			expect(await loadLink(under.store, 'second')).toBeUndefined();
			expect(await linkOfMatch(under.store, 'm')).toBeUndefined();
		});

		test('one taken key is enough to lose, and the free one stays free', async () => {
			await commit(under.store, [commitOf(record42('first', 1))]);
			const keys = { crm: { id: '42' }, billing: { account_no: '9' } };
			expect(await commit(under.store, [commitOf(link('second', { keys }))])).toEqual(['conflict']);
			const third = link('third', { keys: { billing: keys.billing } });
			expect(await commit(under.store, [commitOf(third)])).toEqual(['committed']);
		});

		test('a newer generation takes a key over, and an older one cannot take it back', async () => {
			await commit(under.store, [commitOf(record42('old', 1))]);
			expect(await commit(under.store, [commitOf(record42('new', 2))])).toEqual(['committed']);
			expect(await linkOfKey(under.store, '42')).toBe('new');
			expect(await commit(under.store, [commitOf(record42('late', 1))])).toEqual(['conflict']);
			expect(await commit(under.store, [commitOf(record42('late', 2))])).toEqual(['conflict']);
			expect(await linkOfKey(under.store, '42')).toBe('new');
		});

		test('a link whose key was taken over can still be committed, and does not win the key back', async () => {
			await commit(under.store, [commitOf(record42('old', 1)), commitOf(record42('new', 2))]);
			const again = commitOf(record42('old', 1), { expectedRevision: 1 });
			expect(await commit(under.store, [again])).toEqual(['committed']);
			expect(await linkOfKey(under.store, '42')).toBe('new');
			expect((await loadLink(under.store, 'old'))?.state.keys).toEqual({ crm: { id: '42' } });
		});

		test('two generations in one request both win when the older comes first', async () => {
			const both = [commitOf(record42('old', 1)), commitOf(record42('new', 2))];
			expect(await commit(under.store, both)).toEqual(['committed', 'committed']);
			expect(await linkOfKey(under.store, '42')).toBe('new');
		});

		test('a key claimed twice in one request goes to the first, when no newer generation claims it', async () => {
			const both = [
				commitOf(record42('a', 2)),
				commitOf(record42('b', 2)),
				commitOf(record42('c', 1)),
			];
			expect(await commit(under.store, both)).toEqual(['committed', 'conflict', 'conflict']);
			expect(await linkOfKey(under.store, '42')).toBe('a');
		});

		test('a key still leads to the link that gave it up, until another link takes it', async () => {
			await commit(under.store, [commitOf(record42('moved', 1))]);
			const moved = link('moved', { keys: { crm: { id: '43' } } });
			await commit(under.store, [commitOf(moved, { expectedRevision: 1 })]);
			expect(await linkOfKey(under.store, '42')).toBe('moved');
			expect(await linkOfKey(under.store, '43')).toBe('moved');
			expect(await commit(under.store, [commitOf(record42('next', 1))])).toEqual(['committed']);
			expect(await linkOfKey(under.store, '42')).toBe('next');
			const back = commitOf(record42('moved', 1), { expectedRevision: 2 });
			expect(await commit(under.store, [back])).toEqual(['conflict']);
		});

		test('of 20 links that concurrently claim one match key exactly one wins', async () => {
			const results = await Promise.all(
				Array.from({ length: 20 }, (_, n) =>
					commit(under.store, [commitOf(link(`l${n}`), { claims: [`own-${n}`, 'shared'] })]),
				),
			);
			const winner = results.findIndex(([result]) => result === 'committed');
			expect(results.filter(([result]) => result === 'committed')).toHaveLength(1);
			expect(await linkOfMatch(under.store, 'shared')).toBe(`l${winner}`);
			expect((await loadLink(under.store, `l${winner}`))?.matches).toEqual([
				`own-${winner}`,
				'shared',
			]);
			expect(await linkOfMatch(under.store, `own-${(winner + 1) % 20}`)).toBeUndefined();
		});

		test('a match key stays with its link, which may claim it again and more', async () => {
			await commit(under.store, [commitOf(link('l1'), { claims: ['m'] })]);
			const taker = commitOf(link('l2', { generation: 5 }), { claims: ['m'] });
			expect(await commit(under.store, [taker])).toEqual(['conflict']);
			const again = commitOf(link('l1'), { expectedRevision: 1, claims: ['m', 'n', 'n'] });
			expect(await commit(under.store, [again])).toEqual(['committed']);
			expect((await loadLink(under.store, 'l1'))?.matches).toEqual(['m', 'n']);
			const silent = commitOf(link('l1'), { expectedRevision: 2 });
			await commit(under.store, [silent]);
			expect((await loadLink(under.store, 'l1'))?.matches).toEqual(['m', 'n']);
		});

		test('a match key claimed twice in one request goes to the first', async () => {
			const both = [
				commitOf(link('l1'), { claims: ['m'] }),
				commitOf(link('l2'), { claims: ['m'] }),
			];
			expect(await commit(under.store, both)).toEqual(['committed', 'conflict']);
		});

		test('a released match key is free for the next commit, not for one of the same request', async () => {
			await commit(under.store, [commitOf(link('l1'), { claims: ['m', 'n'] })]);
			const release = commitOf(link('l1'), { expectedRevision: 1, releases: ['m', 'unknown'] });
			const taker = commitOf(link('l2'), { claims: ['m'] });
			expect(await commit(under.store, [release, taker])).toEqual(['committed', 'conflict']);
			expect(await linkOfMatch(under.store, 'm')).toBeUndefined();
			expect((await loadLink(under.store, 'l1'))?.matches).toEqual(['n']);
			expect(await commit(under.store, [taker])).toEqual(['committed']);
			expect(await linkOfMatch(under.store, 'm')).toBe('l2');
		});

		test('only the holder can release a match key, and only with a commit that wins', async () => {
			await commit(under.store, [commitOf(link('l1'), { claims: ['m'] })]);
			const late = commitOf(link('l1'), { expectedRevision: 7, releases: ['m'] });
			const stranger = commitOf(link('l2'), { releases: ['m'] });
			expect(await commit(under.store, [late, stranger])).toEqual(['conflict', 'committed']);
			expect(await linkOfMatch(under.store, 'm')).toBe('l1');
			expect((await loadLink(under.store, 'l1'))?.matches).toEqual(['m']);
		});

		test('what is released and claimed at once is held', async () => {
			await commit(under.store, [commitOf(link('l1'), { claims: ['m'] })]);
			const both = { expectedRevision: 1, claims: ['m'], releases: ['m'] };
			expect(await commit(under.store, [commitOf(link('l1'), both)])).toEqual(['committed']);
			expect(await linkOfMatch(under.store, 'm')).toBe('l1');
		});

		test('the same match key of another entity is another one', async () => {
			const order = link('l2', { entity: 'order' });
			const both = [commitOf(link('l1'), { claims: ['m'] }), commitOf(order, { claims: ['m'] })];
			expect(await commit(under.store, both)).toEqual(['committed', 'committed']);
		});

		test.each([
			['with quotes and backslashes', `{"a":"\\"'{}"}`],
			['with a NUL', 'a\0b'],
			['with half a surrogate pair', 'a\ud800'],
			['of 10,000 characters', 'x'.repeat(10_000)],
			['of 10,000 other characters', `${'x'.repeat(9_999)}y`],
			['that look like hashes', `sha256:${'0'.repeat(64)}`],
		])('keys and match keys %s are told apart and come back whole', async (_name, text) => {
			const keys = { crm: { id: text } };
			await commit(under.store, [
				commitOf(link('l1', { keys }), { claims: [text] }),
				commitOf(link('l2', { keys: { crm: { id: `${text}2` } } }), { claims: [`${text}2`] }),
			]);
			const key = { system: 'crm', entity: 'customer', key: keys.crm };
			const { links } = await under.store.load({ policy: POLICY, keys: [key] });
			expect(links).toMatchObject([{ state: { id: 'l1', keys }, matches: [text] }]);
			expect(await linkOfMatch(under.store, text)).toBe('l1');
			expect(await linkOfMatch(under.store, `${text}2`)).toBe('l2');
		});
	});
}
