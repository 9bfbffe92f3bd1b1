import { readdirSync } from 'node:fs';
import { join } from 'node:path';

import { sharedPostgres } from '../support/shared-postgres';
import { makeStoreTemplate, type ScenarioDatabase } from './databases';
import { readScenario } from './read-scenario';
import { runScenario, type ScenarioResult, type Stage } from './run-scenario';

const FOLDER = join(__dirname, '../scenarios');
const files = readdirSync(FOLDER).filter((name) => name.endsWith('.yaml') && !name.endsWith('.policy.yaml'));

let template: ScenarioDatabase;
let stage: Stage;

beforeAll(async () => {
	// The oldest and the newest server, one for each system.
	const servers = [await sharedPostgres(18), await sharedPostgres(15)] as const;
	template = await makeStoreTemplate(servers[0]);
	stage = { servers, storeTemplate: template.name, storeKind: 'postgres' };
});
afterAll(async () => await template.drop());

/** What a person would read. */
const told = ({ problems, timeline }: ScenarioResult): string => (problems.length === 0 ? '' : [...timeline, ...problems].join('\n'));

test.each(files)('%s', async (file) => {
	expect(told(await runScenario(readScenario(join(FOLDER, file)), stage))).toBe('');
});
