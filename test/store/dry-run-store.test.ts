import { emptyLink } from '../../src/core/link';
import { STREAM_START } from '../../src/core/position';
import { chained, DryRunStore } from '../../src/store/dry-run-store';
import { MemoryStore } from '../../src/store/memory-store';
import type { LinkCommit } from '../../src/store/sync-store';
import { EventFeed } from '../support/event-feed';
import { POLICY, publishSample } from '../support/node-lab';

const commitOf = (id: string): LinkCommit => ({
	state: emptyLink(id, 'customer', 1),
	expectedRevision: 0,
	due: true,
	claims: [],
	journal: [],
	reviews: [],
	stopAt: null,
});

test('what is committed is found again, and never reaches the store behind', async () => {
	const store = new MemoryStore({ now: () => 0 });
	await publishSample(store, 'live');
	const before = store.state.serialise();
	const dry = new DryRunStore(store);
	await dry.commit({ policy: POLICY, links: [commitOf('a')] });
	await dry.changeReviews();
	await dry.setMode(POLICY);
	expect(
		(await dry.load({ policy: POLICY, links: ['a', 'b'] })).links.map(({ state }) => state.id),
	).toEqual(['a']);
	expect(store.state.serialise()).toBe(before);
});

test('every system has a stream, at its beginning', async () => {
	const store = new MemoryStore({ now: () => 0 });
	const { streams } = await new DryRunStore(store).load({ policy: POLICY });
	expect(streams['anything']?.position).toBe(STREAM_START);
});

test('events are chained in the order of each stream, whatever was left out before them', () => {
	const crm = new EventFeed('crm', 'id');
	crm.insert({ id: '0' });
	const [second, third] = [crm.insert({ id: '1' }), crm.insert({ id: '2' })];
	const other = new EventFeed('billing', 'account_no').insert({ account_no: '1' });
	const prevs = chained([third, other, second]).map(({ source }) => source.prev);
	expect(prevs).toEqual([second.source.position, STREAM_START, STREAM_START]);
});
