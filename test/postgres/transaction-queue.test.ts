import type { SourceTransaction } from '../../src/postgres/source-transaction';
import { TransactionQueue } from '../../src/postgres/transaction-queue';

function transaction(xid: number): SourceTransaction {
	const message = { kind: 'message', lsn: 1n, prefix: '', content: '' } as const;
	return {
		xid,
		commitLsn: 1n,
		endLsn: 2n,
		commitTsMs: 0,
		origin: null,
		changes: [message, message],
	};
}

test('transactions come out in the order in which they went in', async () => {
	const queue = new TransactionQueue();
	queue.push(transaction(1), 10);
	queue.push(transaction(2), 20);
	expect(queue).toMatchObject({ changeCount: 4, byteCount: 30, isEmpty: false });
	expect((await queue.next())?.xid).toBe(1);
	expect(queue).toMatchObject({ changeCount: 2, byteCount: 20 });
	expect((await queue.next())?.xid).toBe(2);
	expect(queue).toMatchObject({ changeCount: 0, byteCount: 0, isEmpty: true });
});

test('a reader who waits gets the next one', async () => {
	const queue = new TransactionQueue();
	const next = queue.next();
	expect(queue.isWaiting).toBe(true);
	queue.push(transaction(1), 10);
	expect(queue.isWaiting).toBe(false);
	expect((await next)?.xid).toBe(1);
});

test('what was read before a failure can still be taken', async () => {
	const queue = new TransactionQueue();
	queue.push(transaction(1), 10);
	queue.fail(new Error('first'));
	queue.fail(new Error('second'));
	expect((await queue.next())?.xid).toBe(1);
	await expect(queue.next()).rejects.toThrow('first');
	await expect(queue.next()).rejects.toThrow('first');
});

test('closing ends the wait and drops what was not taken', async () => {
	const queue = new TransactionQueue();
	const next = queue.next();
	queue.close();
	expect(await next).toBeNull();
	const filled = new TransactionQueue();
	filled.push(transaction(1), 10);
	filled.close();
	expect(await filled.next()).toBeNull();
	expect(filled.byteCount).toBe(0);
});

test('two readers at once are refused', async () => {
	const queue = new TransactionQueue();
	const first = queue.next();
	await expect(queue.next()).rejects.toThrow('one reader at a time');
	queue.close();
	await first;
});
