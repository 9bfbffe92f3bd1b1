import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import fc from 'fast-check';
import { parse } from 'yaml';

import type { Json } from '../../../src/core/canonical-json';
import { policyOf } from '../../../src/core/parse-policy';
import { arbitraryPolicy } from '../../support/arbitrary-policy';
import { SAMPLE_POLICY } from '../../support/sample-policy';
import { changedDocument, policyVersion } from '../policy-version';
import { parseScenario, readPolicyFile, readScenario } from '../read-scenario';
import { generateScenarios } from './generate-scenarios';
import { literal, typeFor } from './invented-tables';
import { writeScenarios } from './write-scenarios';

test('of any policy, each case has a scenario that can be read, or a reason why it has none', () => {
	fc.assert(
		fc.property(arbitraryPolicy(), (document) => {
			const policy = policyOf(document);
			const { scenarios, left, rehearsal } = generateScenarios(policy, 'any.policy.yaml');
			expect(scenarios.length + left.length).toBe(rehearsal.cases.length);
			expect(new Set(scenarios.map(({ file }) => file)).size).toBe(scenarios.length);
			for (const one of scenarios) parseScenario(JSON.stringify({ ...one.document, policy: policy.document }), one.file);
		}),
		{ numRuns: Number(process.env['PROPERTY_RUNS'] ?? 8) },
	);
});

test('a folder holds the policy without its signatures, the table of outcomes, and scenarios as they were made', async () => {
	const folder = await mkdtemp(join(tmpdir(), 'bisync-generated-'));
	try {
		const version = policyVersion(changedDocument(parse(SAMPLE_POLICY) as Json, { signOff: 'required' }));
		const { files, scenarios, rehearsal } = await writeScenarios(version, { source: 'somewhere/my.policy.yaml', folder });
		expect((await readdir(folder)).length).toBe(files.length + 2);
		expect(readPolicyFile(join(folder, 'my.policy.yaml')).policy.signOff).toBe('off');
		expect(await readFile(join(folder, 'outcome.md'), 'utf8')).toContain(rehearsal.hash);
		const [first] = files;
		expect(readScenario(first ?? '').name).toBe(scenarios[0]?.document['name']);
	} finally {
		await rm(folder, { recursive: true });
	}
});

test.each([
	[[null, null], 'text'],
	[['1', null], 'text'],
	[[1, 2], 'int'],
	[[1, 2.5], 'double precision'],
	[[1, '2'], 'text'],
	[[true, null], 'boolean'],
	[[['a'], []], 'text[]'],
	[[{ a: 1 }], 'jsonb'],
])('a column of %j is %s', (values, type) => {
	expect(typeFor(values)).toBe(type);
});

test('a text of a user ends where it should', () => {
	expect([literal("it's"), literal(null), literal(["a'", 'b']), literal({ a: "'" })]).toEqual(["'it''s'", 'null', "array['a''', 'b']::text[]", `'{"a":"''"}'::jsonb`]);
});
