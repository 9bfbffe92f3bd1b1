import { observeReadings } from '../../src/store/observe-readings';
import { resolveReview } from '../../src/store/resolve-review';
import { GONE, OLD, POLICY, RequestLab } from '../support/request-lab';

const HOUR_MS = 3_600_000;

/** Four records of which both systems have heard. */
async function fourRecords(massDelete: { rows?: number | null; percent?: number }): Promise<RequestLab> {
	const lab = await RequestLab.open('conditional', { owner: 'shop' }, { massDelete, conflict: 'delete-wins' });
	for (const n of [1, 2, 3, 4]) {
		await lab.reads('shop', `${n}0`, { ...OLD, ref: `r${n}` }, { version: 1, etag: 's1' });
		await lab.reads('crm', `${n}`, { ...OLD, ref: `r${n}` }, { version: 1, etag: 'c1' });
	}
	expect(await lab.decide()).toEqual([]);
	return lab;
}

/** Webhooks tell of deletes in the CRM, one by one. */
async function deletes(lab: RequestLab, ...ids: string[]): Promise<void> {
	for (const id of ids) await lab.reads('crm', id, {}, { deleted: true, version: 2 });
}

async function deletedInShop(lab: RequestLab): Promise<(string | undefined)[]> {
	const ops = await lab.decide();
	return ops.filter(({ kind }) => kind === 'delete').map(({ key }) => key?.['id'] as string | undefined);
}

async function answer(lab: RequestLab, choice: 'approve' | 'reject'): Promise<void> {
	const [review] = await lab.reviews();
	if (!review) throw new Error('nothing waits');
	await resolveReview(lab.store, { review: review.id, token: review.token, by: 'ann', choice: { kind: choice } });
}

test('what exceeds the limit within an hour waits for one approval, though each is told of alone', async () => {
	const lab = await fourRecords({ rows: 2 });
	await deletes(lab, '1', '2', '3', '4');
	expect(await deletedInShop(lab)).toEqual(['10', '20']);
	expect(await lab.reviews()).toMatchObject([{ kind: 'approval', detail: { massDelete: true, system: 'crm', entity: 'customer' } }]);
	await answer(lab, 'approve');
	expect(await deletedInShop(lab)).toEqual(['10', '20', '30', '40']);
	expect(await lab.reviews()).toEqual([]);
});

test('the records are made anew where they were deleted, when a person rejects that', async () => {
	const lab = await fourRecords({ rows: 3 });
	await deletes(lab, '1', '2', '3', '4');
	await answer(lab, 'reject');
	expect((await lab.decide()).filter(({ system }) => system === 'crm')).toMatchObject([{ kind: 'insert', fields: { ref: { next: 'r4' } } }]);
});

test('a batch of readings waits as a whole', async () => {
	const lab = await fourRecords({ rows: 2 });
	await observeReadings(lab.store, POLICY, ['1', '2', '3'].map((id) => lab.reading('crm', id, {}, { deleted: true, version: 2 })));
	expect(await deletedInShop(lab)).toEqual([]);
	expect(await lab.reviews()).toHaveLength(1);
});

test('a share of the records is a limit as well, and a single one is never a mass', async () => {
	const lab = await fourRecords({ rows: null, percent: 10 });
	await deletes(lab, '1', '2');
	expect(await deletedInShop(lab)).toEqual(['10']);
});

test('without a limit none waits', async () => {
	const lab = await fourRecords({ rows: null });
	await deletes(lab, '1', '2', '3', '4');
	expect(await deletedInShop(lab)).toHaveLength(4);
});

test('who deletes slowly enough is not asked', async () => {
	const lab = await fourRecords({ rows: 1 });
	for (const id of ['1', '2', '3']) {
		await deletes(lab, id);
		lab.nowMs += HOUR_MS;
	}
	expect(await lab.reviews()).toEqual([]);
});

test('deletes that only a write has found are counted with those that webhooks tell of', async () => {
	const lab = await fourRecords({ rows: 2 });
	await deletes(lab, '1');
	for (const n of [2, 3, 4]) await lab.reads('shop', `${n}0`, { ...OLD, ref: `r${n}`, note: 'new' }, { version: 2, etag: 's2' });
	await lab.decide();
	for (const n of [2, 3, 4]) await lab.reportAll(GONE, [`${n}`]);
	expect(await deletedInShop(lab)).toEqual(['10', '20']);
	expect(await lab.reviews()).toMatchObject([{ kind: 'approval', detail: { massDelete: true, system: 'crm' } }]);
	await answer(lab, 'approve');
	expect(await deletedInShop(lab)).toEqual(['10', '20', '30', '40']);
});

test('writes that find many of them in one step wait as a whole', async () => {
	const lab = await fourRecords({ rows: 2 });
	for (const n of [1, 2, 3]) await lab.reads('shop', `${n}0`, { ...OLD, ref: `r${n}`, note: 'new' }, { version: 2, etag: 's2' });
	await lab.decide();
	await lab.reportAll(GONE);
	expect(await deletedInShop(lab)).toEqual([]);
	expect(await lab.reviews()).toHaveLength(1);
});

test('that a record which is to be deleted is gone already is not counted', async () => {
	const lab = await fourRecords({ rows: 1 });
	for (const n of [1, 2]) {
		await lab.reads('shop', `${n}0`, {}, { deleted: true, version: 2 });
		lab.nowMs += HOUR_MS;
	}
	await lab.decide();
	await lab.reportAll(GONE);
	await deletes(lab, '3');
	expect(await lab.reviews()).toEqual([]);
});

test('deletes of ours that come back, and webhooks that come again, are not counted', async () => {
	const lab = await fourRecords({ rows: 1 });
	await lab.reads('shop', '10', {}, { deleted: true, version: 2 });
	await lab.decide();
	const begun = await lab.begun('crm');
	await lab.reads('crm', '1', {}, { deleted: true, version: 2 });
	await lab.report(begun, { kind: 'applied' });
	for (const _again of [1, 2]) await deletes(lab, '1');
	await deletes(lab, '2');
	expect(await lab.reviews()).toEqual([]);
	await deletes(lab, '3');
	expect(await lab.reviews()).toHaveLength(1);
});
