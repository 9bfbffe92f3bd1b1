import { beginRequests } from '../../src/store/api-requests';
import { APPLIED, later, OLD, RequestLab, ROW, STALE } from '../support/request-lab';

const { decided } = RequestLab;

describe('on a condition', () => {
	test('a write is given out with what to send and on which condition', async () => {
		const lab = await decided();
		expect(await lab.begin()).toMatchObject({
			kind: 'go',
			begun: { kind: 'update', key: { id: '1' }, body: { note: 'new' }, expected: { note: 'old', ref: 'r1' }, etag: 'c1', attempt: 1 },
		});
	});

	test('is preceded by a reading where the ETag of what was read last is not known: it would be made without a condition', async () => {
		const lab = await RequestLab.open();
		await lab.linked();
		// A webhook that tells the version and no ETag, whose note the shop then sets right.
		await lab.reads('crm', '1', { ref: 'r1', note: 'theirs', phone: '1' }, { version: 2 });
		await lab.decide();
		expect(await lab.begin()).toMatchObject({ kind: 'read', begun: { etag: null } });
	});

	test('one execution alone gets it, until its lease is over', async () => {
		const lab = await decided();
		await lab.begun();
		expect(await lab.begin()).toMatchObject({ kind: 'not-now' });
		lab.nowMs += 2_000;
		expect(await lab.begin()).toMatchObject({ kind: 'go', begun: { attempt: 2 } });
	});

	test('what was written stands as it was written, and its webhook is no news', async () => {
		const lab = await decided();
		const result = await lab.report(await lab.begun(), APPLIED, { facts: { version: '2', etag: 'c2', whole: false } });
		expect(result).toMatchObject({ reported: { kind: 'settled', as: 'applied' }, due: false });
		expect(lab.values('note')).toEqual({ crm: 'new', shop: 'new', merged: 'new' });
		expect(lab.link().api?.['crm']).toEqual({ version: '2', etag: 'c2' });
		expect((await lab.reads('crm', '1', ROW, { version: 2 })).disposition).toBe('unchanged');
		expect((await lab.reads('crm', '1', OLD, { version: 1 })).disposition).toBe('stale');
		expect(await lab.decide()).toEqual([]);
	});

	test('what the API has made of it is a change that has seen it', async () => {
		const lab = await decided();
		const row = { id: '1', ref: 'r1', note: 'NEW', phone: '1' };
		await lab.report(await lab.begun(), APPLIED, { row, facts: { version: '2', whole: true } });
		expect(await lab.journal()).toContain('residual');
	});

	test('a condition that fails has the record read, and the reading decides', async () => {
		const lab = await decided();
		const begun = await lab.begun();
		const reported = await lab.report(begun, STALE);
		expect(reported.reported).toEqual({ kind: 'read' });
		expect(Object.keys(lab.link().inFlight)).toEqual(['crm']);
		const found = lab.reading('crm', '1', { ...OLD, note: 'theirs' }, { version: 2, etag: 'c2', ticket: reported.ticket });
		expect(await lab.check({ ...begun, ticket: reported.ticket }, found)).toMatchObject({ kind: 'not-now' });
		expect(lab.link().inFlight).toEqual({});
		// The shop owns the note: what the CRM had is put back, named in the journal.
		expect((await lab.decide())[0]).toMatchObject({ fields: { note: { expected: 'theirs', next: 'new' } } });
		expect(await lab.journal()).toEqual(expect.arrayContaining(['outcome']));
	});

	test('a condition that fails because of another field is tried again with the new one', async () => {
		const lab = await decided();
		const begun = await lab.begun();
		const { ticket } = await lab.report(begun, STALE);
		const found = lab.reading('crm', '1', { ...OLD, phone: '7' }, { version: 2, etag: 'c2', ticket });
		expect(await lab.check({ ...begun, ticket }, found)).toMatchObject({ kind: 'go', begun: { etag: 'c2', body: { note: 'new' } } });
		expect(lab.values('phone')).toMatchObject({ crm: '7' });
	});

	test('a condition that fails twice although nothing has changed is put before a person', async () => {
		const lab = await decided();
		for (let round = 0; round < 2; round += 1) {
			const begun = await lab.begun();
			const { ticket } = await lab.report(begun, STALE);
			await lab.check({ ...begun, ticket }, lab.reading('crm', '1', OLD, { version: 1, etag: 'c1', ticket }));
			await lab.decide();
		}
		expect(await lab.reviews()).toMatchObject([{ kind: 'failure', fields: ['note'] }]);
	});

	test('a lost reply is found out by the condition: it fails, and what was read is what was written', async () => {
		const lab = await decided();
		await lab.begun(); // The write is made, and nobody hears of it.
		lab.nowMs += 2_000;
		const begun = await lab.begun();
		expect(begun).toMatchObject({ attempt: 2, etag: 'c1' });
		const { ticket } = await lab.report(begun, STALE);
		await lab.check({ ...begun, ticket }, lab.reading('crm', '1', ROW, { version: 2, etag: 'c2', ticket }));
		expect(lab.link().inFlight).toEqual({});
		expect(await lab.decide()).toEqual([]);
		expect(await lab.reviews()).toEqual([]);
	});

	test('what has changed since an attempt of which nobody has heard is not written over: the record is read first', async () => {
		const lab = await decided();
		await lab.report(await lab.begun(), later(false));
		await lab.reads('crm', '1', { ...OLD, note: 'theirs' }, { version: 2, etag: 'c2' });
		expect(Object.keys(lab.link().inFlight)).toEqual(['crm']);
		lab.nowMs += 600_000;
		expect(await lab.begin()).toMatchObject({ kind: 'read' });
	});

	test('a webhook of our own write that comes before the reply settles it, and the reply is no news', async () => {
		const lab = await decided();
		const begun = await lab.begun();
		expect((await lab.reads('crm', '1', ROW, { version: 2 })).disposition).toBe('echo');
		expect((await lab.report(begun, APPLIED)).reported).toEqual({ kind: 'settled', as: 'before' });
		expect(await lab.decide()).toEqual([]);
	});

	test('a value that comes between the write and its reply has seen the write', async () => {
		const lab = await decided('conditional', { owner: 'shared', resolve: 'review' });
		const begun = await lab.begun();
		await lab.reads('crm', '1', { ...OLD, note: 'after' }, { version: 3, etag: 'c3' });
		await lab.report(begun, APPLIED, { facts: { version: '2', etag: 'c2', whole: false } });
		expect(lab.link().api?.['crm']).toEqual({ version: '3', etag: 'c3' });
		// No conflict: whoever wrote "after" had "new" before them.
		expect(await lab.decide()).toMatchObject([{ system: 'shop', fields: { note: { expected: 'new', next: 'after' } } }]);
		expect(await lab.reviews()).toEqual([]);
	});

	test('the same value after a change is somebody else\'s, who had that change before them', async () => {
		const lab = await decided('conditional', { owner: 'shared', resolve: 'prefer(crm)' });
		await lab.begun();
		await lab.reads('crm', '1', { ...OLD, note: 'theirs' }, { version: 2, etag: 'c2' });
		expect((await lab.reads('crm', '1', ROW, { version: 3, etag: 'c3' })).disposition).toBe('foreign');
		expect(Object.keys(lab.link().inFlight)).toEqual(['crm']);
		expect(await lab.journal()).not.toContain('net-zero');
	});

	test('a change that comes before anything was sent makes the operation void', async () => {
		const lab = await decided();
		await lab.reads('crm', '1', { ...OLD, note: 'theirs' }, { version: 2, etag: 'c2' });
		expect(lab.link().inFlight).toEqual({});
		expect((await lab.decide())[0]).toMatchObject({ number: 2, fields: { note: { expected: 'theirs', next: 'new' } } });
	});

	test('without an ETag or version the record is read first, and what has none cannot be written', async () => {
		const lab = await RequestLab.open();
		await lab.reads('shop', '9', OLD, { version: 1 });
		await lab.reads('crm', '1', OLD);
		await lab.reads('shop', '9', ROW, { version: 2 });
		await lab.decide();
		const begun = await lab.begun();
		const result = await lab.check(begun, lab.reading('crm', '1', OLD, { ticket: begun.ticket }));
		expect(result).toMatchObject({ kind: 'not-now', error: { code: 'API_WITHOUT_CONDITION' } });
		const again = await lab.begun();
		expect(await lab.check(again, lab.reading('crm', '1', OLD, { etag: 'c1', ticket: again.ticket }))).toMatchObject({ kind: 'go' });
	});
});

describe('an answer that is no outcome', () => {
	test('leaves the operation in flight, and has it wait as long as the API asks for', async () => {
		const lab = await decided();
		const { reported, waitMs } = await lab.report(await lab.begun(), later(true, 7_000));
		expect(reported).toEqual({ kind: 'waits' });
		expect(waitMs).toBeGreaterThanOrEqual(7_000);
		lab.nowMs += 6_900;
		expect(await lab.begin()).toMatchObject({ kind: 'not-now' });
		lab.nowMs += 3_000;
		expect(await lab.begin()).toMatchObject({ kind: 'go', begun: { attempt: 2 } });
	});

	test('of our credential settles nothing', async () => {
		const lab = await decided();
		const { reported } = await lab.report(await lab.begun(), { kind: 'forbidden', said: 'answered 401' });
		expect(reported).toEqual({ kind: 'waits' });
		expect(await lab.reviews()).toEqual([]);
	});

	test('of a reading that lags behind sends nothing', async () => {
		const lab = await decided('verified');
		await lab.reads('crm', '1', { ...OLD, phone: '4' }, { version: 3 });
		const begun = await lab.begun();
		expect(await lab.check(begun, lab.reading('crm', '1', OLD, { version: 2, ticket: begun.ticket }))).toMatchObject({ kind: 'not-now' });
	});
});

test('a refused value waits for a person, and nothing else does', async () => {
	const lab = await decided();
	await lab.report(await lab.begun(), { kind: 'refused', said: 'answered 422' });
	expect(await lab.reviews()).toMatchObject([{ kind: 'failure', fields: ['note'], reason: 'crm refuses the value: it answered 422' }]);
	await lab.reads('crm', '1', { ...OLD, phone: '3' }, { version: 2, etag: 'c2' });
	expect(await lab.decide()).toMatchObject([{ system: 'shop', fields: { phone: { next: '3' } } }]);
});

describe('a record that is not found', () => {
	test('is read again, unless that means that it was deleted', async () => {
		const lab = await decided();
		expect((await lab.report(await lab.begun(), { kind: 'gone' })).reported).toEqual({ kind: 'read' });
		const other = await decided();
		const result = await other.report(await other.begun(), { kind: 'gone' }, { isMissingDeleted: true });
		expect(result).toMatchObject({ reported: { kind: 'settled', as: 'stale' }, due: true });
		expect(other.link().fields['∃']?.views['crm']?.canon).toBe(false);
	});
});

describe('without a condition', () => {
	test('the record is read before it is written', async () => {
		const lab = await decided('verified');
		const result = await lab.begin();
		expect(result.kind).toBe('read');
		if (result.kind !== 'read') return;
		const { begun } = result;
		expect(await lab.check(begun, lab.reading('crm', '1', OLD, { version: 1, ticket: begun.ticket }))).toMatchObject({ kind: 'go' });
	});

	test('what is found to have changed is not written over', async () => {
		const lab = await decided('verified');
		const begun = await lab.begun();
		const found = lab.reading('crm', '1', { ...OLD, note: 'theirs' }, { version: 2, ticket: begun.ticket });
		expect(await lab.check(begun, found)).toMatchObject({ kind: 'not-now' });
		expect(lab.link().inFlight).toEqual({});
	});

	test('the record is read after it was written, where the answer does not show it', async () => {
		const lab = await decided('verified');
		const first = await lab.begun();
		await lab.check(first, lab.reading('crm', '1', OLD, { version: 1, ticket: first.ticket }));
		const { reported, ticket } = await lab.report(first, APPLIED);
		expect(reported).toEqual({ kind: 'read' });
		expect((await lab.reads('crm', '1', ROW, { version: 2, ticket })).disposition).toBe('echo');
		expect(lab.link().inFlight).toEqual({});
	});

	test('a value that the write replaced unseen, as the history tells, is put before a person', async () => {
		const lab = await decided('verified', { owner: 'shared', resolve: 'prefer(shop)' });
		const first = await lab.begun();
		await lab.check(first, lab.reading('crm', '1', OLD, { version: 1, ticket: first.ticket }));
		const { ticket } = await lab.report(first, APPLIED);
		await lab.reads('crm', '1', ROW, { version: 3, ticket, earlier: [{ ...OLD, note: 'theirs' }] });
		expect(await lab.journal()).toContain('overwritten');
		expect(await lab.reviews()).toMatchObject([{ fields: ['note'], kind: 'failure' }]);
	});

	test('a write of which nobody has heard is preceded by a reading', async () => {
		const lab = await decided('blind', { owner: 'shop' });
		expect((await lab.begin()).kind).toBe('go');
		lab.nowMs += 2_000;
		expect((await lab.begin()).kind).toBe('read');
	});
});

describe('a new record', () => {
	const newRecord = async (): Promise<RequestLab> => {
		const lab = await RequestLab.open();
		await lab.reads('shop', '9', OLD, { version: 1, etag: 's1' });
		await lab.decide();
		return lab;
	};

	test('gets its key from the answer', async () => {
		const lab = await newRecord();
		const begun = await lab.begun();
		expect(begun).toMatchObject({ kind: 'insert', key: null, body: { ref: 'r1', note: 'old', phone: '1' } });
		await lab.report(begun, APPLIED, { row: { id: '1', ...OLD }, key: { id: '1' }, facts: { version: '1', etag: 'c1', whole: true } });
		expect(lab.link().keys).toEqual({ crm: { id: '1' }, shop: { id: '9' } });
		expect(await lab.decide()).toEqual([]);
	});

	test('is looked for before it is made again, when nobody knows whether it was made', async () => {
		const lab = await newRecord();
		const first = await lab.begun();
		await lab.report(first, later(false));
		lab.nowMs += 600_000;
		const result = await lab.begin();
		expect(result).toMatchObject({ kind: 'read', begun: { attempt: 2, op: first.op } });
		if (result.kind !== 'read') return;
		await lab.check(result.begun, lab.reading('crm', '1', OLD, { version: 1, ticket: result.begun.ticket }));
		expect(lab.link().keys).toMatchObject({ crm: { id: '1' } });
		expect(lab.link().inFlight).toEqual({});
	});

	test('is made with the same idempotency key when it was not found', async () => {
		const lab = await newRecord();
		const first = await lab.begun();
		await lab.report(first, later(false));
		lab.nowMs += 600_000;
		expect(await lab.check(await lab.begun(), null)).toMatchObject({ kind: 'go', begun: { op: first.op } });
	});

	test('that the API has taken, and does not find yet, is not made again', async () => {
		const lab = await newRecord();
		const begun = await lab.begun();
		const { reported, ticket } = await lab.report(begun, APPLIED);
		expect(reported).toEqual({ kind: 'read' });
		expect(await lab.check({ ...begun, ticket }, null)).toMatchObject({ kind: 'not-now' });
		const again = await lab.begun();
		await lab.check(again, lab.reading('crm', '1', OLD, { version: 1, ticket: again.ticket }));
		expect(lab.link().keys).toMatchObject({ crm: { id: '1' } });
	});

	test('that users have made meanwhile, and that is not found any more, is not looked for without end', async () => {
		const lab = await newRecord();
		await lab.report(await lab.begun(), later(false));
		await lab.reads('crm', '7', { ...OLD, note: 'theirs' }, { version: 1, etag: 'c1' });
		lab.nowMs += 600_000;
		expect(await lab.check(await lab.begun(), null)).toMatchObject({ kind: 'not-now' });
		expect(lab.link()).toMatchObject({ keys: { crm: { id: '7' } }, inFlight: {} });
		expect(await lab.decide()).toMatchObject([{ kind: 'update', key: { id: '7' } }]);
	});

	test('is there, although a webhook tells between its request and the answer that its predecessor was deleted', async () => {
		const lab = await RequestLab.open('conditional', { owner: 'shop' }, { conflict: 'update-wins' });
		await lab.linked();
		await lab.reads('crm', '1', {}, { deleted: true });
		await lab.reads('shop', '9', ROW, { version: 2, etag: 's2' });
		await lab.decide();
		const begun = await lab.begun();
		expect(begun).toMatchObject({ kind: 'insert' });
		await lab.reads('crm', '1', {}, { deleted: true, version: 3 });
		await lab.report(begun, APPLIED, { key: { id: '2' } });
		expect(lab.links()[0]).toMatchObject({ keys: { crm: { id: '2' } }, fields: { '∃': { views: { crm: { canon: true } } } } });
	});

	test('that a webhook tells of before the answer is known by its match key', async () => {
		const lab = await newRecord();
		const begun = await lab.begun();
		await lab.reads('crm', '1', OLD, { version: 1, etag: 'c1' });
		await lab.report(begun, APPLIED, { key: { id: '1' } });
		expect(lab.link().keys).toMatchObject({ crm: { id: '1' } });
	});

	test('that users have made with the same values before ours could be made is theirs', async () => {
		const lab = await newRecord();
		const begun = await lab.begun();
		const { ticket } = await lab.report(begun, { kind: 'exists' });
		await lab.check({ ...begun, ticket }, lab.reading('crm', '1', OLD, { version: 1, etag: 'c1', ticket }));
		expect(lab.link().inFlight).toEqual({});
		expect(lab.link().fields['phone']?.views['crm']?.vector).toMatchObject({ crm: 1 });
	});

	test('that users have made meanwhile is the linked one, and ours is put before a person', async () => {
		const lab = await newRecord();
		const begun = await lab.begun();
		await lab.reads('crm', '1', { ...OLD, phone: '2' }, { version: 1, etag: 'c1' });
		await lab.report(begun, APPLIED, { row: { id: '2', ...OLD }, key: { id: '2' }, facts: { version: '2', whole: true } });
		expect(lab.links().map(({ keys }) => keys)).toEqual([{ shop: { id: '9' }, crm: { id: '1' } }, { crm: { id: '2' } }]);
		expect(await lab.reviews()).toMatchObject([{ kind: 'identity' }]);
		expect((await lab.decide()).filter(({ kind }) => kind !== 'update')).toEqual([]);
	});

	test('that carries our mark is ours, though the API has changed what identifies it', async () => {
		const lab = await newRecord();
		const begun = await lab.begun();
		await lab.reads('crm', '1', { ...OLD, ref: 'R-1' }, { version: 1, mark: begun.op });
		expect(lab.link().keys).toMatchObject({ crm: { id: '1' } });
		expect(await lab.journal()).toContain('residual');
	});

	test('whose place is taken by the record of another link is put before a person in the end', async () => {
		const lab = await RequestLab.open();
		await lab.reads('crm', '1', OLD, { version: 1, etag: 'c1' });
		await lab.reads('crm', '2', OLD, { version: 3, etag: 'c3' }); // Before anybody has heard that the first one is gone.
		await lab.reads('crm', '1', {}, { version: 2, deleted: true });
		await lab.reads('shop', '9', OLD, { version: 1, etag: 's1' });
		await lab.decide();
		for (let round = 0; round < 2; round += 1) {
			const begun = await lab.begun();
			const { ticket } = await lab.report(begun, { kind: 'exists' });
			const found = lab.reading('crm', '2', OLD, { version: 3, etag: 'c3', ticket });
			expect(await lab.check({ ...begun, ticket }, found)).toMatchObject({ reason: 'crm has a record that takes its place' });
			await lab.decide();
		}
		expect((await lab.reviews()).map(({ kind }) => kind)).toContain('identity');
	});

	test('whose place is taken by a record of somebody else is put before a person in the end', async () => {
		const lab = await newRecord();
		for (let round = 0; round < 2; round += 1) {
			const begun = await lab.begun();
			const { ticket } = await lab.report(begun, { kind: 'exists' });
			await lab.check({ ...begun, ticket }, null);
			await lab.decide();
		}
		expect(await lab.reviews()).toMatchObject([{ kind: 'identity' }]);
	});
});

test('a record is deleted on its condition, and one that is gone already is deleted', async () => {
	const lab = await RequestLab.open();
	await lab.linked();
	await lab.reads('shop', '9', {}, { deleted: true });
	await lab.decide();
	const begun = await lab.begun();
	expect(begun).toMatchObject({ kind: 'delete', key: { id: '1' }, body: {}, etag: 'c1' });
	await lab.report(begun, APPLIED);
	expect(lab.link().fields['∃']?.merged?.canon).toBe(false);
	expect(await lab.decide()).toEqual([]);
});

test('no more requests are begun than the API may be sent', async () => {
	const lab = await decided();
	await lab.reads('shop', '10', { ref: 'r2', note: 'a', phone: '1' }, { version: 1 });
	await lab.decide();
	const ops = lab.links().flatMap(({ inFlight }) => inFlight['crm'] ?? []);
	const results = await beginRequests(lab.store, { policy: 'crm-shop', system: 'crm', ops, leaseMs: 1_000, rate: { capacity: 1, perSecond: 1 } });
	expect([...results.values()].map(({ kind }) => kind).sort()).toEqual(['go', 'not-now']);
	lab.nowMs += 1_100;
	const rest = ops.filter(({ id }) => results.get(id)?.kind === 'not-now');
	const again = await beginRequests(lab.store, { policy: 'crm-shop', system: 'crm', ops: rest, leaseMs: 1_000, rate: { capacity: 1, perSecond: 1 } });
	expect([...again.values()].map(({ kind }) => kind)).toEqual(['go']);
});

test('several workers together begin no more than the API may be sent, and no write twice', async () => {
	const lab = await decided();
	for (const n of [2, 3, 4, 5]) await lab.reads('shop', `1${n}`, { ref: `r${n}`, note: 'a', phone: '1' }, { version: 1 });
	await lab.decide();
	const ops = lab.links().flatMap(({ inFlight }) => inFlight['crm'] ?? []);
	const begin = async () => await beginRequests(lab.store, { policy: 'crm-shop', system: 'crm', ops, leaseMs: 60_000, rate: { capacity: 2, perSecond: 1 } });
	const begun = async (): Promise<string[]> =>
		(await Promise.all([begin(), begin(), begin()])).flatMap((results) => [...results].flatMap(([id, { kind }]) => (kind === 'go' ? [id] : [])));
	const first = await begun();
	expect(first).toHaveLength(2);
	lab.nowMs += 1_100;
	const then = await begun();
	expect(then).toHaveLength(1);
	expect(new Set([...first, ...then]).size).toBe(3);
});
