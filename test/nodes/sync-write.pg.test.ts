import type { INodeExecutionData } from 'n8n-workflow';
import pg from 'pg';

import { EchoFilter } from '../../nodes/EchoFilter/EchoFilter.node';
import { FieldAuthorityMerge } from '../../nodes/FieldAuthorityMerge/FieldAuthorityMerge.node';
import { SyncWrite } from '../../nodes/SyncWrite/SyncWrite.node';
import { ledgerSql } from '../../src/postgres/ledger';
import { linkedCustomer } from '../support/node-chain';
import { findings, itemsOf, type NodeLab, openNodeLab } from '../support/node-lab';
import { openTestDatabase, type TestDatabase } from '../support/test-database';

const APPLIED = 0;
const STALE = 1;
const FAILED = 2;

let lab: NodeLab;
let billing: TestDatabase;
let role: string;

beforeEach(async () => {
	lab = await openNodeLab();
	billing = await openTestDatabase('sync write node');
	role = `${billing.settings.database}_writer`;
	await billing.pool.query(`
		create table accounts (account_no int primary key, external_id int, name text, contact_email text,
			status text, phone text, credit_cents bigint, memo text check (memo <> 'forbidden'));
		insert into accounts values (91, 1, 'Ann', '1@x', 'active', 'P0', 100, 'n0');
		create role ${pg.escapeIdentifier(role)} login password 'x';
		grant select, insert, update on accounts to ${pg.escapeIdentifier(role)};`);
});
afterEach(async () => {
	await billing.pool.query(
		`drop owned by ${pg.escapeIdentifier(role)}; drop role ${pg.escapeIdentifier(role)};`,
	);
	lab.close();
	await billing.drop();
});

/** What Merge hands out for billing after the note of a customer was edited in the crm. */
async function afterEdit(note: string): Promise<INodeExecutionData[]> {
	const { crm } = await linkedCustomer(lab, '1');
	const seen = await lab.run(new EchoFilter(), {
		items: itemsOf(lab.crm.update({ ...crm, note })),
	});
	const { outputs } = await lab.run(new FieldAuthorityMerge(), { items: seen.outputs[0] ?? [] });
	return outputs[1] ?? [];
}

async function write(
	items: INodeExecutionData[],
	user: object = {},
): Promise<INodeExecutionData[][]> {
	const credentials = { bisyncPostgresApi: { ...billing.settings, ...user } };
	return (await lab.run(new SyncWrite(), { items, parameters: { system: 'billing' }, credentials }))
		.outputs;
}

async function memo(): Promise<unknown> {
	return (await billing.pool.query<{ memo: string }>('select memo from accounts')).rows[0]?.memo;
}

test('a write leaves by Applied; tried again it says so and writes nothing', async () => {
	const items = await afterEdit('n1');
	const [op] = (await write(items))[APPLIED] ?? [];
	expect(findings(op, 'write')).toMatchObject({ outcome: 'applied', recorded: false });
	expect(await memo()).toBe('n1');
	await billing.pool.query(`update accounts set memo = 'n0'`);
	const [again] = (await write(items))[APPLIED] ?? [];
	expect(findings(again, 'write')).toMatchObject({ outcome: 'applied', recorded: true });
	expect(await memo()).toBe('n0');
});

test('an edit that the sync has not seen yet is not overwritten: the write leaves by Stale', async () => {
	const items = await afterEdit('n1');
	await billing.pool.query(`update accounts set memo = 'mine'`);
	const outputs = await write(items);
	expect(findings(outputs[STALE]?.[0], 'write')).toMatchObject({ outcome: 'stale' });
	expect(await memo()).toBe('mine');
});

test('a value that the database rejects leaves by Failed with its reason and what happens next', async () => {
	const outputs = await write(await afterEdit('forbidden'));
	expect(findings(outputs[FAILED]?.[0], 'write')).toMatchObject({
		outcome: 'refused',
		error: {
			message: expect.stringContaining('accounts_memo_check'),
			remedy: expect.stringContaining('Dead Letter Queue'),
		},
	});
});

test('without a ledger the items leave by Failed with the SQL, and are written once it has been run', async () => {
	const items = await afterEdit('n1');
	const user = { user: role, password: 'x' };
	const outputs = await write(items, user);
	const sql = ledgerSql(role);
	expect(findings(outputs[FAILED]?.[0], 'write')['error']).toMatchObject({
		code: 'LEDGER_MISSING',
		message: expect.stringContaining(sql),
	});
	expect(await memo()).toBe('n0');
	await billing.pool.query(sql);
	expect((await write(items, user))[APPLIED]).toHaveLength(1);
	expect(await memo()).toBe('n1');
});
