import { DeadLetterQueue } from '../../nodes/DeadLetterQueue/DeadLetterQueue.node';
import { EchoFilter } from '../../nodes/EchoFilter/EchoFilter.node';
import { FieldAuthorityMerge } from '../../nodes/FieldAuthorityMerge/FieldAuthorityMerge.node';
import { BASIC, basicHeader, FakeBrowser, formsOf } from '../support/fake-browser';
import { linkedCustomer } from '../support/node-chain';
import { itemsOf, type NodeLab, openNodeLab, POLICY } from '../support/node-lab';
import { samplePolicyWith } from '../support/sample-policy';

let lab: NodeLab;
beforeEach(async () => {
	lab = await openNodeLab({ policy: samplePolicyWith('sensitive: [email, phone]', 'sensitive: [email]') });
});
afterEach(() => lab.close());

const credentials = () => ({ bisyncStoreApi: lab.credential, httpBasicAuth: BASIC, httpHeaderAuth: { name: 'X-Proxy-Secret', value: 's3cret' } });

function anna(parameters: Record<string, unknown> = {}): FakeBrowser {
	return new FakeBrowser({ credentials: credentials(), headers: basicHeader(BASIC), parameters });
}

/** A conflict over the phone of one customer; P1 in crm, P2 in billing. */
async function phoneConflict(id = '1'): Promise<string> {
	const { crm, billing } = await linkedCustomer(lab, id);
	const items = itemsOf(lab.crm.update({ ...crm, phone: 'P1' }), lab.billing.update({ ...billing, phone: 'P2' }));
	const seen = await lab.run(new EchoFilter(), { items });
	await lab.run(new FieldAuthorityMerge(), { items: seen.outputs[0] ?? [] });
	const [review] = await lab.store.listReviews({ state: 'open', limit: 1 });
	if (!review) throw new Error('there is no conflict');
	return review.id;
}

const pageOf = (id: string): string => `?view=review&id=${encodeURIComponent(id)}`;

async function postTo(browser: FakeBrowser, id: string, choice: string, more: Record<string, string> = {}) {
	const form = formsOf((await browser.get(pageOf(id))).body).get(choice);
	if (!form) throw new Error(`the page has no form for "${choice}"`);
	return await browser.post(pageOf(id), { ...form, ...more });
}

async function phoneWritten(): Promise<unknown> {
	const links = await lab.store.scanLinks({ policy: POLICY, limit: 10 });
	return links[0]?.state.fields['phone']?.merged?.canon;
}

describe('at the door', () => {
	test('a browser that says nothing is asked for a name and a password, and sees nothing', async () => {
		const { status, headers, body } = await new FakeBrowser({ credentials: credentials() }).get('?view=reviews');
		expect(status).toBe(401);
		expect(headers['WWW-Authenticate']).toMatch(/^Basic /);
		expect(body).not.toContain(POLICY);
	});

	test.each([
		['a wrong password', { user: 'anna', password: 'wrong' }],
		['a wrong name', { user: 'bob', password: 'correct horse' }],
		['an empty password', { user: 'anna', password: '' }],
	])('%s opens nothing', async (_, given) => {
		const browser = new FakeBrowser({ credentials: credentials(), headers: basicHeader(given) });
		expect((await browser.get('')).status).toBe(401);
	});

	test('after ten wrong guesses not even the right password is listened to for a minute', async () => {
		const wrong = new FakeBrowser({ credentials: credentials(), headers: basicHeader({ user: 'anna', password: 'guess' }) });
		for (let guess = 0; guess < 11; guess += 1) expect((await wrong.get('')).status).toBe(401);
		const locked = await anna().get('');
		expect(locked.status).toBe(429);
		expect(Number(locked.headers['Retry-After'])).toBeGreaterThan(0);
		const elsewhere = new FakeBrowser({ credentials: credentials(), headers: basicHeader(BASIC), address: '10.0.0.2' });
		expect((await elsewhere.get('')).status).toBe(200);
		lab.later(61_000);
		expect((await anna().get('')).status).toBe(200);
	});

	test('an empty secret in a credential lets nobody in', async () => {
		const browser = new FakeBrowser({ credentials: { ...credentials(), httpBasicAuth: { user: '', password: '' } }, headers: basicHeader({ user: '', password: '' }) });
		expect((await browser.get('')).status).toBe(401);
	});

	test('behind a proxy the person is whom the proxy names, if it shows its secret', async () => {
		const parameters = { authentication: 'headerAuth' };
		const from = (headers: Record<string, string>) => new FakeBrowser({ credentials: credentials(), parameters, headers }).get('');
		expect((await from({ 'X-Proxy-Secret': 's3cret', 'X-Forwarded-User': 'Berta' })).body).toContain('Berta');
		expect((await from({ 'X-Proxy-Secret': 'other', 'X-Forwarded-User': 'Berta' })).status).toBe(401);
		expect((await from({ 'X-Proxy-Secret': 's3cret' })).status).toBe(401);
	});
});

describe('reviews', () => {
	test('an empty queue says what would be there', async () => {
		expect((await anna().get('')).body).toContain('Nothing waits.');
	});

	test('the list leads to the item, which shows both values, what differs, who had not seen whom, and what each choice does', async () => {
		const id = await phoneConflict();
		const list = await anna().get('?view=reviews');
		expect(list.body).toContain(`id=${encodeURIComponent(id)}`);
		const { body, status } = await anna().get(pageOf(id));
		expect(status).toBe(200);
		expect(body).toContain('P<mark>1</mark>');
		expect(body).toContain('P<mark>2</mark>');
		expect(body).toContain('had <b>not</b> seen billing');
		expect(body).toMatch(/billing<\/span><div>phone becomes <bdi class="value">P1/);
	});

	test('the value of a system is taken under the name of who decided, and starts the workflow', async () => {
		const id = await phoneConflict();
		const { status, headers, items } = await postTo(anna(), id, 'apply crm');
		expect(status).toBe(303);
		expect(headers['Location']).toBe(pageOf(id));
		expect(items).toMatchObject([{ json: { op: 'w', bisync: { console: { id, by: 'anna', choice: 'apply', fields: ['phone'] } } } }]);
		expect(await phoneWritten()).toBe('P1');
		expect(await lab.store.listReviews({ ids: [id], limit: 1 })).toMatchObject([{ state: 'resolved', closedBy: 'anna' }]);
		expect((await anna().get(pageOf(id))).body).toContain('by anna');
	});

	test('typed values are shown with what they would do before they are written', async () => {
		const id = await phoneConflict();
		const typed = { 'take-0': '=', 'text-0': 'P3' };
		const preview = await postTo(anna(), id, 'values', typed);
		expect(preview.status).toBe(200);
		expect(preview.body).toMatch(/crm<\/span><div>phone becomes <bdi class="value">P3/);
		expect(await phoneWritten()).not.toBe('P3');
		const confirmed = await anna().post(pageOf(id), formsOf(preview.body).get('values') ?? {});
		expect(confirmed.status).toBe(303);
		expect(await phoneWritten()).toBe('P3');
	});

	test('a form can be sent once', async () => {
		const id = await phoneConflict();
		const browser = anna();
		const form = formsOf((await browser.get(pageOf(id))).body).get('dismiss') ?? {};
		const [first, second] = await Promise.all([browser.post(pageOf(id), form), browser.post(pageOf(id), form)]);
		expect([first.status, second.status].sort()).toEqual([303, 409]);
	});

	test('the second of two operators hears who was first', async () => {
		const id = await phoneConflict();
		const form = formsOf((await anna().get(pageOf(id))).body).get('apply billing') ?? {};
		await postTo(anna(), id, 'apply crm');
		const late = await anna().post(pageOf(id), form);
		expect(late.status).toBe(409);
		expect(late.body).toContain('Already resolved by anna');
		expect(await phoneWritten()).toBe('P1');
	});

	test('a page of before the record changed again is refused', async () => {
		const id = await phoneConflict();
		const form = formsOf((await anna().get(pageOf(id))).body).get('apply crm') ?? {};
		const change = lab.billing.update({ account_no: '91', external_id: '1', name: 'Ann', contact_email: '1@x', status: 'active', phone: 'P9', credit_cents: '100', memo: 'n0' });
		await lab.run(new EchoFilter(), { items: itemsOf(change) });
		const stale = await anna().post(pageOf(id), form);
		expect(stale.status).toBe(409);
		expect(stale.body).toContain('has changed since');
	});

	test.each([
		['without a key', { key: '' }],
		['with the key of another token', { token: 'other' }],
		['with a key that was made up', { key: `9999999999999.${'a'.repeat(24)}.${'b'.repeat(43)}` }],
	])('a post %s changes nothing', async (_, changed) => {
		const id = await phoneConflict();
		const refused = await postTo(anna(), id, 'apply crm', changed);
		expect(refused.status).toBe(403);
		expect(await lab.store.listReviews({ ids: [id], limit: 1 })).toMatchObject([{ state: 'open' }]);
		expect(refused.items).toEqual([]);
	});

	test('who may only look is given no button, and is refused when they post all the same', async () => {
		const id = await phoneConflict();
		const form = formsOf((await anna().get(pageOf(id))).body).get('apply crm') ?? {};
		const reader = anna({ readers: 'bob, Anna' });
		expect(formsOf((await reader.get(pageOf(id))).body).size).toBe(0);
		expect((await reader.post(pageOf(id), form)).status).toBe(403);
	});

	test('a dead letter that is tried again leaves as the item that was pushed', async () => {
		await lab.run(new DeadLetterQueue(), { parameters: { operation: 'push' }, items: [{ json: { invoice: 7, error: { message: 'no such customer' } } }] });
		const [letter] = await lab.store.listReviews({ limit: 1 });
		const { items } = await postTo(anna(), letter?.id ?? '', 'retry');
		expect(items).toMatchObject([{ json: { invoice: 7 } }]);
	});

	test('looking at pages changes nothing', async () => {
		const id = await phoneConflict();
		const before = JSON.stringify([await lab.store.scanLinks({ policy: POLICY, limit: 10 }), await lab.store.listReviews({ limit: 10 })]);
		for (const address of ['', pageOf(id), `${pageOf(id)}&choice=apply&system=crm`, '?view=records&q=P1']) await anna().get(address);
		expect(JSON.stringify([await lab.store.scanLinks({ policy: POLICY, limit: 10 }), await lab.store.listReviews({ limit: 10 })])).toBe(before);
	});
});

describe('records', () => {
	test('are found by key and by value, and tell how they came to what they hold', async () => {
		await phoneConflict('7');
		const { body } = await anna().get('?view=records&q=7');
		const [, link = ''] = /view=record&amp;link=([0-9a-f]{32})/.exec(body) ?? [];
		expect((await anna().get('?view=records&q=P1')).body).toContain(link);
		const record = await anna().get(`?view=record&link=${link}`);
		expect(record.status).toBe(200);
		expect(record.body).toContain('waits:');
		expect(record.body).toMatch(/crm<\/span> changed <b>phone<\/b> from/);
		const phone = await anna().get(`?view=record&link=${link}&field=phone`);
		expect(phone.body).toContain('History of phone');
	});

	test('what does not exist is not found', async () => {
		for (const address of ['?view=nowhere', '?view=review&id=none', '?view=record&link=none', '?view=record', '?view=__proto__']) {
			expect((await anna().get(address)).status).toBe(404);
		}
	});
});

test('values of sensitive fields are on no page', async () => {
	const id = await phoneConflict();
	const [link] = await lab.store.scanLinks({ policy: POLICY, limit: 1 });
	const pages = await Promise.all(['', pageOf(id), `?view=record&link=${link?.state.id}`, '?view=records&q=1'].map((address) => anna().get(address)));
	for (const { body } of pages) expect(body).not.toContain('1@x');
	expect((await anna().get('?view=records&q=1@x')).body).toContain('No record with');
});

test('masked values are shown to who asks for them, and that is noted', async () => {
	const id = await phoneConflict();
	lab.close();
	lab = await openNodeLab();
	const sensitive = await phoneConflict();
	expect(id).toBe(sensitive);
	expect((await anna().get(pageOf(id))).body).not.toMatch(/P<mark>|"value">P\d/);
	const { body, items } = await postTo(anna(), id, 'reveal');
	expect(body).toContain('P<mark>1</mark>');
	expect(body).not.toContain('1@x');
	expect(items).toEqual([]);
	expect((await postTo(anna(), id, 'apply crm')).status).toBe(303);
	const journal = await lab.store.readJournal({ policy: POLICY, kinds: ['revealed'], limit: 10 });
	expect(journal).toMatchObject([{ entry: { detail: { by: 'anna', review: id, fields: ['phone'] } } }]);
	expect((await anna().get(pageOf(id))).body).toContain('looked at masked values');
});

test('pages may run nothing, load nothing and be framed by nobody', async () => {
	const { headers, body } = await anna().get('');
	const policy = headers['Content-Security-Policy'] ?? '';
	expect(policy).toContain("default-src 'none'");
	expect(policy).toMatch(/^sandbox allow-forms/);
	expect(policy).not.toMatch(/allow-scripts|allow-same-origin|unsafe/);
	expect(headers).toMatchObject({ 'X-Content-Type-Options': 'nosniff', 'X-Frame-Options': 'DENY', 'Referrer-Policy': 'no-referrer', 'Cache-Control': 'no-store' });
	expect(body).not.toMatch(/<script|\son\w+=|https?:\/\//i);
});

test('a form that is too large, or no form at all, is refused', async () => {
	const id = await phoneConflict();
	expect((await anna().post(pageOf(id), {}, { 'content-length': '70000' })).status).toBe(413);
	expect((await anna().post(pageOf(id), { key: ['a'], token: { a: 'b' }, __proto__: { choice: 'apply' } })).status).toBe(403);
});
