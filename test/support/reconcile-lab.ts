import type { IDataObject } from 'n8n-workflow';

import { ReconcileDiff } from '../../nodes/ReconcileDiff/ReconcileDiff.node';
import { executeNode, type ParameterValue } from './fake-execute';
import { withSyncLab, type SyncLab } from './sync-lab';

/** Slots are called after it, and test files run side by side on one server. */
export const POLICY = `reconciled-${process.env['JEST_WORKER_ID'] ?? '0'}`;
export const DOCUMENT = `policy: ${POLICY}
systems: [crm, billing]
entities:
  customer:
    crm: { table: public.customers, key: [id] }
    billing: { table: public.accounts, key: [account_no] }
    match: [[ref]]
    fields:
      ref: { crm: ref, billing: external_id, owner: crm }
      name: { crm: full_name, billing: name, owner: crm, codec: trim }
      status: { crm: status, billing: status, owner: billing }
      note: { crm: note, billing: memo, owner: shared, resolve: review }
      mail: { crm: mail, billing: mail, owner: crm }
    deletes: { massDelete: { rows: 5 } }
    sensitive: [mail]
`;
export const SETUP = {
	crm: `create table customers (id int primary key, ref text, full_name text, status text default 'active', note text, mail text);
		alter table customers replica identity full`,
	billing: `create table accounts (account_no int generated always as identity primary key, external_id text unique, name text,
		status text default 'active', memo text, mail text); alter table accounts replica identity full`,
};

export interface Outcome {
	readonly different: IDataObject[];
	readonly onlyInA: IDataObject[];
	readonly onlyInB: IDataObject[];
	readonly summary: IDataObject;
}

export async function run(lab: SyncLab, parameters: Record<string, ParameterValue>, items: IDataObject[] = [{}]): Promise<IDataObject[][]> {
	const { outputs } = await executeNode(new ReconcileDiff(), {
		parameters: { policy: POLICY, systemA: 'crm', systemB: 'billing', options: { waitSeconds: 20 }, ...parameters },
		credentials: lab.credentialsOf('crm', 'billing'),
		items: items.map((json) => ({ json })),
	});
	return outputs.map((output) => output.map(({ json }) => json));
}

export async function compared(lab: SyncLab, options: IDataObject = {}): Promise<Outcome> {
	const [different = [], onlyInA = [], onlyInB = [], [summary = {}] = []] = await run(lab, { operation: 'compare', options: { waitSeconds: 20, ...options } });
	return { different, onlyInA, onlyInB, summary };
}

/** Lets Echo Filter have what Repair gives out. */
export async function repaired(lab: SyncLab, approved: IDataObject[] | 'all'): Promise<{ reads: IDataObject[]; left: IDataObject[] }> {
	const parameters = { operation: 'repair', repairWhat: approved === 'all' ? 'all' : 'approved' };
	const [reads = [], left = []] = await run(lab, parameters, approved === 'all' ? [{}] : approved);
	if (reads.length > 0) await lab.handOver('crm', reads);
	return { reads, left };
}

/** Changes what no stream shows: the table is not published meanwhile. */
export async function unseen(lab: SyncLab, system: string, statement: string): Promise<void> {
	const table = system === 'crm' ? 'customers' : 'accounts';
	const [{ pubname } = {}] = await lab.sql(system, `select pubname from pg_publication_tables where tablename = '${table}'`);
	await lab.sql(system, `begin; alter publication "${String(pubname)}" drop table ${table}; commit`);
	await lab.sql(system, statement);
	await lab.sql(system, `begin; alter publication "${String(pubname)}" add table ${table}; commit`);
}

export async function withCustomers(count: number, work: (lab: SyncLab) => Promise<void>): Promise<void> {
	await withSyncLab(POLICY, SETUP, async (lab) => {
		await lab.sql('crm', `insert into customers (id, ref, full_name, note, mail) select n, 'r' || n, 'name ' || n, 'note', 'm' || n from generate_series(1, ${count}) n`);
		await lab.goLive(DOCUMENT);
		await lab.untilRows('billing', 'select count(*)::int as n from accounts', [{ n: count }]);
		await lab.untilAtRest();
		await work(lab);
		expect(lab.complaints()).toEqual([]);
	});
}

export const account = (ref: number): string => `(select account_no from accounts where external_id = 'r${ref}')`;
