import type { ApiTier } from '../../src/core/policy';
import { beginRequests } from '../../src/store/api-requests';
import { APPLIED, later, OLD, POLICY, RequestLab, ROW, STALE } from '../support/request-lab';

const SHARED = { owner: 'shared', resolve: 'prefer(shop)' };

describe('an API without a condition that keeps a history', () => {
	/** The write has been sent, and nobody has heard what became of it. */
	async function unheard(note?: Parameters<typeof RequestLab.open>[1]): Promise<RequestLab> {
		const lab = await RequestLab.decided('verified', note);
		const begun = await lab.begun();
		await lab.check(begun, lab.reading('crm', '1', OLD, { version: 1, ticket: begun.ticket }));
		await lab.report(begun, later(false));
		lab.nowMs += 600_000;
		return lab;
	}

	test('is not sent a write again that was carried out, and whose value somebody has set back since', async () => {
		const lab = await unheard(SHARED);
		const again = await lab.begun();
		const found = lab.reading('crm', '1', OLD, { version: 3, ticket: again.ticket, earlier: [OLD, ROW] });
		expect(await lab.check(again, found)).toMatchObject({ kind: 'not-now' });
		expect(await lab.decide()).toMatchObject([{ system: 'shop', fields: { note: { expected: 'new', next: 'old' } } }]);
		expect(lab.link().inFlight).not.toHaveProperty('crm');
	});

	test('tells of what came before the write and after it, though the history reaches further back than what was read', async () => {
		const lab = await unheard(SHARED);
		const again = await lab.begun();
		const earlier = [{ ...OLD, note: 'long ago' }, OLD, { ...OLD, note: 'before' }, ROW];
		await lab.check(again, lab.reading('crm', '1', { ...OLD, note: 'after' }, { version: 5, ticket: again.ticket, earlier }));
		const entries = await lab.store.readJournal({ policy: 'crm-shop', limit: 100 });
		const observed = entries.flatMap(({ entry }) => (entry.kind === 'observed' && entry.change.system === 'crm' ? [entry.change.columns['note']] : []));
		expect(observed.slice(-3)).toEqual(['before', 'new', 'after']);
		expect(entries.find(({ entry }) => entry.kind === 'overwritten')?.entry).toMatchObject({ detail: { found: 'before', wrote: 'new' } });
	});

	test('is asked for it when a webhook or an answer shows the write, for neither shows what the write replaced', async () => {
		const lab = await RequestLab.decided('verified', SHARED);
		const begun = await lab.begun();
		await lab.check(begun, lab.reading('crm', '1', OLD, { version: 1, ticket: begun.ticket }));
		expect((await lab.reads('crm', '1', ROW, { version: 3 })).disposition).toBe('doubtful');
		const row = { id: '1', ...ROW };
		const { reported, ticket } = await lab.report(begun, APPLIED, { row, facts: { version: '3', whole: true } });
		expect(reported).toEqual({ kind: 'read' });
		await lab.reads('crm', '1', ROW, { version: 3, ticket, earlier: [{ ...OLD, note: 'theirs' }] });
		expect(await lab.journal()).toContain('overwritten');
	});

	test('shows a state that users made with the same value and more before the write: the write is what changed that value alone', async () => {
		const lab = await RequestLab.decided('verified', SHARED);
		const begun = await lab.begun();
		await lab.check(begun, lab.reading('crm', '1', OLD, { version: 1, ticket: begun.ticket }));
		const { ticket } = await lab.report(begun, APPLIED);
		const earlier = [OLD, { ...ROW, phone: '2' }, { ...OLD, note: 'theirs' }];
		await lab.check({ ...begun, ticket }, lab.reading('crm', '1', ROW, { version: 4, ticket, earlier }));
		const entries = await lab.store.readJournal({ policy: POLICY, limit: 100 });
		expect(entries.find(({ entry }) => entry.kind === 'overwritten')?.entry).toMatchObject({ detail: { found: 'theirs', wrote: 'new' } });
		expect(await lab.reviews()).toMatchObject([{ kind: 'failure', fields: ['note'] }]);
	});

	test('may repeat what is known, which is no change', async () => {
		const lab = await RequestLab.open('verified', SHARED);
		await lab.linked();
		await lab.reads('crm', '1', OLD, { version: 2, earlier: [{ ...OLD, note: 'long ago' }, OLD] });
		expect(await lab.decide()).toEqual([]);
		expect(lab.link().fields['note']?.views['crm']?.vector).toEqual({ shop: 1, crm: 1 });
	});
});

test.each<[ApiTier, object]>([['conditional', { etag: 'c3' }], ['blind', {}]])(
	'a write of which nobody has heard is not made again where the record has changed since and shows what it did before: %s',
	async (tier, etag) => {
		const lab = await RequestLab.decided(tier);
		const first = await lab.begun();
		await lab.report(first, later(false)); // It was carried out, and somebody has set the value back.
		lab.nowMs += 600_000;
		const again = await lab.begun();
		const { ticket } = tier === 'conditional' ? await lab.report(again, STALE) : again;
		expect(await lab.check({ ...again, ticket }, lab.reading('crm', '1', OLD, { version: 3, ticket, ...etag }))).toMatchObject({ kind: 'not-now' });
		const [op] = await lab.decide();
		expect(op).toMatchObject({ system: 'crm', fields: { note: { next: 'new' } } }); // The shop owns it.
		expect(op?.id).not.toBe(first.op);
		expect(await lab.journal()).toContain('revert');
	},
);

test('a write of which nobody has heard is not made again on the condition of a later state, which a webhook told of', async () => {
	const lab = await RequestLab.decided();
	await lab.begun();
	await lab.reads('crm', '1', OLD, { version: 3, etag: 'c3' });
	lab.nowMs += 2_000;
	expect(await lab.begin()).toMatchObject({ kind: 'read', begun: { attempt: 2 } });
});

test('an older reading that shows what is known does not take the condition back', async () => {
	const lab = await RequestLab.decided();
	await lab.reads('crm', '1', { ...OLD, phone: '2' }, { version: 3, etag: 'c3' });
	await lab.reads('crm', '1', { ...OLD, phone: '2' }, { version: 2, etag: 'c2' });
	expect(lab.link().api?.['crm']).toMatchObject({ version: '3', etag: 'c3' });
});

test('a write of which nobody has heard is made again where the record has not changed', async () => {
	const lab = await RequestLab.decided('blind');
	await lab.report(await lab.begun(), later(false));
	lab.nowMs += 600_000;
	const again = await lab.begun();
	expect(await lab.check(again, lab.reading('crm', '1', OLD, { version: 1, ticket: again.ticket }))).toMatchObject({ kind: 'go', begun: { op: again.op } });
});

test('what the API has taken is not written again, though users have set it back before anybody read it', async () => {
	const lab = await RequestLab.decided('blind');
	const first = await lab.begun();
	const { ticket } = await lab.report(first, APPLIED);
	lab.nowMs += 2_000; // Its lease is over, and another execution begins to read.
	const second = await lab.begun();
	const late = lab.reading('crm', '1', { ...OLD, phone: '2' }, { version: 3, ticket });
	expect(await lab.check({ ...first, ticket }, late)).toMatchObject({ kind: 'not-now' });
	const found = lab.reading('crm', '1', { ...OLD, phone: '2' }, { version: 3, ticket: second.ticket });
	expect(await lab.check(second, found)).toMatchObject({ kind: 'not-now', reason: expect.stringContaining('has been written') as string });
	// A replica may lag behind: it is read some times more before that is believed.
	for (const _again of [3, 4]) {
		lab.nowMs += 600_000;
		const next = await lab.begun();
		await lab.check(next, lab.reading('crm', '1', { ...OLD, phone: '2' }, { version: 3, ticket: next.ticket }));
	}
	expect(lab.link().inFlight).toEqual({});
	// It may be the API that does not keep what is written: a person is asked before that goes on for ever.
	expect(lab.link().api?.['crm']?.wrote?.after).toBe('1');
	expect(await lab.decide()).toMatchObject([{ system: 'shop', fields: { phone: { next: '2' } } }]);
	expect(await lab.reviews()).toMatchObject([{ fields: ['note'] }]);
});

describe('after a write on a condition whose answer names no version', () => {
	async function written(): Promise<RequestLab> {
		const lab = await RequestLab.decided();
		await lab.report(await lab.begun(), APPLIED);
		return lab;
	}

	test('a replica that still shows what the write has replaced is asked again', async () => {
		const lab = await written();
		const ticket = await lab.ticket('crm', '1');
		expect((await lab.reads('crm', '1', OLD, { version: 1, etag: 'c1', ticket })).disposition).toBe('doubtful');
		expect(lab.values('note')).toEqual({ crm: 'new', shop: 'new', merged: 'new' });
		expect((await lab.reads('crm', '1', ROW, { version: 2, etag: 'c2', ticket })).disposition).toBe('unchanged');
		expect(lab.link().api?.['crm']).toEqual({ version: '2', etag: 'c2' });
	});

	test('another ETag tells that it is later, where the clock of the versions is too coarse to say so', async () => {
		const lab = await written();
		const ticket = await lab.ticket('crm', '1');
		expect((await lab.reads('crm', '1', { ...OLD, note: 'theirs' }, { version: 1, etag: 'c3', ticket })).disposition).toBe('foreign');
	});
});

describe('a webhook that comes late, of a value that stood there between the last reading and a write without a condition', () => {
	async function written(): Promise<RequestLab> {
		const lab = await RequestLab.decided('blind');
		const begun = await lab.begun();
		await lab.report(begun, APPLIED, { row: { id: '1', ...ROW }, facts: { version: '3', whole: true } });
		expect(lab.link()).toMatchObject({ inFlight: {}, api: { crm: { version: '3' } } });
		return lab;
	}
	const late = async (lab: RequestLab): Promise<unknown[]> =>
		(await lab.store.readJournal({ policy: POLICY, kinds: ['late'], limit: 10 })).map(({ entry }) => entry);

	test('is named in the journal, and changes nothing', async () => {
		const lab = await written();
		expect((await lab.reads('crm', '1', { ...OLD, note: 'theirs' }, { version: 2 })).disposition).toBe('stale');
		expect(await late(lab)).toEqual([{ kind: 'late', field: 'note', system: 'crm', detail: { found: 'theirs', wrote: 'new', version: '2' } }]);
		expect(lab.values('note')).toEqual({ crm: 'new', shop: 'new', merged: 'new' });
		expect(await lab.decide()).toEqual([]);
	});

	test('is not, where it shows what we had read or written, or comes from before', async () => {
		const lab = await written();
		await lab.reads('crm', '1', { ...ROW, phone: '2' }, { version: 2 });
		await lab.reads('crm', '1', { ...OLD, phone: '2' }, { version: 2 });
		await lab.reads('crm', '1', { ...OLD, note: 'long ago' }, { version: 1 });
		await lab.reads('crm', '1', { ...OLD, note: 'long ago' }, { version: 0 });
		expect(await late(lab)).toEqual([]);
	});
});

describe('a delete without a condition', () => {
	async function deleted(tier: ApiTier, conflict: string): Promise<RequestLab> {
		const lab = await RequestLab.open(tier, { owner: 'crm' }, { conflict });
		await lab.linked();
		await lab.reads('shop', '9', {}, { deleted: true });
		await lab.decide();
		const begun = await lab.begun();
		// A webhook comes while the request is under way.
		await lab.reads('crm', '1', { ...OLD, note: 'theirs' }, { version: 2, etag: 'c2' });
		await lab.report(begun, APPLIED);
		return lab;
	}

	test('that took a change along which came in time to be known is told of, and put before a person', async () => {
		const lab = await deleted('blind', 'review');
		expect(lab.link().fields['∃']).toMatchObject({ views: { crm: { canon: false } }, frozen: { kind: 'failure' } });
		expect(await lab.journal()).toContain('overwritten');
	});

	test('asks nobody where deletes win', async () => {
		const lab = await deleted('blind', 'delete-wins');
		expect(await lab.journal()).toContain('overwritten');
		expect(await lab.reviews()).toEqual([]);
	});
});

test('a new record that its answer does not show holds nothing in what was left out, and gets it when somebody has it', async () => {
	const lab = await RequestLab.open('blind');
	await lab.reads('shop', '9', { ...OLD, phone: null }, { version: 1, etag: 's1' }); // The phone is the CRM's own.
	await lab.decide();
	const begun = await lab.begun();
	expect(begun.flat).toEqual({ ref: 'r1', note: 'old' });
	await lab.report(begun, APPLIED, { key: { id: '1' }, facts: { whole: false } });
	expect(lab.values('phone')).toMatchObject({ crm: null });
	expect(lab.link().api?.['crm']).toMatchObject({ inParts: true });
	expect((await lab.reads('crm', '1', { ...OLD, phone: '5' }, { version: 1 })).disposition).toBe('foreign');
});

describe('a record that was deleted and made anew under another key while its write was under way', () => {
	async function madeAnew(tier: ApiTier) {
		const lab = await RequestLab.decided(tier);
		const begun = await lab.begun();
		await lab.reads('crm', '1', {}, { deleted: true, version: 3 });
		await lab.reads('crm', '2', OLD, { version: 4, etag: 'c4' });
		expect(lab.links()[0]).toMatchObject({ keys: { crm: { id: '2' } }, inFlight: { crm: { key: { id: '1' } } } });
		return { lab, begun };
	}

	test('ends the write when its own record is read and is gone: nobody else would ever settle it', async () => {
		const { lab, begun } = await madeAnew('verified');
		expect(await lab.check(begun, lab.reading('crm', '1', {}, { deleted: true, ticket: begun.ticket }))).toMatchObject({ kind: 'not-now' });
		expect(lab.links()[0]?.inFlight).toEqual({});
		expect((await lab.decide())[0]).toMatchObject({ kind: 'update', key: { id: '2' }, fields: { note: { expected: 'old', next: 'new' } } });
	});

	test('is not written on the condition of the new one', async () => {
		const lab = await RequestLab.decided();
		await lab.report(await lab.begun(), later(true));
		await lab.reads('crm', '1', {}, { deleted: true, version: 3 });
		await lab.reads('crm', '2', OLD, { version: 4, etag: 'c4' });
		lab.nowMs += 600_000;
		const result = await beginRequests(lab.store, { policy: POLICY, system: 'crm', ops: lab.links().flatMap(({ inFlight }) => inFlight['crm'] ?? []), leaseMs: 1_000, rate: null });
		expect([...result.values()]).toMatchObject([{ kind: 'read', begun: { key: { id: '1' } } }]);
	});

	test('is not taken for the one that an answer tells of', async () => {
		const { lab, begun } = await madeAnew('conditional');
		expect(await lab.report(begun, APPLIED)).toMatchObject({ reported: { kind: 'settled', as: 'stale' } });
		expect(lab.links()[0]).toMatchObject({ keys: { crm: { id: '2' } }, inFlight: {}, fields: { note: { views: { crm: { canon: 'old' } } } } });
	});

	test('is not taken for what the write has made, though it shows the same', async () => {
		const lab = await RequestLab.decided('verified');
		await lab.check(await lab.begun(), lab.reading('crm', '1', OLD, { version: 1, ticket: (await lab.ticket('crm', '1')) }));
		await lab.reads('crm', '1', {}, { deleted: true, version: 3 });
		await lab.reads('crm', '2', ROW, { version: 4 });
		expect(await lab.journal()).not.toContain('warning');
		expect(lab.links()[0]?.inFlight).toMatchObject({ crm: { key: { id: '1' } } });
	});

	test('is forgotten by nobody: a late webhook of the old one does not bring it back', async () => {
		const { lab } = await madeAnew('conditional');
		expect(lab.links()).toMatchObject([{ keys: { crm: { id: '2' } } }, { keys: { crm: { id: '1' } }, fields: { '∃': { merged: null } } }]);
		await lab.decide();
		expect((await lab.reads('crm', '1', ROW, { version: 2 })).disposition).toBe('stale');
		expect((await lab.reads('crm', '1', ROW)).disposition).toBe('doubtful');
		expect(lab.links()).toHaveLength(2);
	});
});
