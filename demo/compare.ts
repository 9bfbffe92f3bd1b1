import type { DemoDatabases } from './databases';

/** A customer in the words of the policy, whatever system it was read from. */
export interface SharedRow {
	/** The CRM's number; null for an account that has not got one. */
	readonly ref: string | null;
	readonly name: string | null;
	readonly email: string | null;
	readonly status: string | null;
	readonly phone: string | null;
	/** In cents. */
	readonly credit: string | null;
	readonly note: string | null;
}

/**
 * What the policy's codecs make of the rows, written once more in SQL: so the comparison does not
 * depend on the code that is being checked.
 */
const CRM_ROWS = /* sql */ `
select id::text as ref, btrim(full_name) as name, lower(btrim(email)) as email,
	case billing_status when 'Active' then 'active' when 'Past due' then 'past_due'
		when 'Cancelled' then 'cancelled' else billing_status end as status,
	phone, (credit * 100)::bigint::text as credit, note
from public.customers order by id`;

const BILLING_ROWS = /* sql */ `
select external_id::text as ref, btrim(name) as name, lower(btrim(contact_email)) as email,
	status, phone, credit_cents::text as credit, memo as note
from public.accounts order by external_id nulls last, account_no`;

/** Both systems' rows, each in the order of the CRM's numbers. */
export async function readBoth({
	crm,
	billing,
}: DemoDatabases): Promise<{ crm: SharedRow[]; billing: SharedRow[] }> {
	const [left, right] = await Promise.all([
		crm.app.query<SharedRow>(CRM_ROWS),
		billing.app.query<SharedRow>(BILLING_ROWS),
	]);
	return { crm: left.rows, billing: right.rows };
}

/** One line for each row that is not the same on both sides; empty when the systems are equal. */
export async function differences(databases: DemoDatabases): Promise<string[]> {
	const both = await readBoth(databases);
	const found =
		both.crm.length === both.billing.length
			? []
			: [`${both.crm.length} customers, ${both.billing.length} accounts`];
	const accounts = new Map(both.billing.map((row) => [row.ref, row]));
	for (const row of both.crm) {
		const other = accounts.get(row.ref);
		if (!other) found.push(`customer ${row.ref} has no account`);
		else found.push(...fieldDifferences(row, other));
	}
	return found;
}

function fieldDifferences(left: SharedRow, right: SharedRow): string[] {
	return (Object.keys(left) as (keyof SharedRow)[])
		.filter((field) => left[field] !== right[field])
		.map(
			(field) =>
				`customer ${left.ref}: ${field} is ${JSON.stringify(left[field])} in crm and ${JSON.stringify(right[field])} in billing`,
		);
}

/**
 * A text that changes with every write to either table, also with one that sets the values that are
 * there: each row version has a place and a transaction of its own.
 */
export async function fingerprint({ crm, billing }: DemoDatabases): Promise<string> {
	const query = (table: string): string =>
		`select md5(string_agg(ctid::text || ':' || xmin::text, ',' order by ctid)) as sum from ${table}`;
	const [left, right] = await Promise.all([
		crm.app.query<{ sum: string }>(query('public.customers')),
		billing.app.query<{ sum: string }>(query('public.accounts')),
	]);
	return `${left.rows[0]?.sum} ${right.rows[0]?.sum}`;
}
