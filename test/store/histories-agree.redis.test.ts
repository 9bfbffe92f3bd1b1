import fc from 'fast-check';

import type { MemoryState } from '../../src/store/memory-state';
import type { SyncStore } from '../../src/store/sync-store';
import { type RedisServer, startRedis } from '../support/redis-server';
import { redisClient } from '../support/redis-store-home';
import { type Command, commandOf, letGoOfAll, perform } from '../support/simulated-commands';
import { FIELD_RULES, simulatedPolicy } from '../support/simulated-policy';
import { SimulatedSync } from '../support/simulated-sync';

/** More with PROPERTY_RUNS=1000. A failure prints its seed, and PROPERTY_SEED gives the same histories again. */
const RUNS = Number(process.env['PROPERTY_RUNS'] ?? 25);
const SEED = Number(process.env['PROPERTY_SEED'] ?? Date.now() % 2 ** 31);
const TIME_LIMIT_MS = Number(process.env['PROPERTY_MS'] ?? 30_000);

/** Verbs whose answers do not depend on the clock. */
const VERBS = [
	...(['publishPolicy', 'approve', 'suspend', 'setMode', 'registerStream', 'recordAcknowledged', 'load', 'scanLinks'] as const),
	...(['countRecords', 'findPassed', 'findAlike', 'commit', 'noteAttempts', 'changeReviews', 'listReviews', 'readJournal'] as const),
];
type Verb = (typeof VERBS)[number];

/** What a node asked of the memory store, and what it was told. */
interface Call {
	readonly verb: Verb;
	readonly given: readonly unknown[];
	readonly answer: unknown;
}

let server: RedisServer;
let stores = 0;
// Workers that meet wait a random while before they try again; here nobody gains anything by waiting.
beforeAll(async () => {
	jest.spyOn(Math, 'random').mockReturnValue(0);
	server = await startRedis();
});
afterAll(async () => {
	jest.restoreAllMocks();
	await server.stop();
});

/** Notes every call from now on. */
function record(state: MemoryState): Call[] {
	const calls: Call[] = [];
	for (const verb of VERBS) {
		const work = state[verb].bind(state) as (...given: unknown[]) => unknown;
		const noted = (...given: unknown[]): unknown => {
			const asked = structuredClone(given);
			try {
				const answer = work(...given);
				calls.push({ verb, given: asked, answer: structuredClone(answer) });
				return answer;
			} catch (error) {
				calls.push({ verb, given: asked, answer: String(error) });
				throw error;
			}
		};
		Object.assign(state, { [verb]: noted });
	}
	return calls;
}

/** Without times, the order of links, and what makes each store itself. */
function comparable(answer: unknown): unknown {
	const told = JSON.parse(JSON.stringify(answer ?? null)) as unknown;
	if (Array.isArray(told)) return told.map(comparable);
	if (typeof told !== 'object' || told === null) return told;
	const omitted = ['atMs', 'openedAtMs', 'updatedAtMs', 'storeId', 'macKey'];
	const entries = Object.entries(told).filter(([name]) => !omitted.includes(name));
	return Object.fromEntries(entries.map(([name, value]) => [name, name === 'links' ? byId(comparable(value)) : comparable(value)]));
}

function byId(links: unknown): unknown {
	const idOf = (link: unknown): string => (link as { state?: { id?: string } })?.state?.id ?? '';
	return Array.isArray(links) ? [...(links as unknown[])].sort((a, b) => (idOf(a) < idOf(b) ? -1 : idOf(a) > idOf(b) ? 1 : 0)) : links;
}

async function tellRedis(calls: readonly Call[]): Promise<void> {
	const redis = redisClient(server, { prefix: `h${stores++}`, graceMs: 0 });
	try {
		await redis.migrate();
		for (const { verb, given, answer } of calls) {
			const work = (redis[verb] as (...given: unknown[]) => Promise<unknown>).bind(redis as SyncStore);
			const told = await work(...given).catch((error: unknown) => String(error));
			expect({ verb, given, answer: comparable(told) }).toEqual({ verb, given, answer: comparable(answer) });
		}
	} finally {
		await redis.close();
	}
}

const options = { fields: ['note', 'phone'], unique: false, moves: true, holds: true };
const history = fc.record({
	systems: fc.constantFrom(['crm', 'billing'], ['crm', 'billing', 'shop']),
	deletes: fc.constantFrom('review' as const, 'update-wins' as const, 'delete-wins' as const),
	note: fc.constantFrom(...FIELD_RULES),
	phone: fc.constantFrom(...FIELD_RULES),
	commands: fc.array(commandOf(options), { maxLength: 60, size: 'max' }),
});

/** The convergence suite runs on the memory store; whatever its nodes ask there, Redis must answer in the same words. */
test('in any history, with crashes, lost commits and people in between, Redis answers as the memory store does', async () => {
	const live = async (systems: readonly string[], policy: ReturnType<typeof simulatedPolicy>, commands: readonly Command[]): Promise<Call[]> => {
		const sync = new SimulatedSync({ systems, policy, checksCausality: false });
		const calls = record(sync.store.state);
		await sync.start('first-contact');
		for (const system of systems) sync.user(system, [{ do: 'insert', fields: { ref: 'r1', note: system, phone: 'x' } }]);
		for (const command of commands) await perform(sync, command);
		await letGoOfAll(sync);
		await sync.pump();
		return calls;
	};
	await fc.assert(
		fc.asyncProperty(history, async ({ systems, deletes, note, phone, commands }) => {
			const calls = await live(systems, simulatedPolicy(systems, { note, phone }, deletes), commands);
			await tellRedis(calls);
		}),
		{ numRuns: RUNS, seed: SEED, interruptAfterTimeLimit: TIME_LIMIT_MS },
	);
});
