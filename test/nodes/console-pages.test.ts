import { EchoFilter } from '../../nodes/EchoFilter/EchoFilter.node';
import { FieldAuthorityMerge } from '../../nodes/FieldAuthorityMerge/FieldAuthorityMerge.node';
import { keepRun } from '../../src/store/keep-run';
import { BASIC, basicHeader, type BrowserReply, FakeBrowser, formsOf } from '../support/fake-browser';
import { linkedCustomer, passOn } from '../support/node-chain';
import { itemsOf, type NodeLab, openNodeLab, POLICY, publishSample } from '../support/node-lab';
import { samplePolicyWith } from '../support/sample-policy';

const TEXT = samplePolicyWith('sensitive: [email, phone]', 'sensitive: [email]');

let lab: NodeLab;
beforeEach(async () => {
	lab = await openNodeLab({ policy: TEXT });
});
afterEach(() => lab.close());

function anna(parameters: Record<string, unknown> = {}): FakeBrowser {
	return new FakeBrowser({ credentials: { bisyncStoreApi: lab.credential, httpBasicAuth: BASIC }, headers: basicHeader(BASIC), parameters });
}

/** Conflicts over the phones of some customers. */
async function conflicts(...ids: string[]): Promise<void> {
	for (const id of ids) {
		const { crm, billing } = await linkedCustomer(lab, id);
		const items = itemsOf(lab.crm.update({ ...crm, phone: `P1-${id}` }), lab.billing.update({ ...billing, phone: `P2-${id}` }));
		const seen = await lab.run(new EchoFilter(), { items });
		await lab.run(new FieldAuthorityMerge(), { items: seen.outputs[0] ?? [] });
	}
}

const LIST = '?view=reviews';

/** What a browser sends that has ticked all items of a page. */
function ticked({ body }: BrowserReply, bulk: string): Record<string, string> {
	const boxes = [...body.matchAll(/name="(pick-\d+)" value="([^"]*)"/g)].map(([, name = '', value = '']) => [name, value] as const);
	const key = /name="key" value="([^"]*)"/.exec(body)?.[1] ?? '';
	const confirmed = body.includes('name="confirmed"') ? { confirmed: 'yes' } : {};
	return { ...Object.fromEntries(boxes), key, bulk, ...confirmed };
}

const phones = async (): Promise<unknown[]> => (await lab.store.scanLinks({ policy: POLICY, limit: 10 })).map(({ state }) => state.fields['phone']?.merged?.canon).sort();

test('the list says which record an item is about, and who waits for an answer', async () => {
	await conflicts('1');
	const { body } = await anna().get(LIST);
	expect(body).toContain('billing account_no 91 · crm id 1');
	expect(body).toContain('data-label="Waits">crm, billing<');
});

describe('several items at once', () => {
	test('are decided after a preview of what is written for each, and start the workflow with one item each', async () => {
		await conflicts('1', '2');
		const preview = await anna().post(LIST, ticked(await anna().get(LIST), 'apply:crm'));
		expect(preview.body).toMatch(/phone becomes <bdi class="value">P1-1/);
		expect(preview.items).toEqual([]);
		const done = await anna().post(LIST, ticked(preview, 'apply:crm'));
		expect(done.body).toContain('2 items decided.');
		expect(done.items).toMatchObject([{ json: { bisync: { console: { by: 'anna', choice: 'apply' } } } }, {}]);
		expect(await phones()).toEqual(['P1-1', 'P1-2']);
		expect((await anna().get('')).body).toContain('Nothing waits.');
	});

	test('one that has changed since, or was decided by somebody else, is left alone, and the others are decided', async () => {
		await conflicts('1', '2');
		const preview = await anna().post(LIST, ticked(await anna().get(LIST), 'apply:crm'));
		const [first] = await lab.store.listReviews({ state: 'open', limit: 1 });
		const one = `?view=review&id=${encodeURIComponent(first?.id ?? '')}`;
		await anna().post(one, formsOf((await anna().get(one)).body).get('dismiss') ?? {});
		const done = await anna().post(LIST, ticked(preview, 'apply:crm'));
		expect(done.body).toContain('1 item decided, 1 left as they were');
		expect(done.body).toContain('It is closed: dismissed by anna.');
	});

	test('one of whose values has changed since it was ticked is not decided', async () => {
		await conflicts('1');
		const preview = await anna().post(LIST, ticked(await anna().get(LIST), 'apply:crm'));
		const later = { account_no: '91', external_id: '1', name: 'Ann', contact_email: '1@x', status: 'active', phone: 'P9', credit_cents: '100', memo: 'n0' };
		await passOn(lab, lab.billing.update(later));
		const done = await anna().post(LIST, ticked(preview, 'apply:crm'));
		expect(done.body).toContain('It has changed since it was ticked');
		expect(done.items).toEqual([]);
	});

	test('a choice that is none for an item is said so, and a page that is sent twice counts once', async () => {
		await conflicts('1');
		const list = await anna().get(LIST);
		expect((await anna().post(LIST, ticked(list, 'approve'))).body).toContain('It cannot be decided so.');
		const preview = await anna().post(LIST, ticked(list, 'dismiss'));
		expect((await anna().post(LIST, ticked(preview, 'dismiss'))).status).toBe(200);
		expect((await anna().post(LIST, ticked(preview, 'dismiss'))).body).toMatch(/sent twice|It is closed/);
	});

	test('nothing is decided without a tick, by who may only look, or with a key of another page', async () => {
		await conflicts('1');
		const form = ticked(await anna().get(LIST), 'dismiss');
		expect((await anna().post(LIST, { key: form['key'], bulk: 'dismiss' })).status).toBe(400);
		expect((await anna().post(LIST, { ...form, key: 'x' })).status).toBe(403);
		const reader = anna({ readers: 'ANNA' });
		expect((await reader.get(LIST)).body).not.toContain('name="pick-');
		expect((await reader.post(LIST, form)).status).toBe(403);
	});
});

describe('a record that is held still', () => {
	const recordPage = async (): Promise<string> => `?view=record&link=${(await lab.store.scanLinks({ policy: POLICY, limit: 1 }))[0]?.state.id}`;

	test('is frozen and let go under the name of who did it, with the reason', async () => {
		const { crm } = await linkedCustomer(lab, '1');
		const page = await recordPage();
		const form = formsOf((await anna().get(page)).body).get('freeze') ?? {};
		const frozen = await anna().post(page, { ...form, field: 'phone', reason: 'on the phone' });
		expect([frozen.status, frozen.headers['Location']]).toEqual([303, page]);
		expect(await passOn(lab, lab.crm.update({ ...crm, phone: 'P7' }))).toEqual([]);
		const { body } = await anna().get(page);
		expect(body).toContain('frozen by anna: on the phone');
		expect(body).toContain('froze phone: on the phone');
		await anna().post(page, { ...formsOf(body).get('unfreeze'), field: 'phone' });
		expect((await anna().get(page)).body).not.toContain('frozen by anna');
	});

	test('a form counts once, for its record, and not for who may only look', async () => {
		await linkedCustomer(lab, '1');
		const page = await recordPage();
		const form = formsOf((await anna().get(page)).body).get('freeze') ?? {};
		expect((await anna().post('?view=record&link=other', form)).status).toBe(403);
		expect((await anna().post(page, { ...form, field: 'nope' })).body).toContain('no field');
		await anna().post(page, form);
		expect((await anna().post(page, form)).body).toContain('sent twice');
		const reader = anna({ readers: 'anna' });
		expect((await reader.get(page)).body).not.toContain('Hold still');
		expect((await reader.post(page, form)).status).toBe(403);
	});
});

test('health says what is not good first, and that nobody has measured', async () => {
	const { body, status } = await anna().get('?view=health');
	expect(status).toBe(200);
	expect(body).toContain('Nobody has measured the databases yet');
	expect(body).toMatch(/To look at[\s\S]*docs\/runbooks\//);
});

test('runs show what was compared and how much was found, and the report of a first contact that waits', async () => {
	expect((await anna().get('?view=runs')).body).toContain('have not been compared');
	const run = { kind: 'compare' as const, tookMs: 1_200, systems: ['crm', 'billing'], records: { crm: 10, billing: 9 }, byField: [['customer.phone', 2]] as const };
	await keepRun(lab.store, POLICY, { ...run, run: 'run-1', differences: 3 });
	lab.later(1_000);
	await keepRun(lab.store, POLICY, { ...run, run: 'run-2', differences: 2 });
	const { body } = await anna().get('?view=runs');
	expect(body.indexOf('run-2')).toBeLessThan(body.indexOf('run-1'));
	expect(body).toContain('customer.phone 2');
	expect(body).toContain('Differences found: now 2, highest 3');
	await lab.store.setMode(POLICY, 'first-contact');
	expect((await anna().get('?view=runs')).body).toContain('First contact');
});

test('the policy page says the rules in plain words, who published which version, and what has changed', async () => {
	await publishSample(lab.store, 'live', TEXT.replace('sensitive: [email]', 'sensitive: [email, phone]'));
	const { body } = await anna().get('?view=policy');
	expect(body).toContain('version 2');
	expect(body).toContain('In plain words');
	const compared = await anna().get('?view=policy&from=1&to=2');
	expect(compared.body).toMatch(/class="new">\+ .*phone/);
	expect((await anna().get('?view=policy&from=1&to=99')).status).toBe(200);
});
