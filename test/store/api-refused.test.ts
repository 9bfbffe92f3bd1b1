import { resolveReview } from '../../src/store/resolve-review';
import { APPLIED, OLD, RequestLab } from '../support/request-lab';

describe('a value that the API has refused', () => {
	async function refused(): Promise<RequestLab> {
		const lab = await RequestLab.decided();
		await lab.report(await lab.begun(), { kind: 'refused', said: 'answered 422' });
		return lab;
	}

	test('is not overtaken by the one it had replaced, and its item closes itself when a later value goes through', async () => {
		const lab = await refused();
		const [parked] = await lab.reviews();
		expect(await lab.decide()).toEqual([]);
		await lab.reads('shop', '9', { ...OLD, note: 'newer' }, { version: 3, etag: 's3' });
		expect(await lab.decide()).toMatchObject([{ system: 'crm', fields: { note: { expected: 'old', next: 'newer' } } }]);
		await lab.report(await lab.begun(), APPLIED, { facts: { version: '2', etag: 'c2', whole: false } });
		expect(await lab.reviews()).toEqual([]);
		expect(lab.values('note')).toEqual({ crm: 'newer', shop: 'newer', merged: 'newer' });
		// Whoever still has the page open is told, and nothing older is written.
		await expect(resolveReview(lab.store, { review: parked?.id ?? '', token: parked?.token ?? '', by: 'ann', choice: { kind: 'retry' } })).rejects.toMatchObject({ code: 'REVIEW_CLOSED' });
		expect(await lab.decide()).toEqual([]);
	});

	test('is tried again when a person says so', async () => {
		const lab = await refused();
		const [parked] = await lab.reviews();
		await resolveReview(lab.store, { review: parked?.id ?? '', token: parked?.token ?? '', by: 'ann', choice: { kind: 'retry' } });
		expect(await lab.decide()).toMatchObject([{ system: 'crm', fields: { note: { next: 'new' } } }]);
	});
});
