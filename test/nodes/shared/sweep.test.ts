import { sweep, sweepsIn } from '../../../nodes/shared/sweep';
import { diagnoseWake, Unwired } from '../../../nodes/PostgresCdcTrigger/unwired';
import { emptyLink, type LinkState, type Operation } from '../../../src/core/link';
import type { ReviewChange, ReviewItem, StoredReview } from '../../../src/core/review';
import type { DueLink, Loaded, LoadRequest, ReviewFilter } from '../../../src/store/sync-store';

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

/** A store with the links that wait for the sweep, and the review items it holds. */
class SweptStore {
	links: readonly DueLink[] = [];
	readonly reviews = new Map<string, ReviewItem>();

	async leaseDue(): Promise<readonly DueLink[]> {
		return this.links;
	}

	async changeReviews(_: string, changes: readonly ReviewChange[]): Promise<void> {
		for (const change of changes) {
			if (change.action === 'open') this.reviews.set(change.item.id, change.item);
			else this.reviews.delete(change.id);
		}
	}

	async listReviews({ ids = [] }: ReviewFilter): Promise<readonly StoredReview[]> {
		const items = ids.flatMap((id) => this.reviews.get(id) ?? []);
		return items.map((item) => ({ ...item, state: 'open', openedAtMs: 0, updatedAtMs: 0, closedBy: null }));
	}

	async load({ links = [] }: LoadRequest): Promise<Loaded> {
		const due = this.links.filter(({ state }) => links.includes(state.id));
		const found = due.map(({ state }) => ({ state, revision: 1, due: true, matches: [] }));
		return { policy: null, streams: {}, links: found };
	}
}

async function swept(
	links: readonly DueLink[],
	store = new SweptStore(),
	unwired = new Unwired(store, 'p', ['crm', 'billing', 'erp']),
): Promise<{ ids: string[]; wakes: number; isFull: boolean }> {
	store.links = links;
	const { events, isFull } = await sweep(store, { policy: 'p', system: 'crm' }, unwired);
	return { ids: [...store.reviews.keys()], wakes: events.length, isFull };
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

test('an item closes when the links that showed it wait no more, whoever opened it', async () => {
	const store = new SweptStore();
	const stuck = { state: link('a', 'billing'), unattempted: 5 };
	const asked = ['unwired-p-billing'];
	expect(await swept([stuck], store)).toMatchObject({ ids: asked });
	const afterRestart = new Unwired(store, 'p', ['crm', 'billing', 'erp']);
	expect(await swept([{ ...stuck, unattempted: 0 }], store, afterRestart)).toMatchObject({ ids: asked });
	expect(await swept([{ state: link('b', 'billing'), unattempted: 1 }], store, afterRestart)).toMatchObject({ ids: [] });
	expect(await swept([stuck], store, afterRestart)).toMatchObject({ ids: asked });
});

test('an item that a person dismissed is opened again while links still wait in vain', async () => {
	const store = new SweptStore();
	const unwired = new Unwired(store, 'p', ['crm', 'billing']);
	const stuck = [{ state: link('a', 'billing'), unattempted: 5 }];
	await swept(stuck, store, unwired);
	store.reviews.clear();
	expect(await swept([], store, unwired)).toMatchObject({ ids: [] });
	expect(await swept(stuck, store, unwired)).toMatchObject({ ids: ['unwired-p-billing'] });
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
