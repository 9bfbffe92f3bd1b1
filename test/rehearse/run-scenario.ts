import type { PostgresServer } from '../support/embedded-postgres';
import type { RedisServer } from '../support/redis-server';
import { ApiSystem, isApi } from './api-system';
import { begin } from './begin';
import { wrongFacts } from './check-expectation';
import { ScenarioDatabase } from './databases';
import { readFacts } from './facts';
import { brokenInvariants, unaskedWrites } from './invariants';
import { noteReviews } from './operator';
import { pump } from './pump';
import { Rehearsal } from './rehearsal';
import { runStep } from './run-steps';
import type { NumberedStep, Scenario } from './scenario';
import { ScenarioError } from './scenario-error';
import { openRedisHome } from './redis-home';
import { openMemoryHome, openPostgresHome, type StoreHome, type StoreKind } from './store-home';
import { type DoneStep, timeline } from './timeline';

/** Where scenarios run, prepared once for all of them. */
export interface Stage {
	/** A system each, in turn. */
	readonly servers: readonly [PostgresServer, ...PostgresServer[]];
	/** A database of the first server that is an empty sync store. */
	readonly storeTemplate: string;
	readonly storeKind: StoreKind;
	/** Where stores of the kind `redis` are. */
	readonly redis?: RedisServer | undefined;
}

export interface ScenarioResult {
	readonly name: string;
	readonly seconds: number;
	/** What was not as it should be; none when it passed. */
	readonly problems: readonly string[];
	/** What happened, for whoever looks for the reason. */
	readonly timeline: readonly string[];
}

/** Runs one scenario on databases of its own, which are gone afterwards. */
export async function runScenario(scenario: Scenario, stage: Stage): Promise<ScenarioResult> {
	const startedMs = performance.now();
	const [server] = stage.servers;
	const [databases, apis, home] = await Promise.all([openDatabases(scenario, stage), openApis(scenario, stage), openHome(stage)]);
	const rehearsal = new Rehearsal({ scenario, databases, apis, home, storePort: home.port ?? server.port });
	try {
		const found = await play(rehearsal);
		const seconds = (performance.now() - startedMs) / 1_000;
		return { name: scenario.name, seconds, ...found };
	} finally {
		await rehearsal.endProcess();
		for (const system of databases.keys()) await rehearsal.closeWitness(system);
		const places = [home, ...databases.values(), ...apis.values()];
		await Promise.all(places.map(async (place) => await place.drop()));
	}
}

async function openDatabases({ policy }: Scenario, { servers }: Stage): Promise<Map<string, ScenarioDatabase>> {
	const { systems } = policy.policy;
	const opening = systems.map(async (system, index): Promise<[string, ScenarioDatabase] | null> => {
		if (isApi(policy.policy, system)) return null;
		const server = servers[index % servers.length] ?? servers[0];
		return [system, await ScenarioDatabase.create(server, system)];
	});
	return new Map((await Promise.all(opening)).filter((one) => one !== null));
}

async function openApis({ policy }: Scenario, { servers }: Stage): Promise<Map<string, ApiSystem>> {
	const systems = policy.policy.systems.filter((system) => isApi(policy.policy, system));
	const opening = systems.map(async (system) => [system, await ApiSystem.open(servers[0], system)] as const);
	return new Map(await Promise.all(opening));
}

async function openHome({ servers, storeTemplate, storeKind, redis }: Stage): Promise<StoreHome> {
	if (storeKind === 'redis') {
		if (!redis) throw new TypeError('no Redis was started');
		return await openRedisHome(redis);
	}
	return storeKind === 'memory' ? openMemoryHome() : await openPostgresHome(servers[0], storeTemplate);
}

type Found = Pick<ScenarioResult, 'problems' | 'timeline'>;

async function play(rehearsal: Rehearsal): Promise<Found> {
	const done: DoneStep[] = [];
	try {
		await begin(rehearsal);
		for (const step of rehearsal.scenario.steps) {
			done.push({ step, atMs: Date.now() });
			const problems = await playStep(rehearsal, step);
			if (problems.length > 0) return await failed(rehearsal, done, problems);
		}
		const problems = await wrongEnd(rehearsal);
		return problems.length === 0 ? { problems, timeline: [] } : await failed(rehearsal, done, problems);
	} catch (error) {
		if (!(error instanceof ScenarioError)) throw error;
		return await failed(rehearsal, done, [error.message]);
	}
}

async function playStep(rehearsal: Rehearsal, step: NumberedStep): Promise<string[]> {
	await runStep(rehearsal, step);
	await noteReviews(rehearsal);
	const facts = await readFacts(rehearsal);
	if (step.step.name === 'expect') return await wrongFacts(rehearsal, facts, step.step.given);
	if (step.step.name !== 'pump') return [];
	return [...unexpectedHalts(rehearsal, step), ...(await brokenInvariants(rehearsal, facts, { isAtRest: await isAtRest(rehearsal, step) }))];
}

/** Whether everything has been delivered and decided that there is. */
async function isAtRest(rehearsal: Rehearsal, { step }: NumberedStep): Promise<boolean> {
	const isPartial = step.name !== 'pump' || step.given.only !== undefined || rehearsal.halted.size > 0;
	return !isPartial && (await rehearsal.published()).mode === 'live';
}

/** A trigger that does not start must be what the scenario is about. */
function unexpectedHalts({ halted, scenario }: Rehearsal, { number }: NumberedStep): string[] {
	const next = scenario.steps[number]?.step;
	const isExpected = next?.name === 'expect' && (next.given.gaps !== undefined || next.given.warnings !== undefined);
	return isExpected ? [] : [...halted].map(([system, why]) => `the trigger of ${system} does not start: ${why}`);
}

/** Once more at the very end: who has nothing to do writes nothing. */
async function wrongEnd(rehearsal: Rehearsal): Promise<string[]> {
	const unreached = rehearsal.faults.filter(({ left }) => left > 0);
	if (unreached.length > 0) return unreached.map(({ at }) => `the process was to be killed at ${at}, which was never reached`);
	const acts = rehearsal.scenario.steps.map(({ step }) => step).filter(({ name }) => name !== 'expect' && name !== 'wait');
	const last = acts.at(-1);
	if (rehearsal.halted.size > 0) return [];
	if (last?.name !== 'pump' || last.given.only !== undefined) await pump(rehearsal);
	const before = await readFacts(rehearsal);
	await pump(rehearsal);
	return unaskedWrites(before, await readFacts(rehearsal));
}

async function failed(rehearsal: Rehearsal, done: readonly DoneStep[], problems: readonly string[]): Promise<Found> {
	const last = done.at(-1);
	const place = last ? `step ${last.step.number}, line ${last.step.line}: ` : 'before the first step: ';
	const told = rehearsal.witnesses.size === 0 ? [...rehearsal.errors, ...rehearsal.logs] : timeline(rehearsal, await readFacts(rehearsal), done);
	return { problems: problems.map((problem) => `${place}${problem}`), timeline: told };
}
