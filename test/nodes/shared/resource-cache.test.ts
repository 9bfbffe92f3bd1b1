import { ResourceCache } from '../../../nodes/shared/resource-cache';

beforeEach(() => {
	jest.useFakeTimers();
});
afterEach(() => {
	jest.useRealTimers();
});

function cacheOf(): {
	cache: ResourceCache<string>;
	opened: string[];
	closed: string[];
	borrow: (key: string) => ReturnType<ResourceCache<string>['borrow']>;
} {
	const opened: string[] = [];
	const closed: string[] = [];
	const close = async (value: string): Promise<void> => void closed.push(value);
	const cache = new ResourceCache<string>({ close, idleMs: 1_000 });
	const borrow = async (key: string) =>
		await cache.borrow(key, async () => {
			opened.push(key);
			return `${key}${opened.length}`;
		});
	return { cache, opened, closed, borrow };
}

test('everybody who asks for a key shares what the first one opened', async () => {
	const { opened, borrow } = cacheOf();
	const [one, two] = await Promise.all([borrow('a'), borrow('a')]);
	expect(one.value).toBe(two.value);
	expect(opened).toEqual(['a']);
});

test('it is closed when nobody has used it for a while, not before', async () => {
	const { closed, borrow } = cacheOf();
	const [one, two] = await Promise.all([borrow('a'), borrow('a')]);
	one.release();
	await jest.advanceTimersByTimeAsync(5_000);
	expect(closed).toEqual([]);
	two.release();
	await jest.advanceTimersByTimeAsync(999);
	expect(closed).toEqual([]);
	await jest.advanceTimersByTimeAsync(1);
	expect(closed).toEqual(['a1']);
});

test('whoever comes while it is idle keeps it open', async () => {
	const { opened, closed, borrow } = cacheOf();
	(await borrow('a')).release();
	await jest.advanceTimersByTimeAsync(500);
	await borrow('a');
	await jest.advanceTimersByTimeAsync(5_000);
	expect(closed).toEqual([]);
	expect(opened).toEqual(['a']);
});

test('giving back twice counts once', async () => {
	const { closed, borrow } = cacheOf();
	const one = await borrow('a');
	await borrow('a');
	one.release();
	one.release();
	await jest.advanceTimersByTimeAsync(5_000);
	expect(closed).toEqual([]);
});

test('after it was closed the next one opens it anew', async () => {
	const { borrow } = cacheOf();
	(await borrow('a')).release();
	await jest.advanceTimersByTimeAsync(1_000);
	expect((await borrow('a')).value).toBe('a2');
});

test('what could not be opened is tried again', async () => {
	const { cache, borrow } = cacheOf();
	const failing = cache.borrow('a', async () => await Promise.reject(new Error('down')));
	await expect(failing).rejects.toThrow('down');
	expect((await borrow('a')).value).toBe('a1');
});

test('what was provided is found and never closed', async () => {
	const { cache, closed, opened, borrow } = cacheOf();
	const end = cache.provide('a', 'mine');
	const one = await borrow('a');
	expect(one.value).toBe('mine');
	one.release();
	await jest.advanceTimersByTimeAsync(5_000);
	expect(closed).toEqual([]);
	end();
	await borrow('a');
	expect(opened).toEqual(['a']);
});
