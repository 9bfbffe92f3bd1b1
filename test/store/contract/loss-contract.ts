import type { SyncStore } from '../../../src/store/sync-store';
import { waitUntil } from '../../support/wait-until';
import { at, commit, commitOf, link, loadLink, note, POLICY, review, stream } from './store-under-test';

/** A store on a server of its own, and what may become of that. */
export interface LosableStore {
	readonly store: SyncStore;
	/** Another client, as of a process that starts. */
	another(): Promise<SyncStore>;
	/** Kills the server, and starts it with the files that are there. */
	restart(): Promise<void>;
	/** Forgets all data, with the server running. */
	lose(): Promise<void>;
	close(): Promise<void>;
}

const FIRST = { name: POLICY, document: { policy: POLICY }, hash: 'h1', by: 'ann', initialMode: 'live' as const };
const ADVANCE = { system: 'crm', from: at(0), to: at(7) };

/** What is left after a server was killed, and what is said when nothing is. */
export function describeLoss(name: string, open: () => Promise<LosableStore>): void {
	describe(`${name} whose server fails`, () => {
		let under: LosableStore;
		beforeEach(async () => {
			under = await open();
			await under.store.migrate();
		});
		afterEach(() => under.close());

		/** As a worker does: again, until the server is back. */
		const patiently = async <T>(work: () => Promise<T>): Promise<T> => {
			let found: { readonly value: T } | null = null;
			await waitUntil('the store to answer again', async () => {
				found = await work().then(
					(value) => ({ value }),
					(error: { code?: string }) => {
						if (error.code !== 'STORE_UNREACHABLE') throw error;
						return null;
					},
				);
				return found !== null;
			});
			return (found as unknown as { readonly value: T }).value;
		};

		async function fill(): Promise<{ token: number }> {
			const { store } = under;
			await store.publishPolicy(FIRST);
			await store.registerStream(stream());
			await store.recordAcknowledged({ policy: POLICY, system: 'crm' }, '0/5');
			const first = commitOf(link('l1'), {
				claims: ['m'],
				journal: [note('kept')],
				reviews: [{ action: 'open', item: review('l1.1') }],
			});
			await commit(store, [first], { advance: ADVANCE });
			const [claimed] = await store.claim({ scope: 's', keys: ['k'], leaseMs: 600_000 });
			if (claimed?.state !== 'new') throw new Error('the key is taken');
			return claimed;
		}

		test('everything that was answered before the server was killed is there when it is back', async () => {
			const { token } = await fill();
			const before = await under.store.load({ policy: POLICY, links: ['l1'] });
			await under.restart();
			const after = await patiently(() => under.store.load({ policy: POLICY, links: ['l1'] }));
			// A start may begin an epoch: whether the server lost something is not for it to know.
			const epoch = after.policy?.epoch ?? 0;
			expect(epoch).toBeGreaterThanOrEqual(before.policy?.epoch ?? Infinity);
			expect(after).toEqual({ ...before, policy: before.policy && { ...before.policy, epoch } });
			expect((await under.store.readJournal({ policy: POLICY, limit: 9 })).map(({ entry }) => entry)).toEqual([note('kept')]);
			expect((await under.store.listReviews({ limit: 9 })).map(({ id }) => id)).toEqual(['l1.1']);
			expect(await under.store.claim({ scope: 's', keys: ['k'], leaseMs: 1 })).toEqual([{ state: 'in-progress' }]);
			expect(await under.store.complete([{ scope: 's', key: 'k', token }], 60_000)).toEqual([true]);
			expect(await commit(under.store, [commitOf(link('l1'), { expectedRevision: 1 })])).toEqual(['committed']);
		});

		test('while the server is down, that is what is said', async () => {
			await fill();
			const down = under.restart();
			const answers = await Promise.allSettled(Array.from({ length: 5 }, () => under.store.load({ policy: POLICY })));
			for (const answer of answers) {
				if (answer.status === 'rejected') expect(answer.reason).toMatchObject({ code: 'STORE_UNREACHABLE' });
			}
			await down;
			expect((await patiently(() => under.store.load({ policy: POLICY }))).policy).toMatchObject({ version: 1 });
		});

		test('a store that has lost its data says so, to whoever used it and to nobody else', async () => {
			await fill();
			await under.lose();
			await expect(under.store.load({ policy: POLICY, links: ['l1'] })).rejects.toMatchObject({ code: 'STORE_LOST' });
			const late = commit(under.store, [commitOf(link('l1'), { expectedRevision: 1 })], { advance: ADVANCE });
			await expect(late).rejects.toMatchObject({ code: expect.stringMatching(/^STORE_LOST|STREAM_UNKNOWN$/) as string });
			const starting = await under.another();
			await starting.migrate();
			expect(await starting.load({ policy: POLICY, links: ['l1'] })).toEqual({ policy: null, streams: {}, links: [] });
			await expect(starting.recordAcknowledged({ policy: POLICY, system: 'crm' }, '0/6')).rejects.toMatchObject({ code: 'STREAM_UNKNOWN' });
		});

		test('after that, whoever migrates and publishes begins anew, in another store than before', async () => {
			const { token } = await fill();
			const before = (await under.store.load({ policy: POLICY })).policy;
			await under.lose();
			await under.store.migrate();
			const after = await under.store.publishPolicy({ ...FIRST, initialMode: 'first-contact' });
			expect(after).toMatchObject({ version: 1, mode: 'first-contact' });
			expect(after.storeId).not.toBe(before?.storeId);
			expect(after.macKey).not.toBe(before?.macKey);
			expect(await loadLink(under.store, 'l1')).toBeUndefined();
			expect(await under.store.claim({ scope: 's', keys: ['k'], leaseMs: 60_000 })).toMatchObject([{ state: 'new' }]);
			expect(await under.store.complete([{ scope: 's', key: 'k', token: token + 1_000_000_000 }], 1)).toEqual([false]);
		});
	});
}
