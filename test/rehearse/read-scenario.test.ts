import { SAMPLE_POLICY } from '../support/sample-policy';
import { parseScenario } from './read-scenario';
import type { Scenario } from './scenario';

const POLICY = SAMPLE_POLICY.split('\n').map((line) => `  ${line}`).join('\n');

function read(steps: string, head = ''): Scenario {
	return parseScenario(`name: a scenario\npolicy:\n${POLICY}\n${head}steps:\n${steps}`, '/some/where/a.yaml');
}

const problem = (steps: string, head?: string): string => {
	try {
		read(steps, head);
	} catch (error) {
		return error instanceof Error ? error.message.replace(/^a\.yaml:\d+: /, '') : String(error);
	}
	return 'none';
};

test('a scenario is read with the lines of its steps', () => {
	const { steps, policy } = read(`  - pump\n  - pump: { only: crm }\n  - clock: { crm: "+1h", billing: "-90m" }\n`);
	expect(policy.policy.name).toBe('crm-billing');
	expect(steps.map(({ number, step }) => [number, step])).toEqual([
		[1, { name: 'pump', given: {} }],
		[2, { name: 'pump', given: { only: 'crm' } }],
		[3, { name: 'clock', given: { crm: 3_600_000, billing: -5_400_000 } }],
	]);
	expect(steps[1]?.line).toBe((steps[0]?.line ?? 0) + 1);
});

test.each([
	['an unknown step', '  - pumpp\n', /^step 1: there is no step "pumpp"; there are "pump", "sql", /],
	['two steps in one', '  - { pump: {}, approve: {} }\n', /^step 1: a step is one of /],
	['a step that says nothing', '  - pump\n  - sql\n', /^step 2 \(sql\): says nothing/],
	['an unknown key of a step', '  - pump: { onyl: crm }\n', /^step 1 \(pump\): has the unknown key "onyl"; it may have "only" or "for"$/],
	['an unknown system', '  - sql: { cmr: select 1 }\n', /^step 1 \(sql\): there is no system "cmr"; the policy's systems are "crm" or "billing"$/],
	['an unknown expectation', '  - expect: { conflict: 1 }\n', /^step 1 \(expect\): "conflict" is no expectation; there are "writes", /],
	['rows that are none', '  - expect: { crm: { customers: { id: 1 } } }\n', /^step 1 \(expect\): "crm" must be lists of rows/],
	['an unknown table', '  - expect: { crm: { custmers: [] } }\n', /^step 1 \(expect\): there is no table "custmers" in crm; there are "customers"$/],
	['an unknown system in writes', '  - expect: { writes: { shop: 1 } }\n', /there is no system "shop"/],
	['a wrong key of a record', '  - dismiss: { table: customers, key: { no: 1 }, system: crm }\n', /"key" of the table customers must have "id"/],
	['an unknown field', '  - dismiss: { table: customers, key: { id: 1 }, system: crm, field: fone }\n', /the policy has no field "fone"; it has "record", /],
	['an unknown field of a review', '  - expect: { reviews: [ { field: fone } ] }\n', /the policy has no field "fone"/],
	['an unknown key of a review', '  - expect: { reviews: [ { feild: phone } ] }\n', /"reviews\.0" has the unknown key "feild"; it may have "kind", "field" or "reason"/],
	['an answer that is none', '  - resolve: { table: customers, key: { id: 1 }, system: crm }\n', /must have either "apply" \(whose value\) or "value"/],
	['a place where no process dies', '  - kill: { at: C9 }\n', /^step 1 \(kill\): "at" .*C1/],
	['a time that is none', '  - wait: soon\n', /must be a time such as 2s/],
	['a pattern that is none', '  - expect: { journal: [ "/(/" ] }\n', /is no regular expression/],
	['a policy that is none', '  - policy: { entities: { customer: { fields: { phone: { owner: nobody } } } } }\n', /^step 1|owner/],
	['a policy of other systems', '  - policy: { policy: other }\n', /^step 1 \(policy\): the name and the systems of the policy cannot change$/],
])('%s is told', (_what, steps, message) => {
	expect(problem(steps)).toMatch(message);
});

test('names outside of the steps are checked too', () => {
	expect(problem('  - pump\n', 'given: { crm: { custmers: [] } }\n')).toMatch(/^"given" there is no table "custmers" in crm/);
	expect(problem('  - pump\n', 'setup: { shop: select 1 }\n')).toMatch(/^"setup" there is no system "shop"/);
	expect(problem('  - pump\n', 'polled: [shop]\n')).toMatch(/^"polled" there is no system "shop"/);
	expect(problem('  - pump\n', 'given: { crm: { audit: [] } }\nsetup: { crm: "create table audit (x int)" }\n')).toBe('none');
});

test('what is no YAML is told with its line', () => {
	expect(() => parseScenario('name: a\nsteps:\n  - { pump\n', 'a.yaml')).toThrow(/^a\.yaml:[34]: /);
	expect(() => parseScenario('name: a\nwhat: b\n', 'a.yaml')).toThrow(/has the unknown key "what"; it may have "name", "policy", "polled", "setup", "given" or "steps"/);
	expect(() => parseScenario('name: a\npolicy: none.yaml\nsteps: [pump]\n', '/x/a.yaml')).toThrow(/the policy none\.yaml cannot be read/);
});
