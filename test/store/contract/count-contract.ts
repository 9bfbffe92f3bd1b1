import { EXISTENCE, type FieldState, type LinkState } from '../../../src/core/link';
import { commit, commitOf, link, type OpenStore, POLICY, type StoreUnderTest } from './store-under-test';

/** How many records there are: what the share of a mass delete is taken of. */
export function describeCounts(open: OpenStore): void {
	describe('the number of records', () => {
		let under: StoreUnderTest;
		beforeEach(async () => {
			under = await open();
		});
		afterEach(() => under.close());

		const count = async (entity = 'customer'): Promise<number> => await under.store.countRecords(POLICY, entity);

		test('is nothing in a store that knows none, or not the policy', async () => {
			expect(await count()).toBe(0);
			expect(await under.store.countRecords('other', 'customer')).toBe(0);
		});

		test('is of one entity of one policy', async () => {
			const order: LinkState = { ...link('o1'), entity: 'order' };
			await commit(under.store, [link('l1'), link('l2'), order].map((state) => commitOf(state)));
			expect([await count(), await count('order'), await count('invoice')]).toEqual([2, 1, 0]);
			expect(await under.store.countRecords('other', 'customer')).toBe(0);
		});

		test.each<[string, FieldState | undefined, number]>([
			['with one of which nothing has been decided', undefined, 1],
			['with one whose existence nobody has decided about', existence(null, true), 1],
			['with one that is there', existence(true, true), 1],
			['with one that is there and is being deleted in one system', existence(true, false), 1],
			['with one whose delete waits for approval', { ...existence(true, false), frozen: { review: 'mass', kind: 'approval', reason: '' } }, 1],
			['without one that is to be deleted', existence(false, true), 0],
			['without one that is gone everywhere', existence(false, false), 0],
		])('is %s', async (_, field, expected) => {
			const fields = field === undefined ? {} : { [EXISTENCE]: field };
			await commit(under.store, [commitOf(link('l1', { fields }))]);
			expect(await count()).toBe(expected);
		});

		test('follows what is committed', async () => {
			await commit(under.store, [commitOf(link('l1', { fields: { [EXISTENCE]: existence(true, true) } }))]);
			const gone = link('l1', { fields: { [EXISTENCE]: existence(false, false) } });
			await commit(under.store, [commitOf(gone, { expectedRevision: 1 })]);
			expect(await count()).toBe(0);
		});
	});
}

/** Existence as it was decided (null: not at all) and as crm shows it; at rest where both are the same. */
function existence(merged: boolean | null, shown: boolean): FieldState {
	const vector = { crm: 1 };
	return {
		merged: merged === null ? null : { canon: merged, vector, from: 'crm' },
		views: { crm: { raw: shown, canon: shown, vector, base: shown } },
		frozen: null,
	};
}
