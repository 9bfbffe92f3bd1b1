import { join } from 'node:path';

import { type RedisServer, startRedis } from '../support/redis-server';
import { sharedPostgres } from '../support/shared-postgres';
import { makeStoreTemplate, type ScenarioDatabase } from './databases';
import { readScenario } from './read-scenario';
import { runScenario, type ScenarioResult, type Stage } from './run-scenario';

const FOLDER = join(__dirname, '../scenarios');

/** Where the sync store is asked for most: crashes, conflicts, answers, parents, copies. `npm run rehearse -- --store redis` runs all. */
const SCENARIOS = [
	'c04-killed',
	'c06-zombie',
	'c07-store-lost',
	'c07-store-restored',
	'h06-a-person-decides',
	'h04-same-shared-field',
	'h24-delete',
	'h30-both-create',
	'h32-match-value-changes',
	'r02-child-before-parent',
];

let redis: RedisServer;
let template: ScenarioDatabase;
let stage: Stage;

beforeAll(async () => {
	const servers = [await sharedPostgres(18), await sharedPostgres(15)] as const;
	[template, redis] = await Promise.all([makeStoreTemplate(servers[0]), startRedis({ keeps: true })]);
	stage = { servers, storeTemplate: template.name, storeKind: 'redis', redis };
});
afterAll(async () => {
	await Promise.all([template.drop(), redis.stop()]);
});

/** What a person would read. */
const told = ({ problems, timeline }: ScenarioResult): string => (problems.length === 0 ? '' : [...timeline, ...problems].join('\n'));

test.each(SCENARIOS)('%s, with the sync store in Redis', async (name) => {
	expect(told(await runScenario(readScenario(join(FOLDER, `${name}.yaml`)), stage))).toBe('');
});
