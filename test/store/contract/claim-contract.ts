import { type OpenStore, type StoreUnderTest } from './store-under-test';

const LEASE_MS = 60_000;

/** The Guard's claims: one winner, leases, fencing tokens. */
export function describeClaims(open: OpenStore): void {
	describe('claims', () => {
		let under: StoreUnderTest;
		beforeEach(async () => {
			under = await open();
		});
		afterEach(() => under.close());

		async function claim(...keys: string[]) {
			return await under.store.claim({ scope: 'guard', keys, leaseMs: LEASE_MS });
		}

		/** The claim of a key that is known to be free. */
		async function held(key: string) {
			const [claimed] = await claim(key);
			if (claimed?.state !== 'new') throw new Error(`${key} is taken`);
			return { scope: 'guard', key, token: claimed.token };
		}

		test('of 20 concurrent claims exactly one wins', async () => {
			const claims = (await Promise.all(Array.from({ length: 20 }, () => claim('k')))).flat();
			expect(claims.filter(({ state }) => state === 'new')).toHaveLength(1);
			expect(claims.filter(({ state }) => state === 'in-progress')).toHaveLength(19);
		});

		test('concurrent claims of the same keys in any order do not deadlock', async () => {
			const keys = Array.from({ length: 1_000 }, (_, n) => `k${n}`);
			const racing = Array.from({ length: 10 }, (_, n) =>
				claim(...(n % 2 === 0 ? keys : [...keys].reverse())),
			);
			const claims = (await Promise.all(racing)).flat();
			expect(claims.filter(({ state }) => state === 'new')).toHaveLength(1_000);
		});

		test('answers come in the order of the keys, and a key asked for twice is claimed once', async () => {
			await claim('b');
			const states = (await claim('c', 'b', 'a', 'c')).map(({ state }) => state);
			expect(states).toEqual(['new', 'in-progress', 'new', 'in-progress']);
			expect(await claim()).toEqual([]);
		});

		test('the same key of another scope is another one', async () => {
			await claim('k');
			expect(await under.store.claim({ scope: 'other', keys: ['k'], leaseMs: 1 })).toMatchObject([
				{ state: 'new' },
			]);
		});

		test('a claim whose lease ran out can be claimed again, with a greater token', async () => {
			const first = await held('k');
			await under.elapse(LEASE_MS - 10_000);
			expect(await claim('k')).toEqual([{ state: 'in-progress' }]);
			await under.elapse(10_000);
			const second = await held('k');
			expect(second.token).toBeGreaterThan(first.token);
			expect(await under.store.complete([first], 1_000)).toEqual([false]);
			expect(await under.store.release([first])).toEqual([false]);
			expect(await claim('k')).toEqual([{ state: 'in-progress' }]);
			expect(await under.store.complete([second], 1_000)).toEqual([true]);
		});

		test('a completed claim is a duplicate until its retention is over', async () => {
			const first = await held('k');
			expect(await under.store.complete([first], 500_000)).toEqual([true]);
			await under.elapse(LEASE_MS * 2);
			expect(await claim('k')).toEqual([{ state: 'duplicate' }]);
			await under.elapse(500_000);
			expect((await held('k')).token).toBeGreaterThan(first.token);
		});

		test('of concurrent claims after the retention one wins, and for nobody it is still a duplicate', async () => {
			for (let round = 0; round < 10; round++) {
				await under.store.complete([await held('k')], 500_000);
				await under.elapse(500_000);
				const claims = (await Promise.all(Array.from({ length: 10 }, () => claim('k')))).flat();
				expect(claims.map(({ state }) => state).sort()).toEqual([
					...Array(9).fill('in-progress'),
					'new',
				]);
				await under.elapse(LEASE_MS);
			}
		});

		test('completing again is the same, and a completed claim cannot be given back', async () => {
			const first = await held('k');
			await under.store.complete([first], 500_000);
			expect(await under.store.complete([first], 500_000)).toEqual([true]);
			expect(await under.store.release([first])).toEqual([false]);
			expect(await claim('k')).toEqual([{ state: 'duplicate' }]);
		});

		test('a lapsed lease that nobody took is still its holder’s to complete', async () => {
			const first = await held('k');
			await under.elapse(LEASE_MS * 2);
			expect(await under.store.complete([first], 500_000)).toEqual([true]);
			expect(await claim('k')).toEqual([{ state: 'duplicate' }]);
		});

		test('a released claim is new for the next caller, and no longer its old holder’s', async () => {
			const first = await held('k');
			expect(await under.store.release([first])).toEqual([true]);
			expect(await under.store.complete([first], 1_000)).toEqual([false]);
			expect((await held('k')).token).toBeGreaterThan(first.token);
		});

		test('many claims are completed and released at once, each with its own answer', async () => {
			const [a, b] = [await held('a'), await held('b')];
			const stranger = { ...b, token: b.token + 1_000 };
			const unknown = { scope: 'guard', key: 'unknown', token: 1 };
			expect(await under.store.complete([stranger, a, unknown], 500_000)).toEqual([
				false,
				true,
				false,
			]);
			expect(await under.store.release([a, b])).toEqual([false, true]);
			expect(await under.store.complete([], 1)).toEqual([]);
			expect(await under.store.release([])).toEqual([]);
		});

		test('tokens keep growing after claims were forgotten', async () => {
			const first = await held('k');
			await under.elapse(LEASE_MS + 10 * 3_600_000);
			await claim('another');
			expect((await held('k')).token).toBeGreaterThan(first.token);
		});

		test('keys and scopes may be any text', async () => {
			const odd = [
				'',
				' ',
				"'",
				'"',
				'a\0b',
				'a\ud800',
				'a\udc00',
				'ü',
				'x'.repeat(10_000),
				`sha256:${'0'.repeat(64)}`,
			];
			for (const scope of odd) {
				const claims = await under.store.claim({ scope, keys: odd, leaseMs: LEASE_MS });
				expect(claims.map(({ state }) => state)).toEqual(odd.map(() => 'new'));
			}
		});
	});
}
