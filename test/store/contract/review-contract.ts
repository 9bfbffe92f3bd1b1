import type { JournalEntry } from '../../../src/core/journal';
import type { StoredReview } from '../../../src/core/review';
import {
	commit,
	commitOf,
	link,
	note,
	type OpenStore,
	POLICY,
	review,
	type StoreUnderTest,
} from './store-under-test';

/** What people look at: the review queue and the journal. */
export function describeReviewsAndJournal(open: OpenStore): void {
	let under: StoreUnderTest;
	beforeEach(async () => {
		under = await open();
	});
	afterEach(() => under.close());

	async function only(): Promise<StoredReview> {
		const [item, ...others] = await under.store.listReviews({ limit: 10 });
		if (!item || others.length > 0) throw new Error(`${others.length + 1} items, not one`);
		return item;
	}

	describe('review items', () => {
		test('an item is opened with the commit of its link, and closed with another', async () => {
			const opening = [{ action: 'open', item: review('l1.1') }] as const;
			await commit(under.store, [commitOf(link('l1'), { reviews: opening })]);
			const opened = await only();
			expect(opened).toEqual({
				...review('l1.1'),
				state: 'open',
				openedAtMs: expect.any(Number) as number,
				updatedAtMs: opened.openedAtMs,
				closedBy: null,
			});
			const closing = [{ action: 'close', id: 'l1.1', how: 'resolved', by: 'ann' }] as const;
			await commit(under.store, [commitOf(link('l1'), { expectedRevision: 1, reviews: closing })]);
			expect(await only()).toMatchObject({ ...review('l1.1'), state: 'resolved', closedBy: 'ann' });
		});

		test('opening an open item again refreshes it and keeps its age', async () => {
			await under.store.changeReviews(POLICY, [{ action: 'open', item: review('r') }]);
			const before = await only();
			await under.elapse(1_000);
			const item = review('r', {
				token: 't2',
				reason: 'other',
				fields: ['a', 'b'],
				detail: [null],
			});
			await under.store.changeReviews(POLICY, [{ action: 'open', item }]);
			const after = await only();
			expect(after).toMatchObject({ ...item, state: 'open', openedAtMs: before.openedAtMs });
			expect(after.updatedAtMs).toBeGreaterThanOrEqual(before.updatedAtMs);
		});

		test('closing a closed or unknown item changes nothing', async () => {
			await under.store.changeReviews(POLICY, [
				{ action: 'open', item: review('r') },
				{ action: 'close', id: 'r', how: 'dismissed', by: 'ann' },
			]);
			const closed = await only();
			await under.store.changeReviews(POLICY, [
				{ action: 'close', id: 'r', how: 'resolved', by: 'bob' },
				{ action: 'close', id: 'unknown', how: 'resolved', by: 'bob' },
			]);
			expect(await only()).toEqual(closed);
			expect(closed).toMatchObject({ state: 'dismissed', closedBy: 'ann' });
		});

		test('changes of one item in one request are made in their order', async () => {
			await under.store.changeReviews(POLICY, [
				{ action: 'open', item: review('r') },
				{ action: 'close', id: 'r', how: 'superseded', by: 'sync' },
				{ action: 'open', item: review('r', { token: 't2' }) },
			]);
			expect(await only()).toMatchObject({ state: 'open', token: 't2', closedBy: null });
		});

		test('items are listed by what they are about, oldest first, page by page', async () => {
			const open = async (
				id: string,
				changes: Parameters<typeof review>[1] = {},
				policy = POLICY,
			) => {
				const item = review(id, { ...changes, policy });
				await under.store.changeReviews(policy, [{ action: 'open', item }]);
				await under.elapse(10);
			};
			await open('c');
			await open('a', { kind: 'failure', link: 'l2' });
			await open('b', { kind: 'approval', link: null, entity: null });
			await open('a', {}, 'other');
			await under.store.changeReviews(POLICY, [
				{ action: 'close', id: 'c', how: 'resolved', by: 'x' },
			]);
			const ids = async (filter: object) =>
				(await under.store.listReviews({ limit: 10, ...filter })).map(({ policy, id }) =>
					policy === POLICY ? id : `${policy}/${id}`,
				);
			expect(await ids({})).toEqual(['c', 'a', 'b', 'other/a']);
			expect(await ids({ policy: POLICY })).toEqual(['c', 'a', 'b']);
			expect(await ids({ ids: ['a'] })).toEqual(['a', 'other/a']);
			expect(await ids({ ids: ['b', 'c', 'unknown'] })).toEqual(['c', 'b']);
			expect(await ids({ ids: [] })).toEqual([]);
			expect(await ids({ link: 'l2' })).toEqual(['a']);
			expect(await ids({ kind: 'approval' })).toEqual(['b']);
			expect(await ids({ state: 'open' })).toEqual(['a', 'b', 'other/a']);
			expect(await ids({ state: 'resolved', policy: POLICY, kind: 'conflict' })).toEqual(['c']);
			expect(await ids({ limit: 2 })).toEqual(['c', 'a']);
			expect(await ids({ limit: 2, offset: 2 })).toEqual(['b', 'other/a']);
		});

		test('what has been closed for long is forgotten, never what is open', async () => {
			const close = (id: string) => ({ action: 'close', id, how: 'resolved', by: 'ann' }) as const;
			const open = (id: string, link: string | null = null) => ({ action: 'open', item: review(id, { link }) }) as const;
			await under.store.changeReviews(POLICY, [open('old'), open('older', 'l1'), open('waits'), close('old'), close('older')]);
			const purge = async (limit: number, closedForMs = 0) => await under.store.purgeReviews({ policy: POLICY, closedForMs, limit });
			expect(await purge(10, 3_600_000)).toBe(0);
			expect(await purge(1)).toBe(1);
			expect(await purge(10)).toBe(1);
			expect(await purge(10)).toBe(0);
			const left = await under.store.listReviews({ policy: POLICY, limit: 10 });
			expect(left.map(({ id }) => id)).toEqual(['waits']);
			expect(await under.store.listReviews({ policy: POLICY, link: 'l1', limit: 10 })).toEqual([]);
			await under.store.changeReviews(POLICY, [open('old')]);
			expect(await under.store.listReviews({ ids: ['old'], limit: 1 })).toMatchObject([{ state: 'open' }]);
		});

		test('concurrent changes of the same items in any order do not deadlock', async () => {
			const items = Array.from({ length: 30 }, (_, n) => ({
				action: 'open' as const,
				item: review(`r${n}`),
			}));
			await Promise.all(
				Array.from({ length: 10 }, (_, n) =>
					under.store.changeReviews(POLICY, n % 2 === 0 ? items : [...items].reverse()),
				),
			);
			expect(await under.store.listReviews({ limit: 100 })).toHaveLength(30);
		});
	});

	describe('the journal', () => {
		const read = async (filter: object = {}) =>
			await under.store.readJournal({ policy: POLICY, limit: 100, ...filter });

		test('keeps every entry in the order of the commits, with the revision it led to', async () => {
			const created: JournalEntry = {
				kind: 'created',
				generation: 1,
				entity: 'customer',
				by: 'crm',
				ambiguous: false,
			};
			await commit(under.store, [
				commitOf(link('l2'), { journal: [created, note('a')] }),
				commitOf(link('l1'), { journal: [note('b')] }),
			]);
			await commit(under.store, [
				commitOf(link('l2'), { expectedRevision: 1, journal: [note('c')] }),
			]);
			const journal = await read();
			expect(journal.map(({ link: id, revision, entry }) => [id, revision, entry])).toEqual([
				['l2', 1, created],
				['l2', 1, note('a')],
				['l1', 1, note('b')],
				['l2', 2, note('c')],
			]);
			const seqs = journal.map(({ seq }) => BigInt(seq));
			expect(seqs).toEqual([...seqs].sort((x, y) => (x < y ? -1 : 1)));
			expect(new Set(seqs).size).toBe(4);
			expect(journal.every(({ atMs }) => Number.isInteger(atMs) && atMs > 0)).toBe(true);
		});

		test('is read by link and by kind, and on from an entry', async () => {
			const conflict: JournalEntry = { kind: 'conflict', field: 'phone', detail: { a: 1 } };
			await commit(under.store, [
				commitOf(link('l1'), { journal: [note('a'), conflict, note('b')] }),
				commitOf(link('l2'), { journal: [conflict] }),
			]);
			await commit(under.store, [commitOf(link('l1'), { journal: [note('x')] })], {
				policy: 'other',
			});
			const of = async (filter: object) =>
				(await read(filter)).map(({ link: id, entry }) => [id, entry]);
			expect(await of({ link: 'l2' })).toEqual([['l2', conflict]]);
			expect(await of({ kinds: ['conflict', 'revert'] })).toEqual([
				['l1', conflict],
				['l2', conflict],
			]);
			expect(await of({ kinds: [] })).toEqual([]);
			expect(await of({ policy: 'other' })).toEqual([['l1', note('x')]]);
			const firstPage = await read({ limit: 3 });
			expect(firstPage).toHaveLength(3);
			const afterSeq = firstPage.at(-1)?.seq;
			expect(await of({ afterSeq })).toEqual([['l2', conflict]]);
			expect(await of({ afterSeq, link: 'l1' })).toEqual([]);
		});

		test('a reader who goes on after the last entry he saw misses none of concurrent commits', async () => {
			const seen: unknown[] = [];
			let afterSeq = '0';
			const follow = async () => {
				for (const { seq, link: id } of await read({ afterSeq })) {
					seen.push(id);
					afterSeq = seq;
				}
			};
			const ids = Array.from({ length: 60 }, (_, n) => `l${n}`);
			await commit(
				under.store,
				ids.map((id) => commitOf(link(id))),
			);
			const commits = ids.map(async (id) => {
				await commit(under.store, [
					commitOf(link(id), { expectedRevision: 1, journal: [note('x')] }),
				]);
				await follow();
			});
			await Promise.all(commits);
			await follow();
			expect(new Set(seen).size).toBe(60);
		});
	});
}
