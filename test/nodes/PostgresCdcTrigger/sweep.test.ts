import { diagnoseWake, sweep, sweepsIn } from '../../../nodes/PostgresCdcTrigger/sweep';
import { emptyLink, type LinkState, type Operation } from '../../../src/core/link';
import type { ReviewChange } from '../../../src/core/review';
import type { DueLink } from '../../../src/store/sync-store';

const opTo = (system: string): Operation => ({
	id: `l:${system}:1`,
	link: 'l',
	system,
	entity: 'customer',
	number: 1,
	kind: 'update',
	key: { id: '1' },
	fields: {},
	guards: {},
	existence: null,
});

function link(id: string, ...targets: string[]): LinkState {
	return {
		...emptyLink(id, 'customer', 1),
		inFlight: Object.fromEntries(targets.map((name) => [name, opTo(name)])),
	};
}

async function swept(
	links: readonly DueLink[],
): Promise<{ ids: string[]; wakes: number; isFull: boolean }> {
	const changes: ReviewChange[] = [];
	const store = {
		leaseDue: async () => links,
		changeReviews: async (_: string, made: readonly ReviewChange[]) => void changes.push(...made),
	};
	const { events, isFull } = await sweep(store, { policy: 'p', system: 'crm' });
	const ids = changes.map((change) => (change.action === 'open' ? change.item.id : change.id));
	return { ids, wakes: events.length, isFull };
}

test('a link with an operation in flight is stuck at the write to that system', () => {
	expect(diagnoseWake(link('l', 'billing'))).toEqual([
		{
			where: 'billing',
			reason: expect.stringContaining('"Write to billing" of Field Authority Merge leads nowhere'),
		},
	]);
	expect(diagnoseWake(link('l', 'erp', 'billing')).map(({ where }) => where)).toEqual([
		'billing',
		'erp',
	]);
});

test('a link without one was not even decided upon', () => {
	expect(diagnoseWake(link('l'))).toEqual([
		{
			where: 'decide',
			reason: expect.stringMatching(/"Foreign".*"In Order".*"Concurrent".*leads nowhere/),
		},
	]);
});

test('links are woken, and those woken in vain five times open one review for each output', async () => {
	const { ids, wakes } = await swept([
		{ state: link('a', 'billing'), unattempted: 5 },
		{ state: link('b', 'billing'), unattempted: 9 },
		{ state: link('c'), unattempted: 5 },
		{ state: link('d', 'erp'), unattempted: 4 },
	]);
	expect(ids).toEqual(['unwired-p-billing', 'unwired-p-decide']);
	expect(wakes).toBe(4);
});

test('a full lease says that more are waiting', async () => {
	const links = Array.from({ length: 200 }, (_, i) => ({ state: link(`l${i}`), unattempted: 1 }));
	expect(await swept(links)).toMatchObject({ isFull: true, ids: [] });
	expect(await swept(links.slice(1))).toMatchObject({ isFull: false });
});

test('nothing is woken while nobody may decide', () => {
	expect(
		['live', 'shadow', 'first-contact', 'stopped'].map((mode) => sweepsIn(mode as 'live')),
	).toEqual([true, true, false, false]);
});
