import { sharedPostgres } from '../support/shared-postgres';
import { makeStoreTemplate, type ScenarioDatabase } from './databases';
import { parseScenario } from './read-scenario';
import { runScenario, type ScenarioResult, type Stage } from './run-scenario';

/** A conflict over `phone`, an edit of `name` that reached billing, and one write. */
const START = `
name: a scenario
policy:
  policy: crm-billing
  systems: [crm, billing]
  entities:
    customer:
      crm:     { table: public.customers, key: [id] }
      billing: { table: public.accounts, key: [account_no] }
      match:   [[ref]]
      fields:
        ref:   { crm: id, billing: external_id, owner: crm }
        name:  { crm: full_name, billing: name, owner: crm }
        phone: { crm: phone, billing: phone, owner: shared, resolve: review }
setup:
  crm:     create table customers (id int primary key, full_name text, phone text)
  billing: create table accounts (account_no int primary key, external_id int unique, name text, phone text)
given:
  crm:     { customers: [ { id: 1, full_name: Ann, phone: P0 }, { id: 2, full_name: Bob, phone: ~ } ] }
  billing: { accounts:  [ { account_no: 9, external_id: 1, name: Ann, phone: P0 }, { account_no: 10, external_id: 2, name: Bob, phone: ~ } ] }
steps:
  - sql: { crm: "update customers set full_name = 'Anna', phone = 'P1' where id = 1" }
  - sql: { billing: "update accounts set phone = 'P2' where account_no = 9" }
  - pump
`;

let template: ScenarioDatabase;
let stage: Stage;

beforeAll(async () => {
	const servers = [await sharedPostgres(18)] as const;
	template = await makeStoreTemplate(servers[0]);
	stage = { servers, storeTemplate: template.name, storeKind: 'memory' };
});
afterAll(async () => await template.drop());

async function rehearsed(steps: string): Promise<ScenarioResult> {
	return await runScenario(parseScenario(`${START}${steps}`, 'a.yaml'), stage);
}

test('what is as expected passes', async () => {
	const { problems } = await rehearsed(`
  - expect:
      crm:       { customers: [ { id: 1, full_name: Anna, phone: P1 }, { full_name: Bob, phone: ~ } ] }
      billing:   { accounts: [ { name: Bob }, { account_no: 9, name: Anna, phone: P2 } ] }
      writes:    { crm: 0, billing: 1 }
      conflicts: 0
      reviews:   [ { kind: conflict, field: phone, reason: /phone/ } ]
      journal:   [ /observed/, /op billing/ ]
      frozen:    [ phone ]
      warnings:  []
      links:     2
`);
	expect(problems).toEqual([]);
});

test('every kind of wrong expectation is found out', async () => {
	const { problems, timeline } = await rehearsed(`
  - expect:
      crm:        { customers: [ { id: 1, full_name: Ann } ] }
      billing:    { accounts: [ { account_no: 9, name: Anna }, { account_no: 10, phone: "" }, { account_no: 11 } ] }
      writes:     { crm: 1, billing: 0 }
      conflicts:  1
      reviews:    [ { kind: conflict, field: phone, reason: /email/ } ]
      journal:    [ /op billing/, /taken in/ ]
      duplicates: 1
      reverts:    1
      gaps:       1
      frozen:     [ name ]
      warnings:   [ /foreign/ ]
      refused:    /closed/
      accepted:   1
      links:      1
      tombstones: 1
`);
	expect(problems.map((problem) => problem.replace(/^step 4, line \d+: /, '').split('\n')[0])).toEqual([
		'crm customers { id: "1" }: full_name is "Anna", expected "Ann"',
		'crm customers: there is another row { id: "2", phone: null, full_name: "Bob" }',
		'billing accounts { account_no: "10" }: phone is null, expected ""',
		'billing accounts: there is no row { account_no: 11 }',
		'conflicts: found 0, expected 1',
		'reverts: found 0, expected 1',
		'duplicates: found 0, expected 1',
		'gaps: found 0, expected 1',
		'accepted: found 0, expected 1',
		'links: found 2, expected 1',
		'tombstones: found 0, expected 1',
		'writes to crm: found 0, expected 1',
		'writes to billing: found 1, expected 0',
		'reviews: there is no open item { kind: conflict, field: phone, reason: /email/ }',
		'frozen: found phone, expected name',
		'journal: there is nothing that matches /taken in/, or not in this order',
		'warnings: none matches /foreign/; found none',
		'refused: expected /closed/, but the last action was carried out',
	]);
	expect(timeline.join('\n')).toMatch(/accounts 9: name "Ann" → "Anna" \(the sync, op \d to billing: applied\)/);
});

test.each([
	['an item that is left out', 'expect: { reviews: [] }', /found 1 open items, expected 0/],
	['a number of items', 'expect: { reviews: 0 }', /found 1 open items, expected 0/],
	['a refusal that was none', 'dismiss: { table: customers, key: { id: 2 }, system: crm, field: phone }', /no open review item/],
	['a death that never comes', 'kill: { at: C10 }', /never reached/],
	['a place that no write comes to', 'pause: { system: crm, at: before-write }', /No operation for crm came to/],
	['statements that fail', 'sql: { crm: "update nothing set x = 1" }', /relation "nothing" does not exist.*update nothing/],
	['a column that is not there', 'expect: { crm: { customers: [ { id: 1, fone: P1 }, { id: 2 } ] } }', /has no column "fone"/],
	['an approval of nothing', 'approve', /Nothing waits for approval/],
	['differences that nobody has looked for', 'expect: { differences: 0 }', /differences: there was no step "reconcile", expected 0/],
	['differences that are none', 'reconcile\n  - expect: { differences: 3 }', /differences: found 0, expected 3/],
])('%s fails', async (_what, step, problem) => {
	const { problems } = await rehearsed(`  - ${step}\n`);
	expect(problems.join('\n')).toMatch(problem);
});
