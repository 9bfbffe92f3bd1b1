import { setTimeout as wait } from 'node:timers/promises';

import { fastify, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { z, ZodError } from 'zod/v4';

import { type Random, seededRandom } from '../seeded-random';
import { Patch, PROPERTIES, Whole, whole } from './customer';
import { type Limiter, retryAfter } from './limiter';
import { type Author, CLIENT, type Condition, type Records, type Version, type Written } from './records';
import { bodyOf, etagOf, historyOf, show, versionAskedFor } from './representation';
import type { Shown } from './shown';
import type { SwitchChange, Switches } from './switches';

/** What the routes work with. */
export interface ApiHost {
	readonly records: Records;
	readonly shown: Shown;
	readonly limiter: Limiter;
	readonly token: string | null;
	readonly switches: Switches;
	turn(change: SwitchChange): void;
	announce(written: Written): void;
}

/** What else is asked for, such as the history, is told of single records only. */
const Page = z.object({
	limit: z.coerce.number().int().min(1).max(100).default(20),
	cursor: z.string().default(''),
	email: z.string().optional(),
	external_id: z.string().optional(),
});
const Named = z.object({ id: z.string() });
/** `history`: names of properties whose former values are told; `earlier`: how many former states of the record. */
const Asked = z.object({ history: z.string().optional(), earlier: z.coerce.number().int().min(0).optional() });

/** Where a reply comes from, and what may befall it. */
interface Answer {
	readonly host: ApiHost;
	readonly random: Random;
	readonly request: FastifyRequest;
	readonly reply: FastifyReply;
}

/** @param seed - of the faults */
export function openApi(host: ApiHost, seed: number): FastifyInstance {
	const server = fastify({ forceCloseConnections: true });
	const random = seededRandom(seed).fork();
	server.addHook('onRequest', async (request, reply) => {
		if (request.url.startsWith('/__')) return;
		await turnAway(host, request, reply);
	});
	server.addHook('preHandler', async ({ url }, reply) => {
		const { slow, slowMs, fail } = host.switches.faults;
		if (url.startsWith('/__')) return;
		if (happens(random, slow)) await wait(slowMs);
		if (happens(random, fail)) await reply.code(500).send({ error: 'internal' });
	});
	server.setErrorHandler(async (error, _request, reply) => {
		if (!(error instanceof ZodError)) return await reply.send(error);
		const problems = error.issues.map(({ path, message }) => ({ property: path.join('.'), message }));
		return await reply.code(422).send({ error: 'invalid', problems });
	});
	const answer = (request: FastifyRequest, reply: FastifyReply): Answer => ({ host, random, request, reply });
	server.get('/customers', async (request, reply) => await list(answer(request, reply)));
	server.post('/customers', async (request, reply) => await create(answer(request, reply)));
	server.get('/customers/:id', async (request, reply) => await read(answer(request, reply)));
	for (const method of ['PATCH', 'PUT', 'DELETE'] as const) {
		const handler = async (request: FastifyRequest, reply: FastifyReply) =>
			await change(answer(request, reply), method);
		server.route({ method, url: '/customers/:id', handler });
	}
	server.get('/__switches', async () => host.switches);
	server.put('/__switches', async (request) => {
		host.turn(request.body as SwitchChange);
		return host.switches;
	});
	return server;
}

async function turnAway(host: ApiHost, request: FastifyRequest, reply: FastifyReply): Promise<void> {
	const { token, limiter, switches } = host;
	if (token !== null && request.headers.authorization !== `Bearer ${token}`) {
		await reply.code(401).send({ error: 'unauthorized' });
		return;
	}
	const refusal = limiter.refusal(switches, Date.now());
	if (!refusal) return;
	const { retryAfterSeconds: seconds } = refusal;
	if (seconds !== null) reply.header('retry-after', retryAfter(seconds, switches.retryAfter, Date.now()));
	await reply.code(refusal.status).send({ error: 'try again later' });
}

async function list({ host, request, reply }: Answer): Promise<unknown> {
	const { limit, cursor, ...where } = Page.parse(request.query);
	const after = Buffer.from(cursor, 'base64url').toString();
	const found = await host.records.list({ after, limit: limit + 1, where: definedOnly(where) });
	const page = found.slice(0, limit);
	for (const version of page) host.shown.note(version);
	const last = found.length > limit ? page.at(-1) : undefined;
	return await reply.send({
		items: page.map((version) => bodyOf(version, host.switches)),
		next_cursor: last ? Buffer.from(last.id).toString('base64url') : null,
	});
}

async function read({ host, random, request, reply }: Answer): Promise<unknown> {
	const { id } = Named.parse(request.params);
	const log = await host.records.history(id);
	const stale = happens(random, host.switches.faults.staleRead);
	const version = (stale ? log[1] : undefined) ?? log[0];
	if (!version?.customer) return await reply.code(404).send({ error: 'not found' });
	const { switches, shown } = host;
	if (switches.versions !== 'none' && request.headers['if-none-match'] === etagOf(version)) {
		return await reply.code(304).header('etag', etagOf(version)).send();
	}
	const known = log.filter((one) => one.version <= version.version);
	return await show(reply, { version, switches, shown, more: switches.history ? toldOf(known, request) : {} });
}

/** What is told of the past, where that is asked for. */
function toldOf(log: readonly Version[], { query }: FastifyRequest): Record<string, unknown> {
	const { history, earlier } = Asked.parse(query);
	const names = history?.split(',').filter((name) => PROPERTIES.some((known) => known === name));
	const states = log.slice(1, 1 + (earlier ?? 0)).filter(({ customer }) => customer !== null);
	return {
		...(names ? { history: historyOf(log, names) } : {}),
		...(earlier === undefined ? {} : { earlier: states.reverse().map((one) => bodyOf(one, { versions: 'informative' })) }),
	};
}

async function create(answer: Answer): Promise<unknown> {
	const { host, request, reply } = answer;
	const customer = whole(Whole.parse(request.body));
	const key = host.switches.idempotencyKeys ? keyOf(request) : null;
	const author = { by: CLIENT, request: keyOf(request) };
	const written = await host.records.create(customer, author, { key });
	if ('version' in written) reply.code(201).header('location', `/customers/${written.version.id}`);
	return await finish(answer, written);
}

async function change(answer: Answer, method: 'PATCH' | 'PUT' | 'DELETE'): Promise<unknown> {
	const { host, request } = answer;
	const { id } = Named.parse(request.params);
	const ifVersion = host.switches.versions === 'conditional' ? versionAskedFor(request) : null;
	const by: Author & Condition = {
		by: CLIENT,
		request: keyOf(request),
		seen: host.shown.of(id),
		ifVersion,
	};
	switch (method) {
		case 'PATCH':
			return await finish(answer, await host.records.patch(id, Patch.parse(request.body), by));
		case 'PUT':
			return await finish(answer, await host.records.replace(id, Whole.parse(request.body), by));
		case 'DELETE':
			return await finish(answer, await host.records.remove(id, by));
	}
}

const STATUS = { missing: 404, precondition: 412, duplicate: 409 } as const;

/** Answers a write that was made, unless the answer gets lost. */
async function finish({ host, random, request, reply }: Answer, written: Written): Promise<unknown> {
	if (!('version' in written)) return await reply.code(STATUS[written.kind]).send({ error: written.kind });
	host.announce(written);
	const { switches, shown } = host;
	if (happens(random, switches.faults.loseReply)) {
		reply.hijack();
		request.raw.socket.destroy();
		return reply;
	}
	if (happens(random, switches.faults.failAfter)) return await reply.code(500).send({ error: 'internal' });
	const { version } = written;
	if (!version.customer) return await reply.code(204).send();
	return await show(reply, { version, switches, shown, ...partOf(request, version, switches) });
}

function partOf(request: FastifyRequest, version: Version, { partialReplies }: Switches) {
	return partialReplies && request.method === 'PATCH' ? { names: version.changed } : {};
}

function keyOf(request: FastifyRequest): string | null {
	const key = request.headers['idempotency-key'];
	return typeof key === 'string' ? key : null;
}

function happens(random: Random, chance: number): boolean {
	return random.below(1_000_000) < chance * 1_000_000;
}

function definedOnly({ email, external_id }: { email?: string | undefined; external_id?: string | undefined }) {
	return { ...(email === undefined ? {} : { email }), ...(external_id === undefined ? {} : { external_id }) };
}
