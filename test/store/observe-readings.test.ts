import { RequestLab } from '../support/request-lab';

const linkedLab = async (): Promise<RequestLab> => {
	const lab = await RequestLab.open();
	await lab.linked();
	return lab;
};

describe('what a webhook brings', () => {
	test('is matched, and joins the record that the other system has', async () => {
		const lab = await linkedLab();
		expect(lab.link().keys).toEqual({ crm: { id: '1' }, shop: { id: '9' } });
		expect(await lab.decide()).toEqual([]);
	});

	test('with a newer version is news', async () => {
		const lab = await linkedLab();
		const seen = await lab.reads('crm', '1', { ref: 'r1', note: 'old', phone: '2' }, { version: 2, etag: 'c2' });
		expect(seen).toMatchObject({ disposition: 'foreign', due: true });
		expect((await lab.decide())[0]).toMatchObject({ system: 'shop', fields: { phone: { expected: '1', next: '2' } } });
		expect(lab.link().api?.['crm']).toEqual({ version: '2', etag: 'c2' });
	});

	test('with an older version is stale, and both systems keep the new value', async () => {
		const lab = await linkedLab();
		await lab.reads('crm', '1', { ref: 'r1', note: 'old', phone: 'new' }, { version: 3 });
		const late = await lab.reads('crm', '1', { ref: 'r1', note: 'old', phone: 'late' }, { version: 2 });
		expect(late.disposition).toBe('stale');
		expect(lab.values('phone')).toMatchObject({ crm: 'new' });
	});

	test('twice is no change the second time', async () => {
		const lab = await linkedLab();
		const said = { version: 2 };
		await lab.reads('crm', '1', { ref: 'r1', note: 'old', phone: '2' }, said);
		const before = JSON.stringify(lab.links());
		expect((await lab.reads('crm', '1', { ref: 'r1', note: 'old', phone: '2' }, said)).disposition).toBe('unchanged');
		expect(JSON.stringify(lab.links())).toBe(before);
	});

	test('with the same version and other values is read again: the clock of the provider is too coarse', async () => {
		const lab = await linkedLab();
		const seen = await lab.reads('crm', '1', { ref: 'r1', note: 'old', phone: '2' }, { version: 1 });
		expect(seen.disposition).toBe('doubtful');
		const again = await lab.reads('crm', '1', { ref: 'r1', note: 'old', phone: '2' }, { version: 1, ticket: seen.ticket });
		expect(again.disposition).toBe('foreign');
	});

	test('without a version is taken in the order of arrival where versions are unknown', async () => {
		const lab = await RequestLab.open();
		await lab.reads('crm', '1', { ref: 'r1', note: 'a', phone: '1' });
		expect((await lab.reads('crm', '1', { ref: 'r1', note: 'b', phone: '1' })).disposition).toBe('foreign');
	});

	test('without a version is read again where versions are known', async () => {
		const lab = await linkedLab();
		expect((await lab.reads('crm', '1', { ref: 'r1', note: 'b', phone: '1' })).disposition).toBe('doubtful');
	});
});

describe('a payload with some of the properties', () => {
	test('leaves what it does not mention as it is, and null empties', async () => {
		const lab = await linkedLab();
		await lab.reads('crm', '1', { phone: null }, { version: 2, inPart: true });
		expect(lab.values('phone')).toMatchObject({ crm: null });
		expect(lab.values('note')).toMatchObject({ crm: 'old' });
		expect((await lab.decide())[0]).toMatchObject({ fields: { phone: { next: null } } });
	});

	test('is no state that a write may name as its condition', async () => {
		const lab = await linkedLab();
		await lab.reads('crm', '1', { phone: '2' }, { version: 2, etag: 'c2', inPart: true });
		expect(lab.link().api?.['crm']).toEqual({ version: '2', inParts: true });
	});

	test('does not make an older one superfluous: the record is read again', async () => {
		const lab = await linkedLab();
		await lab.reads('crm', '1', { phone: '3' }, { version: 3, inPart: true });
		const late = await lab.reads('crm', '1', { note: 'mine' }, { version: 2, inPart: true });
		expect(late.disposition).toBe('doubtful');
		const again = await lab.reads('crm', '1', { ref: 'r1', note: 'mine', phone: '3' }, { version: 3, ticket: late.ticket });
		expect(again.disposition).toBe('foreign');
		expect(lab.link().api?.['crm']).toEqual({ version: '3' });
	});

	test('of a record that nobody knows is read again, for it may be one that is there', async () => {
		const lab = await linkedLab();
		expect((await lab.reads('crm', '2', { phone: '3' }, { version: 1, inPart: true })).disposition).toBe('doubtful');
		expect(lab.links()).toHaveLength(1);
	});
});

describe('an answer that was asked for with a ticket', () => {
	test('is news if nothing has been learnt meanwhile', async () => {
		const lab = await linkedLab();
		const ticket = await lab.ticket('crm', '1');
		expect((await lab.reads('crm', '1', { ref: 'r1', note: 'old', phone: '5' }, { ticket })).disposition).toBe('foreign');
	});

	test('is doubtful if something has', async () => {
		const lab = await linkedLab();
		const ticket = await lab.ticket('crm', '1');
		await lab.reads('crm', '1', { ref: 'r1', note: 'old', phone: '6' }, { version: 2 });
		expect((await lab.reads('crm', '1', { ref: 'r1', note: 'old', phone: '5' }, { ticket })).disposition).toBe('doubtful');
		expect(lab.values('phone')).toMatchObject({ crm: '6' });
	});

	test('is doubtful with an older version: a replica lags behind', async () => {
		const lab = await linkedLab();
		await lab.reads('crm', '1', { ref: 'r1', note: 'old', phone: '6' }, { version: 3 });
		const ticket = await lab.ticket('crm', '1');
		expect((await lab.reads('crm', '1', { ref: 'r1', note: 'old', phone: '5' }, { version: 2, ticket })).disposition).toBe('doubtful');
	});

	test('for a record that nobody knew is news', async () => {
		const lab = await RequestLab.open();
		const ticket = await lab.ticket('crm', '1');
		expect((await lab.reads('crm', '1', { ref: 'r1', note: 'a', phone: '1' }, { ticket })).disposition).toBe('foreign');
	});
});

describe('a record that is deleted', () => {
	test('is deleted elsewhere', async () => {
		const lab = await linkedLab();
		await lab.reads('crm', '1', {}, { deleted: true });
		expect((await lab.decide())[0]).toMatchObject({ system: 'shop', kind: 'delete' });
	});

	test('does not come back by what is told of it late', async () => {
		const lab = await linkedLab();
		await lab.reads('crm', '1', {}, { deleted: true });
		expect((await lab.reads('crm', '1', { ref: 'r1', note: 'old', phone: '7' }, { version: 2 })).disposition).toBe('doubtful');
		expect((await lab.reads('crm', '1', { ref: 'r1', note: 'old', phone: '7' })).disposition).toBe('doubtful');
		expect(lab.links()).toHaveLength(1);
	});
});

test('what is told late of a deleted record is not taken for another one that is missing there', async () => {
	const lab = await linkedLab();
	await lab.reads('crm', '1', {}, { deleted: true, version: 3 });
	await lab.decide();
	await lab.reads('shop', '9', {}, { deleted: true });
	await lab.decide();
	await lab.reads('shop', '10', { ref: 'r1', note: 'old', phone: '1' }, { version: 1 });
	expect((await lab.reads('crm', '1', { ref: 'r1', note: 'old', phone: '1' }, { version: 2 })).disposition).toBe('stale');
	expect(lab.links().map(({ keys }) => Object.keys(keys))).toEqual([['crm', 'shop'], ['shop']]);
});

test('of two executions that read the same record, the second sees what the first has observed', async () => {
	const lab = await linkedLab();
	const row = { ref: 'r1', note: 'old', phone: '8' };
	const seen = await Promise.all([lab.reads('crm', '1', row, { version: 2 }), lab.reads('crm', '1', row, { version: 2 })]);
	expect(seen.map(({ disposition }) => disposition).sort()).toEqual(['foreign', 'unchanged']);
	expect(lab.link().fields['phone']?.views['crm']?.vector).toMatchObject({ crm: 2 });
});
