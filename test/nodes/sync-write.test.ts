import type { INodeExecutionData } from 'n8n-workflow';

import { EchoFilter } from '../../nodes/EchoFilter/EchoFilter.node';
import { FieldAuthorityMerge } from '../../nodes/FieldAuthorityMerge/FieldAuthorityMerge.node';
import { SyncWrite } from '../../nodes/SyncWrite/SyncWrite.node';
import type { StoredMode } from '../../src/core/journal';
import { freePort } from '../support/free-port';
import { linkedCustomer } from '../support/node-chain';
import { findings, itemsOf, type NodeLab, openNodeLab, POLICY } from '../support/node-lab';

const APPLIED = 0;
const FAILED = 2;

let lab: NodeLab;
let credentials: Record<string, Record<string, unknown>>;
beforeEach(async () => {
	lab = await openNodeLab();
	// Nobody listens there: a test that reached for the database would see it.
	const address = {
		host: '127.0.0.1',
		port: await freePort(),
		database: 'crm',
		user: 'u',
		password: 'p',
	};
	credentials = { bisyncPostgresApi: address };
});
afterEach(() => lab.close());

const write = new SyncWrite();

/** What Merge hands out for billing after an edit of the crm. */
async function toBilling(id = '1') {
	const { crm } = await linkedCustomer(lab, id);
	const seen = await lab.run(new EchoFilter(), {
		items: itemsOf(lab.crm.update({ ...crm, note: 'n1' })),
	});
	const { outputs } = await lab.run(new FieldAuthorityMerge(), { items: seen.outputs[0] ?? [] });
	return outputs[1] ?? [];
}

test('an item of another output leaves by Failed, and says which output belongs where', async () => {
	const { outputs } = await lab.run(write, {
		items: await toBilling(),
		parameters: { system: 'crm' },
		credentials,
	});
	expect(outputs.map((output) => output.length)).toEqual([0, 0, 1]);
	expect(findings(outputs[FAILED]?.[0], 'write')).toMatchObject({
		outcome: 'none',
		error: {
			code: 'WRONG_SYSTEM',
			message: expect.stringContaining(
				'connect the output "Write to billing" of Field Authority Merge to the Sync Write of billing',
			),
		},
	});
});

test('an item without an operation leaves by Failed, and says where items come from', async () => {
	const items = [{ json: { id: 1 } }, { json: { bisync: { merge: { op: { id: 'x' } } } } }];
	const { outputs } = await lab.run(write, { items, credentials });
	const errors = outputs[FAILED]?.map((item) => findings(item, 'write')['error']);
	expect(errors).toMatchObject([
		{ code: 'NOT_AN_OPERATION', message: 'The item says nothing about what is to be written' },
		{ code: 'NOT_AN_OPERATION', message: expect.stringContaining('is not an operation (link: ') },
	]);
});

test.each<[StoredMode, string]>([
	['stopped', 'is stopped'],
	['shadow', 'is in shadow mode'],
])('in mode %s nothing is written, and the item says so', async (mode, why) => {
	const items = await toBilling();
	await lab.store.setMode(POLICY, mode);
	const { outputs, hints } = await lab.run(write, {
		items,
		parameters: { system: 'billing' },
		credentials,
	});
	expect(hints[0]).toContain(mode);
	expect(findings(outputs[FAILED]?.[0], 'write')['error']).toMatchObject({
		code: 'POLICY_NOT_LIVE',
		message: `Nothing was written: the policy "crm-billing" ${why}${mode === 'shadow' ? ', which observes and writes nothing' : ''}`,
	});
});

test('an operation on what waits for its first contact is not written, even if it was decided before', async () => {
	const items = await toBilling();
	const { policy } = await lab.store.load({ policy: POLICY });
	const { op } = findings(items[0], 'merge') as { op: { entity: string; fields: object } };
	const pending = Object.keys(op.fields).map((field) => `${op.entity}.${field}.billing`);
	await lab.store.publishPolicy({ ...policy!, hash: 'next', by: 'test', initialMode: 'live', pending });
	const { outputs } = await lab.run(write, { items, parameters: { system: 'billing' }, credentials });
	expect(findings(outputs[FAILED]?.[0], 'write')['error']).toMatchObject({
		code: 'POLICY_NOT_LIVE',
		message: expect.stringContaining('waits for the approval of its first contact'),
	});
});

test('a target that is down fails no execution: its items leave by Failed, with what to check', async () => {
	const { outputs } = await lab.run(write, {
		items: await toBilling(),
		parameters: { system: 'billing' },
		credentials,
	});
	expect(findings(outputs[FAILED]?.[0], 'write')['error']).toMatchObject({
		code: 'DATABASE_UNREACHABLE',
		message: expect.stringContaining('Cannot reach'),
		remedy: expect.stringContaining('Check host, port and firewall'),
	});
});

test('a target that is down is no wiring fault: the attempt is noted for the sweep', async () => {
	const items = await toBilling();
	const link = String(findings(items[0], 'merge')['link']);
	const lease = async (): Promise<number | undefined> => {
		lab.later(600_000);
		const due = await lab.store.leaseDue({ policy: POLICY, limit: 10, delayMs: 1, maxDelayMs: 1 });
		return due.find(({ state }) => state.id === link)?.unattempted;
	};
	await lease();
	expect(await lease()).toBe(2);
	await lab.run(write, { items, parameters: { system: 'billing' }, credentials });
	expect(await lease()).toBe(1);
});

test('store trips do not grow with the batch', async () => {
	const trips = async (ids: readonly string[]): Promise<number> => {
		const items: INodeExecutionData[] = [];
		for (const id of ids) items.push(...(await toBilling(id)));
		await lab.run(write, { items, parameters: { system: 'billing' }, credentials });
		return lab.trips();
	};
	const ids = (count: number): string[] => Array.from({ length: count }, (_, i) => `${count}-${i}`);
	// One to load the policy, one to note the attempts that failed.
	expect([await trips(ids(1)), await trips(ids(10)), await trips(ids(200))]).toEqual([2, 2, 2]);
});

test('items of a manual test run write nothing, and show what would be written', async () => {
	const [item] = await toBilling();
	const { outputs } = await lab.run(write, {
		items: [{ json: { ...item?.json, test: true } }],
		parameters: { system: 'billing' },
		credentials,
	});
	expect(findings(outputs[APPLIED]?.[0], 'write')['would']).toBe('update in billing: note');
	expect(lab.trips()).toBe(0);
});

test('an SSH tunnel of the built-in credential is refused by the name of its field', async () => {
	const failure = lab.run(write, {
		items: await toBilling(),
		parameters: { system: 'billing', connectWith: 'postgres' },
		credentials: { postgres: { ...credentials['bisyncPostgresApi'], sshTunnel: true } },
	});
	await expect(failure).rejects.toMatchObject({
		message: expect.stringContaining('"SSH Tunnel" of the Postgres credential is not supported'),
	});
});

test('with Continue On Fail an unfit item carries its error, and a failure of the whole leaves by Failed', async () => {
	const unfit = await lab.run(write, {
		items: [{ json: { id: 1 } }],
		credentials,
		continueOnFail: true,
	});
	expect(unfit.outputs[FAILED]?.[0]?.error?.message).toContain(
		'says nothing about what is to be written',
	);
	const whole = await lab.run(write, {
		items: await toBilling(),
		parameters: { system: 'billing', policy: 'typo' },
		credentials,
		continueOnFail: true,
	});
	expect(whole.outputs.map((output) => output.length)).toEqual([0, 0, 1]);
});

test('an empty item is ignored', async () => {
	expect((await lab.run(write, { items: [{ json: {} }], credentials })).outputs).toEqual([
		[],
		[],
		[],
	]);
});
