import { type PostgresServer, startPostgres } from '../support/embedded-postgres';
import { type RedisServer, startRedis } from '../support/redis-server';
import type { RehearseOptions } from './arguments';
import { makeStoreTemplate } from './databases';
import { readScenario } from './read-scenario';
import { runScenario, type ScenarioResult, type Stage } from './run-scenario';
import type { Scenario } from './scenario';
import { ScenarioError } from './scenario-error';

/** Prints a line. */
export type Say = (line: string) => void;

/** Reads all scenarios, then runs them. @returns the exit code */
export async function rehearse(files: readonly string[], options: RehearseOptions, say: Say): Promise<number> {
	const scenarios = files.map(readOrProblem);
	const problems = scenarios.flatMap((one) => (one instanceof ScenarioError ? [one.message] : []));
	if (problems.length > 0) {
		for (const problem of problems) say(problem);
		say(`0 passed, ${problems.length} failed`);
		return 1;
	}
	say('Starting two Postgres servers …');
	const hosts = new Hosts(say, options.store);
	try {
		const stage = await stageOn(await hosts.servers, options, await hosts.redis);
		return await runAll(scenarios as Scenario[], { stage, options, say });
	} catch (error) {
		// What runs when the servers are stopped can only fail.
		if (hosts.isInterrupted) return INTERRUPTED;
		throw error;
	} finally {
		await hosts.stop();
	}
}

function readOrProblem(file: string): Scenario | ScenarioError {
	try {
		return readScenario(file);
	} catch (error) {
		if (error instanceof ScenarioError) return error;
		throw error;
	}
}

type Servers = readonly [PostgresServer, PostgresServer];

/** As shells report Ctrl-C. */
const INTERRUPTED = 130;

/** Two servers that are gone in the end, however it comes. */
class Hosts {
	readonly servers: Promise<Servers>;
	/** Where the stores are, if they are there. */
	readonly redis: Promise<RedisServer | undefined>;
	isInterrupted = false;
	#stopping: Promise<void> | null = null;

	constructor(say: Say, store: RehearseOptions['store']) {
		// The limit only keeps the triggers from advising one.
		const start = async (): Promise<PostgresServer> => await startPostgres({ version: 18, settings: { max_slot_wal_keep_size: '4GB' } });
		this.servers = Promise.all([start(), start()]);
		this.redis = store === 'redis' ? startRedis({ keeps: true }) : Promise.resolve(undefined);
		this.redis.catch(() => undefined); // Whoever waits for it is told.
		for (const signal of ['SIGINT', 'SIGTERM'] as const) {
			process.once(signal, () => {
				say('Stopping the servers …');
				this.isInterrupted = true;
				void this.stop().finally(() => process.exit(INTERRUPTED));
			});
		}
	}

	async stop(): Promise<void> {
		this.#stopping ??= this.#stop();
		await this.#stopping;
	}

	async #stop(): Promise<void> {
		// Servers that have not come up clean up after themselves.
		const servers = await this.servers.catch(() => []);
		const redis = await this.redis.catch(() => undefined);
		await Promise.all([...servers, ...(redis ? [redis] : [])].map(async (server) => await server.stop()));
	}
}

async function stageOn(servers: Servers, { store }: RehearseOptions, redis: RedisServer | undefined): Promise<Stage> {
	const template = await makeStoreTemplate(servers[0]);
	return { servers, storeTemplate: template.name, storeKind: store, redis };
}

async function runAll(
	scenarios: readonly Scenario[],
	{ stage, options, say }: { stage: Stage; options: RehearseOptions; say: Say },
): Promise<number> {
	let passed = 0;
	let failed = 0;
	for (const scenario of scenarios) {
		const result = await runScenario(scenario, stage);
		say(report(result));
		if (result.problems.length === 0) passed += 1;
		else failed += 1;
		if (failed > 0 && !options.keepGoing) break;
	}
	const left = scenarios.length - passed - failed;
	if (left > 0) say(`${left} scenarios were not run; --keep-going runs them all`);
	say(`${passed} passed, ${failed} failed`);
	return failed === 0 ? 0 : 1;
}

function report({ name, seconds, problems, timeline }: ScenarioResult): string {
	if (problems.length === 0) return `ok  ${name} (${seconds.toFixed(1)} s)`;
	const indented = (lines: readonly string[]): string => lines.map((line) => `    ${line}`).join('\n');
	return `FAIL  ${name}\n${indented(timeline)}\n\n${indented(problems)}\n`;
}
