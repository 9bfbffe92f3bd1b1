import type { INodeExecutionData } from 'n8n-workflow';

import { EchoFilter } from '../../nodes/EchoFilter/EchoFilter.node';
import { FieldAuthorityMerge } from '../../nodes/FieldAuthorityMerge/FieldAuthorityMerge.node';
import { SyncWrite } from '../../nodes/SyncWrite/SyncWrite.node';
import type { FakeExecution } from '../support/fake-execute';
import { findings, itemsOf, type NodeLab, openNodeLab } from '../support/node-lab';
import { outputNames } from '../support/node-outputs';
import { samplePolicyWith } from '../support/sample-policy';

const echoFilter = new EchoFilter();
const merge = new FieldAuthorityMerge();
const syncWrite = new SyncWrite();

const policyOf = (tier: string): string => samplePolicyWith('crm: { table: public.customers, key: [id] }', `crm: { api: ${tier}, key: [id] }`);

let lab: NodeLab;
beforeEach(async () => {
	lab = await openNodeLab({ policy: policyOf('conditional') });
});
afterEach(() => lab.close());

const ANN = { id: '42', full_name: 'Ann', email: 'ann@x.example', billing_status: 'Active', phone: '1', credit: '5.00', note: 'n0' };
const item = (json: object): INodeExecutionData => ({ json: json as INodeExecutionData['json'] });
const named = <Name extends string>(names: readonly string[], run: { outputs: INodeExecutionData[][] }): Record<Name, INodeExecutionData[]> =>
	Object.fromEntries(names.map((name, at) => [name, run.outputs[at] ?? []])) as Record<Name, INodeExecutionData[]>;

async function reads(record: object, readingOptions: object = {}, more: FakeExecution['parameters'] = {}) {
	const parameters = { operation: 'observeApi', system: 'crm', entity: 'customer', readingOptions, ...more };
	const run = await lab.run(echoFilter, { items: [item(record)], parameters });
	return named<'foreign' | 'echo' | 'again'>(['foreign', 'echo', 'again'], run);
}

const AT = (version: number) => ({ version, etag: `"${version}"` });

/** The record is linked and at rest; then billing has changed the status, which it owns. */
async function writeToCrm(): Promise<INodeExecutionData> {
	await reads(ANN, AT(1));
	const row = { account_no: '7', external_id: '42', name: 'Ann', contact_email: 'ann@x.example', status: 'active', phone: '1', credit_cents: '500', memo: 'n0' };
	await decide((await lab.run(echoFilter, { items: itemsOf(lab.billing.insert(row)) })).outputs[0] ?? []);
	const changed = await lab.run(echoFilter, { items: itemsOf(lab.billing.update({ ...row, status: 'past_due' })) });
	const { crm } = await decide(changed.outputs[0] ?? []);
	const [write] = crm;
	if (!write) throw new Error('nothing is to be written to crm');
	return write;
}

async function decide(items: readonly INodeExecutionData[]) {
	const run = await lab.run(merge, { items, parameters: { systems: 'crm, billing' } });
	return named<'crm' | 'billing' | 'review' | 'nothing'>(['crm', 'billing', 'review', 'nothing'], run);
}

async function begin(write: INodeExecutionData) {
	return named<'go' | 'read' | 'notNow'>(['go', 'read', 'notNow'], await lab.run(syncWrite, { items: [write], parameters: { step: 'begin', system: 'crm' } }));
}

async function report(begun: INodeExecutionData | undefined, answer: object, more: object = {}) {
	const parameters = { step: 'report', system: 'crm', begun: findings(begun, 'begin'), ...more };
	return named<'applied' | 'again' | 'failed'>(['applied', 'again', 'failed'], await lab.run(syncWrite, { items: [item(answer)], parameters }));
}

async function check(begun: INodeExecutionData | undefined, record: object, readingOptions: object = {}) {
	const parameters = { step: 'check', system: 'crm', begun: findings(begun, 'begin'), readingOptions };
	return named<'go' | 'notNow'>(['go', 'notNow'], await lab.run(syncWrite, { items: [item(record)], parameters }));
}

test('outputs follow the operation', () => {
	expect(outputNames(echoFilter, { mode: 'store', operation: 'observeApi' })).toEqual(['Foreign', 'Echo', 'Read Again']);
	expect(outputNames(echoFilter, { mode: 'marker', operation: 'observeApi' })).toEqual(['Foreign', 'Echo']);
	expect(outputNames(echoFilter, { mode: 'store', operation: 'takeTicket' })).toEqual(['Read']);
	expect(outputNames(syncWrite, { step: 'begin' })).toEqual(['Go', 'Read First', 'Not Now']);
	expect(outputNames(syncWrite, { step: 'write' })).toEqual(['Applied', 'Stale', 'Failed']);
});

describe('Echo Filter', () => {
	test('makes change events of records, in two store trips more than the policy takes', async () => {
		const { foreign } = await reads({ data: ANN }, AT(1), { record: ANN });
		expect(foreign[0]?.json).toMatchObject({ op: 'u', system: 'crm', entity: 'customer', key: { id: '42' }, after: { full_name: 'Ann' }, marker: null });
		expect(findings(foreign[0], 'echoFilter')).toMatchObject({ disposition: 'foreign', due: true, link: expect.any(String) });
		expect(lab.trips()).toBeLessThanOrEqual(4);
	});

	test('sends a record that nobody can place to Read Again, with a ticket that makes the answer count', async () => {
		await reads(ANN, AT(1));
		const { again } = await reads({ ...ANN, note: 'n1' }, AT(1));
		const { ticket } = findings(again[0], 'echoFilter');
		expect(again[0]?.json['key']).toEqual({ id: '42' });
		const answer = await reads({ ...ANN, note: 'n1' }, { ...AT(1), ticket });
		expect(findings(answer.foreign[0], 'echoFilter')['disposition']).toBe('foreign');
	});

	test('notes what is known before a record is read, and leaves the item as it is', async () => {
		await reads(ANN, AT(1));
		const parameters = { operation: 'takeTicket', system: 'crm', entity: 'customer' };
		const { outputs } = await lab.run(echoFilter, { items: [item({ id: '42', hint: true })], parameters });
		expect(outputs[0]?.[0]?.json).toMatchObject({ id: '42', hint: true, bisync: { echoFilter: { ticket: expect.stringContaining('00000000/') } } });
	});

	test('takes what a complete record lacks for null, and what another one lacks for not sent', async () => {
		await reads(ANN, AT(1));
		const { phone: _empty, ...rest } = ANN;
		const { foreign: partly } = await reads({ ...rest, note: 'n1' }, { version: 2 });
		expect(partly[0]?.json['after']).not.toHaveProperty('phone');
		const { foreign } = await reads({ ...rest, note: 'n1' }, { version: 3, complete: true });
		expect(foreign[0]?.json['after']).toMatchObject({ phone: null });
	});

	test('empties what is inside of an object that is null, and leaves what is inside of one that was not sent', async () => {
		lab.close();
		lab = await openNodeLab({ policy: samplePolicyWith('crm: phone', 'crm: contact.phone', policyOf('conditional')) });
		const { phone, ...rest } = ANN;
		await reads({ ...rest, contact: { phone } }, AT(1));
		const { foreign: unsent } = await reads({ ...rest, note: 'n1' }, { version: 2 });
		expect(unsent[0]?.json['after']).not.toHaveProperty(['contact.phone']);
		const { foreign } = await reads({ ...rest, note: 'n1', contact: null }, AT(3));
		expect(foreign[0]?.json['after']).toHaveProperty(['contact.phone'], null);
	});

	test('deletes a record that the API says is gone', async () => {
		await reads(ANN, AT(1));
		const { foreign } = await reads({ id: '42' }, {}, { deleted: true });
		expect(foreign[0]?.json).toMatchObject({ op: 'd', after: null });
	});

	test.each([
		['no object', 'x', {}, 'NOT_A_READING'],
		['no key', { full_name: 'Ann' }, {}, 'KEY_INCOMPLETE'],
		['a version that is neither number nor time', ANN, { version: 'W/"1"' }, 'NOT_A_READING'],
	])('refuses an item with %s, and observes the others', async (_, record, readingOptions, code) => {
		const parameters = { operation: 'observeApi', system: 'crm', entity: 'customer', record: (json: { record?: unknown }) => json.record, readingOptions };
		const items = [item({ record }), item({ record: ANN, ok: true })].slice(0, code === 'NOT_A_READING' && record === ANN ? 1 : 2);
		const run = lab.run(echoFilter, { items, parameters, continueOnFail: true });
		const { outputs } = await run;
		expect(outputs.flat().map((one) => findings(one, 'echoFilter')['error'])).toContainEqual(expect.objectContaining({ code }));
	});

	test('refuses an entity that the policy binds to a table', async () => {
		const parameters = { operation: 'observeApi', system: 'billing', entity: 'customer' };
		await expect(lab.run(echoFilter, { items: [item(ANN)], parameters })).rejects.toThrow('does not bind customer to an API of billing');
	});

	test('offers due records behind a schedule', async () => {
		await reads(ANN, AT(1));
		lab.later(600_000);
		const { outputs } = await lab.run(echoFilter, { items: [item({})], parameters: { operation: 'offerDue' } });
		expect(outputs[0]?.map(({ json }) => json['op'])).toEqual(['w']);
		const { billing } = await decide(outputs[0] ?? []);
		expect(findings(billing[0], 'merge')['op']).toMatchObject({ kind: 'insert', system: 'billing' });
	});
});

describe('Sync Write around a write to an API', () => {
	test('gives out what to send, and settles it by the answer', async () => {
		const { go } = await begin(await writeToCrm());
		expect(findings(go[0], 'begin')).toMatchObject({
			kind: 'update',
			key: { id: '42' },
			fields: { billing_status: 'Past due' },
			ifMatch: '"1"',
			idempotencyKey: expect.stringMatching(/:crm:\d+$/),
			readFirst: false,
		});
		const { applied } = await report(go[0], { statusCode: 204, headers: { etag: '"2"' } }, { readingOptions: { version: 2 } });
		expect(findings(applied[0], 'write')).toMatchObject({ outcome: 'applied' });
		expect(findings(applied[0], 'echoFilter')).toMatchObject({ due: false });
		const { echo } = await reads({ ...ANN, billing_status: 'Past due' }, AT(2));
		expect(findings(echo[0], 'echoFilter')['disposition']).toBe('unchanged');
		expect((await decide(applied)).nothing).toHaveLength(1);
	});

	test('reads the record again when the condition fails, and goes on when it may', async () => {
		const { go } = await begin(await writeToCrm());
		const { again } = await report(go[0], { statusCode: 412, headers: {} });
		expect(again[0]?.json).toMatchObject({ op: 'w', key: { id: '42' } });
		const checked = await check(again[0], { ...ANN, full_name: 'Anna' }, AT(2));
		expect(findings(checked.go[0], 'begin')).toMatchObject({ ifMatch: '"2"', fields: { billing_status: 'Past due' } });
		const { applied } = await report(checked.go[0], { statusCode: 200, headers: {} }, { returned: { ...ANN, full_name: 'Anna', billing_status: 'Past due' } });
		const { billing } = await decide(applied);
		expect(findings(billing[0], 'merge')['op']).toMatchObject({ fields: { name: { next: 'Anna' } } });
	});

	test('leaves a write in flight that the API turns away, and says for how long it waits', async () => {
		const write = await writeToCrm();
		const { go } = await begin(write);
		const { failed } = await report(go[0], { statusCode: 429, headers: { 'retry-after': '7' } });
		expect(findings(failed[0], 'write')).toMatchObject({ outcome: 'later', waitMs: expect.any(Number), error: { message: 'crm answered 429' } });
		expect(findings((await begin(write)).notNow[0], 'begin')['reason']).toContain('Another execution');
		lab.later(600_000);
		expect((await begin(write)).go).toHaveLength(1);
	});

	test('reads the error of a request that got no answer', async () => {
		const { go } = await begin(await writeToCrm());
		const { failed } = await report(go[0], { error: { message: 'connect ECONNREFUSED 10.0.0.1:443', code: 'ECONNREFUSED' } });
		expect(findings(failed[0], 'write')['error']).toMatchObject({ message: 'crm gave no answer (ECONNREFUSED)' });
	});

	test('puts a refused value before a person, with no words of the API in the reason', async () => {
		const { go } = await begin(await writeToCrm());
		const { failed } = await report(go[0], { statusCode: 422, headers: {}, body: { message: 'secret' } });
		expect(failed[0]?.json['body']).toEqual({ message: 'secret' });
		const reviews = await lab.store.listReviews({ state: 'open', limit: 10 });
		expect(reviews.map(({ reason }) => reason)).toEqual(['crm refuses the value: it answered 422']);
	});

	test('refuses a request that nobody has begun', async () => {
		const { failed } = await report(item({}), { statusCode: 200 });
		expect(findings(failed[0], 'write')['error']).toMatchObject({ code: 'NOT_BEGUN' });
	});

	test('does not write to Postgres what the policy reaches through an API', async () => {
		const write = await writeToCrm();
		const credentials = { bisyncPostgresApi: { host: 'nowhere', user: 'x', password: 'x', database: 'x' } };
		await expect(lab.run(syncWrite, { items: [write], parameters: { system: 'crm' }, credentials })).rejects.toThrow('through an API');
	});

	test('begins nothing for a test run', async () => {
		const write = await writeToCrm();
		const { notNow } = await begin({ ...write, json: { ...write.json, test: true } });
		expect(findings(notNow[0], 'begin')['reason']).toContain('A test run sends nothing');
	});
});

test('who begins a write is told in the editor what an API without a condition may lose', () => {
	const notice = syncWrite.description.properties.find(({ name }) => name === 'blindNotice');
	expect(notice).toMatchObject({ type: 'notice', displayOptions: { show: { step: ['begin'] } } });
	expect(notice?.displayName).toMatch(/in the moment between reading and writing.* lost .*set back anyway.*made once more, with the same values/);
});
