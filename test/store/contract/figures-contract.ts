import type { Sample } from '../../../src/store/store-figures';
import { commit, commitOf, GRACE_MS, link, note, type OpenStore, POLICY, review, type StoreUnderTest } from './store-under-test';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** What a look at the health of a policy is made of. */
export function describeFigures(open: OpenStore): void {
	let under: StoreUnderTest;
	beforeEach(async () => {
		under = await open();
	});
	afterEach(() => under.close());

	describe('figures', () => {
		const figures = async (afterSeq?: string) => await under.store.figures({ policy: POLICY, ...(afterSeq === undefined ? {} : { afterSeq }) });

		test('are all nothing in a store that knows none', async () => {
			const { nowMs, ...rest } = await figures();
			expect(nowMs).toBeGreaterThan(0);
			expect(rest).toEqual({ due: { count: 0, waiting: [] }, reviews: [], journal: { lastSeq: '0', counts: {} } });
			expect((await figures('0')).journal).toEqual({ lastSeq: '0', counts: {} });
		});

		test('tell what waits, the most often offered first, and what is under way', async () => {
			const op = { id: 'o', link: 'b', system: 'billing', fields: {} } as never;
			const states = [link('a'), link('b', { inFlight: { crm: op, billing: op } })];
			await commit(under.store, [...states.map((state) => commitOf(state)), commitOf(link('settled'), { due: false })]);
			await commit(under.store, [commitOf(link('x'))], { policy: 'other' });
			await under.elapse(GRACE_MS);
			const lease = { policy: POLICY, delayMs: 60_000, maxDelayMs: 60_000 };
			await under.store.leaseDue({ ...lease, limit: 1 });
			const { nowMs, due } = await figures();
			expect(due).toMatchObject({ count: 2, waiting: [{ wakes: 1, inFlight: [] }, { wakes: 0, inFlight: ['billing', 'crm'] }] });
			expect(due.waiting[0]!.wakeAtMs - nowMs).toBeGreaterThan(40_000);
			expect(nowMs - due.waiting[1]!.wakeAtMs).toBeGreaterThanOrEqual(0);
			expect(nowMs - due.waiting[1]!.wakeAtMs).toBeLessThan(40_000);
		});

		test('count open questions by kind, with the time of the oldest', async () => {
			const changes = [review('r1'), review('r2', { kind: 'failure' })].map((item) => ({ action: 'open', item }) as const);
			await under.store.changeReviews(POLICY, changes);
			await under.store.changeReviews(POLICY, [{ action: 'open', item: review('r3') }, { action: 'close', id: 'r2', how: 'dismissed', by: 'me' }]);
			const { reviews, nowMs } = await figures();
			expect(reviews).toMatchObject([{ kind: 'conflict', count: 2 }]);
			expect(nowMs - reviews[0]!.oldestAtMs).toBeGreaterThanOrEqual(0);
			expect(nowMs - reviews[0]!.oldestAtMs).toBeLessThan(40_000);
		});

		test('count what the journal got since the last look, each entry once', async () => {
			await commit(under.store, [commitOf(link('a'), { journal: [note('1'), { kind: 'op', detail: {} }, note('2')] })]);
			const first = await figures();
			expect(first.journal.counts).toEqual({});
			expect((await figures('0')).journal).toEqual({ lastSeq: first.journal.lastSeq, counts: { warning: 2, op: 1 } });
			await commit(under.store, [commitOf(link('x'), { journal: [note('other')] })], { policy: 'other' });
			expect((await figures(first.journal.lastSeq)).journal).toEqual({ lastSeq: first.journal.lastSeq, counts: {} });
			await commit(under.store, [commitOf(link('b'), { journal: [note('3')] })]);
			const { journal } = await figures(first.journal.lastSeq);
			expect(journal.counts).toEqual({ warning: 1 });
			expect((await figures(journal.lastSeq)).journal.counts).toEqual({});
		});

		test('count thousands of entries', async () => {
			const journal = Array.from({ length: 2_500 }, (_, n) => note(String(n)));
			await commit(under.store, [commitOf(link('a'), { journal })]);
			expect((await figures('0')).journal.counts).toEqual({ warning: 2_500 });
		});
	});

	describe('samples', () => {
		const minute = (series: string, atMs: number, values: Sample['values'] = { n: 1 }): Sample => ({ series, grain: 'minute', atMs, values });
		const now = async (): Promise<number> => (await under.store.figures({ policy: POLICY })).nowMs;

		test('come back by series and time, from a time on', async () => {
			const at = await now();
			const samples = [minute('system:crm', at), minute('policy', at), minute('policy', at - 60_000, { é: [null, '', -1.5] })];
			await under.store.keepSamples(POLICY, samples);
			const all = [samples[2], samples[1], samples[0]];
			expect(await under.store.readSamples({ policy: POLICY, grain: 'minute' })).toEqual(all);
			expect(await under.store.readSamples({ policy: POLICY, grain: 'minute', series: 'policy', fromMs: at })).toEqual([samples[1]]);
			expect(await under.store.readSamples({ policy: POLICY, grain: 'hour' })).toEqual([]);
			expect(await under.store.readSamples({ policy: 'other', grain: 'minute' })).toEqual([]);
		});

		test('a later one takes the place of an earlier one of the same time', async () => {
			const at = await now();
			await under.store.keepSamples(POLICY, [minute('policy', at, 1)]);
			await under.store.keepSamples(POLICY, [minute('policy', at, 2)]);
			expect(await under.store.readSamples({ policy: POLICY, grain: 'minute' })).toEqual([minute('policy', at, 2)]);
		});

		test('are forgotten after a week by the minute, after three months by the hour, and the last one never', async () => {
			const at = await now();
			const kept = { series: 'policy', values: 1 } as const;
			await under.store.keepSamples(POLICY, [{ ...kept, grain: 'minute', atMs: at }, { ...kept, grain: 'hour', atMs: at }, { ...kept, grain: 'last', atMs: 0 }]);
			const counts = async () => await Promise.all((['minute', 'hour', 'last'] as const).map(async (grain) => (await under.store.readSamples({ policy: POLICY, grain })).length));
			await under.elapse(8 * DAY_MS);
			const later = await now();
			await under.store.keepSamples(POLICY, [{ ...kept, grain: 'minute', atMs: later }, { ...kept, grain: 'hour', atMs: later }]);
			expect(await counts()).toEqual([1, 2, 1]);
			await under.elapse(85 * DAY_MS);
			const last = await now();
			await under.store.keepSamples(POLICY, [{ ...kept, grain: 'minute', atMs: last }, { ...kept, grain: 'hour', atMs: last }]);
			expect(await counts()).toEqual([1, 2, 1]);
		});
	});
}
