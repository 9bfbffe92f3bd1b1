import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { CRASH_POINTS } from '../support/crash-points';
import { SAMPLE_POLICY } from '../support/sample-policy';
import { parseArguments } from './arguments';
import { EXPECTATIONS } from './expectation';
import { parseScenario } from './read-scenario';
import { STEPS } from './steps';

const PAGE = readFileSync(join(__dirname, '../../docs/rehearse.md'), 'utf8');

describe('docs/rehearse.md', () => {
	test.each(Object.keys(STEPS))('tells of the step %s', (name) => {
		expect(PAGE).toMatch(new RegExp(`\`${name}(:| \`|\`)|- ${name}`));
	});

	test.each(Object.keys(EXPECTATIONS))('tells of the expectation %s', (name) => {
		expect(PAGE).toMatch(new RegExp(`\`${name}(:|\`)`));
	});

	test.each(Object.entries(CRASH_POINTS).filter(([point]) => point !== 'C6'))('tells of the crash point %s', (point, when) => {
		expect(PAGE).toContain(`| \`${point}\` | ${when} |`);
	});

	test('its example can be read', () => {
		const [, example = ''] = /```yaml\n([\s\S]*?)```/.exec(PAGE) ?? [];
		const inline = example.replace(/^policy: .*$/m, `policy:\n${SAMPLE_POLICY.replaceAll(/^/gm, '  ')}`);
		expect(parseScenario(inline, 'example.yaml').steps).toHaveLength(4);
	});
});

test('the command line is understood, or told what is wrong with it', () => {
	expect(parseArguments(['--store', 'memory', 'a.yaml', 'b'])).toEqual({
		store: 'memory',
		keepGoing: false,
		paths: ['a.yaml', 'b'],
		generate: null,
		isHelp: false,
	});
	expect(parseArguments(['--policy', 'my.policy.yaml', '--into', 'there'])).toMatchObject({
		keepGoing: true, // The table says what each case comes to.
		generate: { source: 'my.policy.yaml', folder: 'there' },
	});
	expect(parseArguments(['--into', 'there', 'a.yaml'])).toEqual({ problem: expect.stringContaining('name one with --policy') });
	expect(parseArguments(['--policy', 'my.policy.yaml', 'a.yaml'])).toEqual({ problem: 'Name either a policy, or scenarios.' });
	expect(parseArguments([])).toEqual({ problem: 'Name a scenario, or a folder with scenarios.' });
	expect(parseArguments(['--store', 'mongo', 'a.yaml'])).toEqual({ problem: '--store must be postgres, redis, memory, not "mongo"' });
	expect(parseArguments(['--what'])).toHaveProperty('problem');
});
