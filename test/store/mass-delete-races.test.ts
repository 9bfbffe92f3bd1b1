import { EXISTENCE } from '../../src/core/link';
import { observeBatch } from '../../src/store/observe-batch';
import { resolveReview, resolveReviews } from '../../src/store/resolve-review';
import type { StoredReview } from '../../src/core/review';
import { inOneTransaction } from '../support/link-story';
import { SIMULATED_POLICY } from '../support/simulated-policy';
import { StoreLab } from '../support/store-lab';

beforeAll(() => void jest.spyOn(Math, 'random').mockReturnValue(0));
afterAll(() => void jest.restoreAllMocks());

/** Two records, which both systems hold; deleting both at once waits for approval. */
async function linked(): Promise<StoreLab> {
	const lab = await StoreLab.open({ deletes: { massDelete: { rows: 1 } } });
	for (const system of lab.systems) {
		await lab.observe(lab.insert(system, { id: '1', ref: 'a', note: 'x' }), lab.insert(system, { id: '2', ref: 'b', note: 'x' }));
	}
	await lab.pump();
	return lab;
}

async function deleteBoth(lab: StoreLab, system: string): Promise<StoredReview> {
	await lab.observe(lab.delete(system, '1'), lab.delete(system, '2'));
	const item = (await lab.openReviews()).find(({ reason }) => reason.startsWith(system));
	if (!item) throw new Error(`nobody is asked about the deletes of ${system}`);
	return item;
}

const answerTo = ({ id, token }: StoredReview) => ({ review: id, token, by: 'maria' });

/** The store as somebody sees it before whose commits something else happens. */
function interrupted({ store }: StoreLab, before: () => Promise<void>): StoreLab['store'] {
	return Object.assign(Object.create(store) as StoreLab['store'], {
		commit: async (request: Parameters<typeof store.commit>[0]) => {
			await before();
			return await store.commit(request);
		},
	});
}

/** How many records wait for the answer to an item. */
const heldBy = (lab: StoreLab, review: string): number =>
	lab.links().filter(({ state }) => state.fields[EXISTENCE]?.frozen?.review === review).length;

test('an approval that others are faster than all the time closes nothing that is still held', async () => {
	const lab = await linked();
	const item = await deleteBoth(lab, 'crm');
	let edits = 0;
	const busy = interrupted(lab, async () => {
		const [id = ''] = Object.keys(lab.rows['billing'] ?? {});
		await lab.observe(lab.update('billing', id, { note: `n${(edits += 1)}` }));
	});
	await resolveReview(busy, { ...answerTo(item), choice: { kind: 'approve' } }).catch(() => undefined);
	expect(edits).toBeGreaterThan(0);
	const isOpen = (await lab.openReviews()).some(({ id }) => id === item.id);
	expect(isOpen).toBe(heldBy(lab, item.id) > 0);
});

test('an item is not to be seen before its records are held: an approval in between would hold them for ever', async () => {
	const lab = await linked();
	const events = [lab.delete('crm', '1'), lab.delete('crm', '2')];
	const seenBefore: number[] = [];
	const racing = interrupted(lab, async () => void seenBefore.push((await lab.openReviews()).length));
	await observeBatch(racing, SIMULATED_POLICY, inOneTransaction(...events));
	expect(seenBefore.length).toBeGreaterThan(0);
	expect(Math.max(...seenBefore)).toBe(0);
	const [item, ...others] = await lab.openReviews();
	expect([heldBy(lab, item?.id ?? ''), others]).toEqual([2, []]);
});

test('an answer that makes no sense is refused alone', async () => {
	const lab = await linked();
	const item = await deleteBoth(lab, 'crm');
	const answers = [{ ...answerTo(item), choice: { kind: 'apply', system: 'nowhere' } as const }];
	expect(await resolveReviews(lab.store, answers)).toMatchObject([{ code: 'INVALID_RESOLUTION' }]);
	expect(await lab.openReviews()).toHaveLength(1);
});

test('values of other fields are no approval', async () => {
	const lab = await linked();
	await deleteBoth(lab, 'crm');
	await lab.resolve({ kind: 'values', values: { note: 'q' } }).catch(() => undefined);
	expect(await lab.pump()).toEqual([]);
});

test('rejecting one system’s deletes does not undo the other’s, about which nobody was asked', async () => {
	const lab = await linked();
	const item = await deleteBoth(lab, 'crm');
	await lab.observe(lab.delete('billing', '1'), lab.delete('billing', '2'));
	await resolveReview(lab.store, { ...answerTo(item), choice: { kind: 'reject' } });
	await lab.pump();
	expect(lab.rows['billing']).toEqual({});
});
