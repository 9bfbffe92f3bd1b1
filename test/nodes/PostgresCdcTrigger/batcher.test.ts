import fc from 'fast-check';

import { type Batch, Batcher } from '../../../nodes/PostgresCdcTrigger/batcher';
import type { ChangeEvent } from '../../../src/core/change-event';
import { positionOf } from '../../../src/core/position';
import type { SourceTransaction } from '../../../src/postgres/source-transaction';

const transaction = (n: number): SourceTransaction => ({
	xid: n,
	commitLsn: BigInt(n) * 16n,
	endLsn: BigInt(n) * 16n + 8n,
	commitTsMs: 0,
	origin: null,
	changes: [],
});

/** The n-th transaction has sizes[n - 1] events. */
function batcherOf(sizes: readonly number[], end?: Error): Batcher {
	async function* source(): AsyncGenerator<SourceTransaction, void> {
		for (let n = 1; n <= sizes.length; n += 1) yield transaction(n);
		if (end) throw end;
	}
	return new Batcher(source(), ({ xid, commitLsn }) =>
		Array.from({ length: sizes[xid - 1] ?? 0 }, (_, index) => {
			return {
				changeId: `${xid}:${index}`,
				source: { position: positionOf(commitLsn, index) },
			} as ChangeEvent;
		}),
	);
}

/** Over a stream of transactions of one change each, which come when the test says so. */
function batcherByHand(): {
	readonly batcher: Batcher;
	readonly deliver: (value: IteratorResult<SourceTransaction, void>) => void;
} {
	let deliver: (value: IteratorResult<SourceTransaction, void>) => void = () => undefined;
	const source = {
		next: async () =>
			await new Promise<IteratorResult<SourceTransaction, void>>((r) => (deliver = r)),
	};
	const batcher = new Batcher(source, ({ commitLsn }) => [
		{ source: { position: positionOf(commitLsn, 0) } } as ChangeEvent,
	]);
	return { batcher, deliver: (value) => deliver(value) };
}

const LIMITS = { maxChanges: 10, waitMs: () => 50 };
const inAMinute = () => performance.now() + 60_000;

async function batchesOf(batcher: Batcher): Promise<Batch[]> {
	const batches: Batch[] = [];
	for (;;) {
		const batch = await batcher.take({ ...LIMITS, untilMs: inAMinute() });
		if (batch === 'end') return batches;
		if (batch) batches.push(batch);
	}
}

const shape = ({ events, transactions }: Batch) => [transactions.length, events.length];

test('transactions are gathered whole up to the limit', async () => {
	expect((await batchesOf(batcherOf([4, 4, 4, 1]))).map(shape)).toEqual([
		[2, 8],
		[2, 5],
	]);
});

test('a transaction above the limit is a batch of its own', async () => {
	expect((await batchesOf(batcherOf([1, 25, 1]))).map(shape)).toEqual([
		[1, 1],
		[1, 25],
		[1, 1],
	]);
});

test('transactions without events travel along and start no wait', async () => {
	const [batch] = await batchesOf(batcherOf([0, 3, 0]));
	expect(batch?.transactions.map(({ last }) => last !== null)).toEqual([false, true, false]);
});

test('what was gathered comes before the error that ended the stream', async () => {
	const batcher = batcherOf([1, 1], new Error('connection lost'));
	const untilMs = inAMinute();
	expect(await batcher.take({ ...LIMITS, untilMs })).toMatchObject({ transactions: [{}, {}] });
	await expect(batcher.take({ ...LIMITS, untilMs })).rejects.toThrow('connection lost');
});

test('a poke ends the wait, before any change and after some', async () => {
	const { batcher, deliver } = batcherByHand();
	const first = batcher.take({ ...LIMITS, waitMs: () => 60_000, untilMs: inAMinute() });
	batcher.poke();
	expect(await first).toBeNull();
	const second = batcher.take({ ...LIMITS, waitMs: () => 60_000, untilMs: inAMinute() });
	deliver({ done: false, value: transaction(1) });
	setImmediate(() => batcher.poke());
	expect(await second).toMatchObject({ transactions: [{}] });
});

test('how long to gather is asked when the first event is there, not when the wait for it begins', async () => {
	const { batcher, deliver } = batcherByHand();
	const waitMs = jest.fn(() => 0);
	const batch = batcher.take({ ...LIMITS, waitMs, untilMs: inAMinute() });
	expect(waitMs).not.toHaveBeenCalled();
	deliver({ done: false, value: transaction(1) });
	expect(await batch).toMatchObject({ transactions: [{}] });
	expect(waitMs).toHaveBeenCalledTimes(1);
});

test('nothing is lost, repeated or reordered, and batches are as full as they may be', async () => {
	await fc.assert(
		fc.asyncProperty(
			fc.array(fc.integer({ min: 0, max: 14 }), { maxLength: 12 }),
			async (sizes) => {
				const batches = await batchesOf(batcherOf(sizes));
				const ids = batches.flatMap(({ events }) => events.map(({ changeId }) => changeId));
				expect(ids).toEqual(
					sizes.flatMap((size, n) => Array.from({ length: size }, (_, i) => `${n + 1}:${i}`)),
				);
				expect(
					batches.flatMap(({ transactions }) => transactions.map(({ endLsn }) => endLsn)),
				).toEqual(sizes.map((_, n) => BigInt(n + 1) * 16n + 8n));
				for (const { events, transactions } of batches) {
					const whole = transactions.filter(({ last }) => last !== null);
					expect(events.length <= LIMITS.maxChanges || whole.length === 1).toBe(true);
				}
			},
		),
	);
});

test('transactions that end after a limit wait until it is lifted', async () => {
	const batcher = batcherOf([1, 1, 1]);
	const limits = { ...LIMITS, untilMs: inAMinute() };
	const first = await batcher.take({ ...limits, limitLsn: transaction(2).endLsn });
	expect((first as Batch).transactions.map(({ endLsn }) => endLsn)).toEqual([
		transaction(1).endLsn,
		transaction(2).endLsn,
	]);
	expect(await batcher.take({ ...limits, limitLsn: transaction(2).endLsn })).toBeNull();
	expect(batcher.nextEndLsn).toBe(transaction(3).endLsn);
	expect(await batcher.take({ ...limits, limitLsn: null })).toMatchObject({ events: [{}] });
	expect(batcher.nextEndLsn).toBeNull();
});
