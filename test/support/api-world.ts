import type pg from 'pg';

import type { Version } from './rest-crm/records';

export type ApiTier = 'conditional' | 'verified' | 'blind';

/** A CRM behind an API and billing in Postgres. Of a `blind` API nobody shares a field without a person. */
export function apiPolicy(tier: ApiTier): string {
	const shared = (resolve: string): string => `owner: shared, resolve: ${tier === 'blind' ? 'review' : resolve}`;
	return `
policy: crm-billing
systems: [crm, billing]
entities:
  customer:
    crm:     { api: ${tier}, key: [id]${tier === 'conditional' ? ', condition: version' : ''} }
    billing: { table: public.accounts, key: [account_no] }
    match:   [[ref], [email]]
    fields:
      ref:    { crm: id, billing: external_id, owner: crm }
      name:   { crm: name, billing: name, owner: crm }
      email:  { crm: email, billing: contact_email, owner: crm, codec: email }
      status: { crm: status, billing: status, owner: billing }
      city:   { crm: address.city, billing: city, owner: billing }
      phone:  { crm: phone, billing: phone, ${shared('prefer(billing)')} }
      note:   { crm: note, billing: memo, ${shared('prefer(crm)')} }
`;
}

export async function createAccounts(pool: pg.Pool): Promise<void> {
	await pool.query(`
		create table accounts (account_no int generated always as identity (start with 900) primary key,
			external_id text unique, name text, contact_email text, status text, city text, phone text, memo text);
		alter table accounts replica identity full;`);
}

/** A customer in the words of the policy. */
export interface Seen {
	readonly ref: string | null;
	readonly name: unknown;
	readonly email: unknown;
	readonly status: unknown;
	readonly city: unknown;
	readonly phone: unknown;
	readonly note: unknown;
}

export function seenInCrm({ id, customer }: Version): Seen {
	const { name, email, status, phone, note, address } = customer!;
	const city = (address as { city?: unknown } | null)?.city ?? null;
	return { ref: id, name, email: String(email).toLowerCase(), status, city, phone, note };
}

export async function seenInBilling(pool: pg.Pool): Promise<Seen[]> {
	const { rows } = await pool.query<Seen & { ref: string | null }>(
		`select external_id as ref, name, lower(contact_email) as email, status, city, phone, memo as note
		 from accounts order by external_id`,
	);
	return rows;
}
