import { StoreProgress } from '../../../nodes/PostgresCdcTrigger/progress';
import { MemoryState } from '../../../src/store/memory-state';
import { MemoryStore } from '../../../src/store/memory-store';
import { at, POLICY, stream } from '../../store/contract/store-under-test';

const STREAM = { policy: POLICY, system: 'crm' };
const FIRST = { name: POLICY, document: {}, hash: 'h', by: 'x', initialMode: 'live' as const };

async function running(state = new MemoryState({ now: () => 0 })) {
	const store = new MemoryStore(state);
	const published = await store.publishPolicy(FIRST);
	const { position } = await store.registerStream(stream());
	const observe = async (n: number) =>
		await store.commit({ policy: POLICY, links: [], advance: { system: 'crm', from: position, to: at(n) } });
	return { state, store, observe, progress: new StoreProgress(store, STREAM, { position, published }) };
}

test('a store that has moved on is believed', async () => {
	const { observe, progress } = await running();
	await observe(5);
	expect(await progress.observed()).toBe(at(5));
	await progress.acknowledging(5n);
	expect(await progress.observed()).toBe(at(5));
});

test('a store that knows less than a moment ago went back, and its operations get numbers of a new epoch', async () => {
	const { state, store, observe, progress } = await running();
	await observe(3);
	const copy = state.snapshot();
	await observe(5);
	await progress.observed();
	state.restore(copy);
	await expect(progress.observed()).rejects.toMatchObject({
		code: 'STORE_WENT_BACK',
		message: expect.stringContaining('crm') as string,
	});
	expect((await store.load({ policy: POLICY })).policy?.epoch).toBeGreaterThan(1);
});

test('so did one that has forgotten what was acknowledged', async () => {
	const { state, observe, progress } = await running();
	await observe(5);
	const copy = state.snapshot();
	await progress.acknowledging(5n);
	state.restore(copy);
	await expect(progress.observed()).rejects.toMatchObject({ code: 'STORE_WENT_BACK' });
});

test('a store that begins anew while a trigger runs is another one', async () => {
	const { state, progress } = await running();
	const other = await running(new MemoryState({ now: () => 0, storeId: 'anotherstore' }));
	const asked = new StoreProgress(other.store, STREAM, { position: progress.position, published: progress.published });
	await expect(asked.observed()).rejects.toMatchObject({ code: 'STORE_WENT_BACK' });
	state.restore(new MemoryState({ now: () => 0 }).snapshot());
	await expect(progress.observed()).rejects.toMatchObject({ code: 'POLICY_UNPUBLISHED' });
});
