import type { TakeRequest } from '../../../src/store/token-bucket';
import type { OpenStore, StoreUnderTest } from './store-under-test';

/** Ten at once, one every ten seconds: so slow that no test is too slow for it. */
const RATE = { capacity: 10, perSecond: 0.1 };

/** How fast a target may be written to. */
export function describeBuckets(open: OpenStore): void {
	describe('buckets', () => {
		let under: StoreUnderTest;
		beforeEach(async () => {
			under = await open();
		});
		afterEach(() => under.close());

		const ask = (wanted: number, changes: Partial<TakeRequest> = {}) => ({ bucket: 'crm', wanted, rate: RATE, ...changes });

		async function take(wanted: number, changes: Partial<TakeRequest> = {}) {
			const [taken] = await under.store.take([ask(wanted, changes)]);
			return taken!;
		}

		test('give what they hold, and say when there is more', async () => {
			expect(await take(4)).toEqual({ granted: 4, waitMs: 0 });
			const taken = await take(9);
			expect(taken.granted).toBe(6);
			expect(taken.waitMs).toBeGreaterThan(9_000);
			expect(taken.waitMs).toBeLessThanOrEqual(10_000);
			expect(await take(1)).toMatchObject({ granted: 0 });
		});

		test('fill up again with time, and never beyond their capacity', async () => {
			await take(10);
			await under.elapse(20_000);
			expect((await take(5)).granted).toBe(2);
			await under.elapse(3_600_000);
			expect((await take(99)).granted).toBe(10);
		});

		test('who waits for as long as it was told gets one', async () => {
			await take(10);
			for (let round = 0; round < 3; round++) {
				const { granted, waitMs } = await take(1);
				expect(granted).toBe(0);
				await under.elapse(waitMs);
				expect((await take(1)).granted).toBe(1);
			}
		});

		test('of many that ask at once no more get one than there are', async () => {
			const another = await under.another();
			const asked = Array.from({ length: 30 }, (_, n) => (n % 2 ? another : under.store).take([ask(1)]));
			const granted = (await Promise.all(asked)).flat().reduce((sum, taken) => sum + taken.granted, 0);
			expect(granted).toBe(10);
		});

		test('without a rate give everything, and are paused all the same', async () => {
			expect(await take(1_000, { rate: null })).toEqual({ granted: 1_000, waitMs: 0 });
			await under.store.pause('crm', 60_000);
			const taken = await take(3, { rate: null });
			expect(taken.granted).toBe(0);
			expect(taken.waitMs).toBeGreaterThan(50_000);
			expect(taken.waitMs).toBeLessThanOrEqual(60_000);
			await under.elapse(60_000);
			expect((await take(3, { rate: null })).granted).toBe(3);
		});

		test('a pause ends with an empty bucket, and a shorter one after it changes nothing', async () => {
			await under.store.pause('crm', 60_000);
			await under.store.pause('crm', 10_000);
			await under.elapse(30_000);
			expect((await take(1)).granted).toBe(0);
			await under.elapse(30_000);
			expect((await take(5)).granted).toBe(0);
			await under.elapse(20_000);
			expect((await take(5)).granted).toBe(2);
		});

		test('are each their own, whatever their names', async () => {
			const names = ['', ' ', "'", 'a\0b', 'a\ud800', 'ü', 'x'.repeat(10_000), 'crm'];
			await take(10);
			const taken = await under.store.take(names.map((bucket) => ask(10, { bucket })));
			expect(taken.map(({ granted }) => granted)).toEqual([...Array(names.length - 1).fill(10), 0]);
			expect(await under.store.take([])).toEqual([]);
		});

		test('a bucket that is asked twice in one request gives what is left', async () => {
			const taken = await under.store.take([ask(7), ask(1, { bucket: 'a' }), ask(7)]);
			expect(taken.map(({ granted }) => granted)).toEqual([7, 1, 3]);
		});

		test('callers that name the same buckets in any order do not wait for each other for ever', async () => {
			const names = Array.from({ length: 20 }, (_, n) => `b${n}`);
			const orders = Array.from({ length: 10 }, (_, n) => (n % 2 ? names : [...names].reverse()));
			const all = await Promise.all(
				orders.map((order) => under.store.take(order.map((bucket) => ask(1, { bucket })))),
			);
			expect(all.flat().every(({ granted }) => granted === 1)).toBe(true);
		});
	});
}
