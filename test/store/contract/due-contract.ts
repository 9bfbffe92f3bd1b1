import type { LeaseRequest } from '../../../src/store/sync-store';
import {
	commit,
	commitOf,
	GRACE_MS,
	link,
	type OpenStore,
	POLICY,
	type StoreUnderTest,
} from './store-under-test';

/** Delays are spread by up to a fifth either way. */
const SURELY = 1.21;
const SURELY_NOT_YET = 0.79;

/** The sweep: what is due is offered, to one caller, after growing delays. */
export function describeDueLinks(open: OpenStore): void {
	describe('due links', () => {
		let under: StoreUnderTest;
		beforeEach(async () => {
			under = await open();
		});
		afterEach(() => under.close());

		/** @returns the ids of the links leased */
		async function lease(request: Partial<LeaseRequest> = {}): Promise<string[]> {
			const leased = await under.store.leaseDue({
				policy: POLICY,
				limit: 100,
				delayMs: 60_000,
				maxDelayMs: 240_000,
				...request,
			});
			return leased.map(({ state }) => state.id);
		}

		test('a due link is offered after a grace, with its state, and not again before its delay is over', async () => {
			const state = link('l1', { numbers: { crm: 3 } });
			await commit(under.store, [commitOf(state)]);
			expect(await lease()).toEqual([]);
			await under.elapse(GRACE_MS);
			const request = { policy: POLICY, limit: 10, delayMs: 60_000, maxDelayMs: 60_000 };
			expect(await under.store.leaseDue(request)).toEqual([{ state, unattempted: 1 }]);
			await under.elapse(60_000 * SURELY_NOT_YET);
			expect(await lease()).toEqual([]);
			await under.elapse(60_000 * (SURELY - SURELY_NOT_YET));
			expect(await lease()).toEqual(['l1']);
		});

		test('links that are settled, and those of other policies, are never offered', async () => {
			await commit(under.store, [commitOf(link('settled'), { due: false })]);
			await commit(under.store, [commitOf(link('l1'))], { policy: 'other' });
			await under.elapse(1_000 * GRACE_MS);
			expect(await lease()).toEqual([]);
		});

		test('the oldest come first, up to the limit', async () => {
			for (const id of ['c', 'a', 'b']) {
				await commit(under.store, [commitOf(link(id))]);
				await under.elapse(1_000);
			}
			await under.elapse(GRACE_MS);
			expect(await lease({ limit: 2 })).toEqual(['c', 'a']);
			expect(await lease({ limit: 2 })).toEqual(['b']);
		});

		test('the delay doubles with each wake up to the greatest one', async () => {
			await commit(under.store, [commitOf(link('l1'))]);
			await under.elapse(GRACE_MS);
			expect(await lease()).toEqual(['l1']);
			for (const delay of [60_000, 120_000, 240_000, 240_000]) {
				await under.elapse(delay * SURELY_NOT_YET);
				expect(await lease()).toEqual([]);
				await under.elapse(delay * (SURELY - SURELY_NOT_YET));
				expect(await lease()).toEqual(['l1']);
			}
		});

		test('a link woken a thousand times still has a delay', async () => {
			await commit(under.store, [commitOf(link('l1'))]);
			await under.elapse(GRACE_MS);
			for (let wake = 0; wake < 1_100; wake++) {
				expect(await lease({ delayMs: 0, maxDelayMs: 0 })).toEqual(['l1']);
			}
			expect(await lease()).toEqual(['l1']);
			await under.elapse(240_000 * SURELY_NOT_YET);
			expect(await lease()).toEqual([]);
			await under.elapse(240_000);
			expect(await lease()).toEqual(['l1']);
		});

		test('a commit that leaves the link due starts the delays anew', async () => {
			await commit(under.store, [commitOf(link('l1'))]);
			await under.elapse(GRACE_MS);
			expect(await lease({ delayMs: 1_000_000, maxDelayMs: 1_000_000 })).toEqual(['l1']);
			await commit(under.store, [commitOf(link('l1'), { expectedRevision: 1 })]);
			await under.elapse(GRACE_MS);
			expect(await lease()).toEqual(['l1']);
			await under.elapse(60_000 * SURELY);
			expect(await lease()).toEqual(['l1']);
		});

		test('a commit that settles the link ends the offers', async () => {
			await commit(under.store, [commitOf(link('l1'))]);
			await commit(under.store, [commitOf(link('l1'), { expectedRevision: 1, due: false })]);
			await under.elapse(1_000 * GRACE_MS);
			expect(await lease()).toEqual([]);
		});

		test('wakes are counted until a commit or a noted attempt, which leaves the delay as it is', async () => {
			const request = { policy: POLICY, limit: 1, delayMs: 60_000, maxDelayMs: 240_000 };
			const wake = async () => {
				await under.elapse(240_000 * SURELY);
				return (await under.store.leaseDue(request))[0]?.unattempted;
			};
			await commit(under.store, [commitOf(link('l1'))]);
			expect([await wake(), await wake(), await wake()]).toEqual([1, 2, 3]);
			await under.store.noteAttempts(POLICY, ['l1', 'unknown']);
			await under.elapse(60_000 * SURELY);
			expect(await lease()).toEqual([]);
			expect(await wake()).toBe(1);
			await commit(under.store, [commitOf(link('l1'), { expectedRevision: 1 })]);
			expect(await wake()).toBe(1);
		});

		test('of concurrent sweeps each due link goes to exactly one', async () => {
			const ids = Array.from({ length: 50 }, (_, n) => `l${n}`);
			await commit(
				under.store,
				ids.map((id) => commitOf(link(id))),
			);
			await under.elapse(GRACE_MS);
			const leased = await Promise.all(Array.from({ length: 10 }, () => lease({ limit: 20 })));
			const rest = await lease();
			expect([...leased.flat(), ...rest].sort()).toEqual([...ids].sort());
		});

		test('a lease does not make a commit lose', async () => {
			await commit(under.store, [commitOf(link('l1'))]);
			await under.elapse(GRACE_MS);
			await lease();
			expect(await commit(under.store, [commitOf(link('l1'), { expectedRevision: 1 })])).toEqual([
				'committed',
			]);
		});
	});
}
