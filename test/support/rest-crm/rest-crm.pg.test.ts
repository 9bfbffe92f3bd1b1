import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import pg from 'pg';

import { openTestDatabase, type TestDatabase } from '../test-database';
import { waitUntil } from '../wait-until';
import { RestCrm } from './rest-crm';
import type { SwitchChange } from './switches';
import { type CrmEvent, signatureOf } from './webhooks';

let database: TestDatabase;
let crm: RestCrm;
beforeEach(async () => {
	database = await openTestDatabase('rest crm');
});
afterEach(async () => {
	await crm.close();
	await database.drop();
});

async function start(switches: SwitchChange = {}, token: string | null = null): Promise<void> {
	const pool = new pg.Pool(database.settings);
	crm = await RestCrm.start({ pool, switches, token });
}

interface Reply {
	readonly status: number;
	readonly headers: Headers;
	readonly body: Record<string, unknown>;
}

async function ask(
	method: string,
	path: string,
	{ headers = {}, body }: { headers?: Record<string, string>; body?: unknown } = {},
): Promise<Reply> {
	const sent = body === undefined ? {} : { body: JSON.stringify(body) };
	const type = body === undefined ? {} : { 'content-type': 'application/json' };
	const reply = await fetch(`${crm.url}${path}`, { method, headers: { ...type, ...headers }, ...sent });
	const text = await reply.text();
	const json = (text === '' ? {} : JSON.parse(text)) as Record<string, unknown>;
	return { status: reply.status, headers: reply.headers, body: json };
}

const post = async (body: object, headers: Record<string, string> = {}) =>
	await ask('POST', '/customers', { body, headers });
const patch = async (id: unknown, body: object, headers: Record<string, string> = {}) =>
	await ask('PATCH', `/customers/${String(id)}`, { body, headers });
const get = async (id: unknown, query = '', headers: Record<string, string> = {}) =>
	await ask('GET', `/customers/${String(id)}${query}`, { headers });

/** Takes what the CRM sends, the first `refusals` of it with 500. */
async function subscriber(refusals = 0) {
	const taken: { event: CrmEvent; body: string; signature: string }[] = [];
	let refused = 0;
	const server: Server = createServer((request, response) => {
		let body = '';
		request.on('data', (part) => (body += part));
		request.on('end', () => {
			if (refused++ < refusals) return response.writeHead(500).end();
			const signature = String(request.headers['x-crm-signature']);
			taken.push({ event: JSON.parse(body) as CrmEvent, body, signature });
			return response.end();
		});
	});
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	const { port } = server.address() as AddressInfo;
	crm.subscribe({ url: `http://127.0.0.1:${port}/`, secret: 's3cret' });
	return {
		taken,
		notesInOrder: () => taken.map(({ event }) => event.record['note']),
		close: () => server.close(),
	};
}

test('a record is made, read, changed in part, replaced and removed', async () => {
	await start();
	const made = await post({ name: 'Ann', note: 'n0', address: { city: 'Bern' } });
	expect(made).toMatchObject({ status: 201, body: { name: 'Ann', phone: null, version: 1 } });
	const { id } = made.body;
	expect(made.headers.get('location')).toBe(`/customers/${String(id)}`);
	await patch(id, { phone: '1', address: { country: 'CH' } });
	expect((await patch(id, { note: null })).body).toMatchObject({
		note: null,
		phone: '1',
		address: { city: 'Bern', country: 'CH' },
		version: 3,
	});
	const replaced = await ask('PUT', `/customers/${String(id)}`, { body: { name: 'Anna' } });
	expect(replaced.body).toMatchObject({ name: 'Anna', phone: null, version: 4 });
	expect((await ask('DELETE', `/customers/${String(id)}`)).status).toBe(204);
	expect((await get(id)).status).toBe(404);
});

test('a condition that is not fulfilled writes nothing, and where versions are only told it is ignored', async () => {
	await start();
	const { id } = (await post({ name: 'Ann' })).body;
	const stale = { 'if-match': '"v1"' };
	expect((await patch(id, { note: 'a' }, stale)).headers.get('etag')).toBe('"v2"');
	expect((await patch(id, { note: 'b' }, stale)).status).toBe(412);
	expect((await patch(id, { note: 'b' }, { 'if-match': 'W/"v2"' })).status).toBe(412);
	expect((await get(id, '', { 'if-none-match': '"v2"' })).status).toBe(304);
	crm.turn({ versions: 'informative' });
	expect((await patch(id, { note: 'c' }, stale)).status).toBe(200);
	crm.turn({ versions: 'none' });
	const bare = await get(id);
	expect(bare.headers.get('etag')).toBeNull();
	expect(bare.body).not.toHaveProperty('version');
});

test('what is invalid is refused with the property, and a second record with an external id with a conflict', async () => {
	await start();
	const invalid = await post({ name: 'Ann', email: 'nobody' });
	expect(invalid).toMatchObject({ status: 422, body: { problems: [{ property: 'email' }] } });
	expect((await post({ name: 'Ann', surname: 'x' })).status).toBe(422);
	await post({ name: 'Ann', external_id: 'e1' });
	expect((await post({ name: 'Bob', external_id: 'e1' })).status).toBe(409);
});

test('a request made twice with one key makes one record, unless that is switched off', async () => {
	await start();
	const key = { 'idempotency-key': 'op-1' };
	const both = await Promise.all([post({ name: 'Ann' }, key), post({ name: 'Ann' }, key)]);
	expect(new Set(both.map(({ body }) => body['id'])).size).toBe(1);
	expect((await crm.verdict()).twice).toEqual([]);
	crm.turn({ idempotencyKeys: false });
	await post({ name: 'Ann' }, key);
	expect((await crm.verdict()).twice).toEqual(['op-1']);
});

test('records are listed page by page, and found by what they hold', async () => {
	await start();
	for (let n = 1; n <= 5; n++) await post({ name: `c${n}`, email: `c${n}@example.com`, external_id: `e${n}` });
	const names: unknown[] = [];
	for (let cursor: unknown = ''; cursor !== null;) {
		const { body } = await ask('GET', `/customers?limit=2&cursor=${String(cursor)}`);
		names.push(...(body['items'] as { name: string }[]).map(({ name }) => name));
		cursor = body['next_cursor'];
	}
	expect(names).toEqual(['c1', 'c2', 'c3', 'c4', 'c5']);
	const found = await ask('GET', '/customers?email=c3%40example.com&external_id=e3');
	expect(found.body['items']).toMatchObject([{ name: 'c3' }]);
});

test('the history of a property tells who gave it each value', async () => {
	await start();
	const { id } = (await post({ name: 'Ann', note: 'n0' })).body;
	await crm.asUser('eve').patch(String(id), { note: 'n1' });
	const { body } = await get(id, '?history=note');
	expect(body['history']).toMatchObject({
		note: [{ value: 'n1', version: 2, by: 'eve' }, { value: 'n0', version: 1, by: 'api' }],
	});
	await crm.asUser('eve').patch(String(id), { phone: '1' });
	const { body: whole } = await get(id, '?earlier=2');
	expect(whole['earlier']).toMatchObject([{ note: 'n0', version: 1 }, { note: 'n1', phone: null, version: 2 }]);
});

test('requests beyond the rate are told when to come again, in seconds or as a date', async () => {
	await start({ rate: { capacity: 2, refillPerSecond: 0.5 } });
	const statuses = [await post({ name: 'a' }), await post({ name: 'b' }), await post({ name: 'c' })];
	expect(statuses.map(({ status }) => status)).toEqual([201, 201, 429]);
	expect(statuses[2]?.headers.get('retry-after')).toBe('2');
	const untilMs = Date.now() + 60_000;
	crm.turn({ rate: null, retryAfter: 'date', refuse: { status: 503, retryAfterSeconds: 7, untilMs } });
	const refused = await post({ name: 'd' });
	expect(refused.status).toBe(503);
	const at = Date.parse(refused.headers.get('retry-after') ?? '');
	expect(at - Date.now()).toBeGreaterThan(5_000);
	expect(at - Date.now()).toBeLessThanOrEqual(8_000);
});

test('without the token nothing is told', async () => {
	await start({}, 't0ken');
	expect((await post({ name: 'a' })).status).toBe(401);
	expect((await post({ name: 'a' }, { authorization: 'Bearer t0ken' })).status).toBe(201);
});

test('a write can be made although its reply is lost or an error, and an error can mean that nothing was written', async () => {
	await start();
	const { id } = (await post({ name: 'Ann' })).body;
	crm.turn({ faults: { loseReply: 1 } });
	await expect(patch(id, { note: 'a' })).rejects.toThrow('fetch failed');
	crm.turn({ faults: { loseReply: 0, failAfter: 1 } });
	expect((await patch(id, { note: 'b' })).status).toBe(500);
	crm.turn({ faults: { failAfter: 0, fail: 1 } });
	expect((await patch(id, { note: 'c' })).status).toBe(500);
	crm.turn({ faults: { fail: 0, staleRead: 1 } });
	expect((await get(id)).body['note']).toBe('a');
	crm.turn({ faults: { staleRead: 0 } });
	expect((await get(id)).body['note']).toBe('b');
});

test('events are signed, sent again until they are taken, and hold what was switched on', async () => {
	await start({ partialReplies: true });
	const hooks = await subscriber(2);
	const { id } = await crm.asUser('eve').create({ name: 'Ann', note: 'n0' });
	crm.turn({ webhooks: { body: 'partial' } });
	await waitUntil('the first event', () => hooks.taken.length === 1);
	expect((await patch(id, { note: 'n1' })).body).toEqual({
		id,
		note: 'n1',
		version: 2,
		updated_at: expect.any(String) as string,
	});
	await waitUntil('the second event', () => hooks.taken.length === 2);
	const [created, updated] = hooks.taken;
	expect(created?.event).toMatchObject({ type: 'customer.created', record: { id, phone: null } });
	expect(updated?.event).toMatchObject({ record: { id, note: 'n1' }, version: 2 });
	expect(updated?.event.record).not.toHaveProperty('phone');
	const { body, signature } = updated!;
	expect(signature).toBe(signatureOf(body, 's3cret', Number(/^t=(\d+),/.exec(signature)?.[1])));
	hooks.close();
});

test('events come twice, late and out of order, and held ones when they are asked for', async () => {
	await start({ webhooks: { duplicate: 1 } });
	const hooks = await subscriber();
	const eve = crm.asUser('eve');
	const { id } = await eve.create({ name: 'Ann', note: 'n0' });
	await waitUntil('both deliveries', () => hooks.taken.length === 2);
	expect(new Set(hooks.taken.map(({ event }) => event.id)).size).toBe(1);
	crm.turn({ webhooks: { duplicate: 0, delay: 0.7, delayMs: 200 } });
	const sent = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
	for (const note of sent) await eve.patch(id, { note });
	await waitUntil('all deliveries', () => hooks.taken.length === 2 + sent.length);
	const came = hooks.notesInOrder().slice(2);
	expect([...came].sort()).toEqual(sent);
	expect(came).not.toEqual(sent);
	crm.turn({ webhooks: { delay: 0, hold: true } });
	await eve.patch(id, { note: 'held' });
	expect(crm.webhooks.isIdle).toBe(true);
	await crm.webhooks.deliver(crm.webhooks.log.slice(-1));
	expect(hooks.notesInOrder().at(-1)).toBe('held');
	hooks.close();
});

test('the log names values that the client wrote over without having been shown them', async () => {
	await start({ webhooks: { hold: true } });
	const { id } = (await post({ name: 'Ann', note: 'n0', phone: '0' })).body;
	const eve = crm.asUser('eve');
	await eve.patch(String(id), { note: 'unseen', phone: 'seen' });
	await patch(id, { note: 'mine' });
	expect((await crm.verdict()).overwritten).toEqual([
		{ id, property: 'note', by: 'eve', value: 'unseen', version: 3 },
	]);
	await get(id);
	await patch(id, { phone: 'mine' });
	expect((await crm.verdict()).overwritten).toHaveLength(1);
});
