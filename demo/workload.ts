import { setTimeout as sleep } from 'node:timers/promises';

import type pg from 'pg';

import { wholeNumbers } from '../test/support/seeded-random';
import { readBoth, type SharedRow } from './compare';
import type { DemoDatabases } from './databases';

/** The last value that each side's users gave a field, by "ref.field", as both sides spell it. */
export type LastWrites = Map<string, Partial<Record<'crm' | 'billing', string>>>;

export interface Workload {
	/** Changes per side. */
	readonly changes: number;
	readonly perSecond: number;
	/** Called after each change of the CRM with how many there were. */
	readonly onProgress: (done: number) => void;
}

interface Edit {
	readonly field: keyof SharedRow;
	readonly sql: string;
	/** What the user types, and what that is in the words of the policy. */
	readonly value: (
		random: number,
		n: number,
	) => { readonly typed: string; readonly shared: string };
}

const plain = (text: string) => ({ typed: text, shared: text });

const CRM_EDITS: readonly Edit[] = [
	{
		field: 'name',
		sql: 'update public.customers set full_name = $2 where id = $1',
		value: (_random, n) => plain(`Name ${n}`),
	},
	{
		field: 'note',
		sql: 'update public.customers set note = $2 where id = $1',
		value: (_random, n) => plain(`crm note ${n}`),
	},
	{
		field: 'credit',
		sql: 'update public.customers set credit = $2::numeric where id = $1',
		value: (random) => ({ typed: (random / 100).toFixed(2), shared: String(random) }),
	},
];

const STATUS = ['active', 'past_due', 'cancelled'] as const;

const BILLING_EDITS: readonly Edit[] = [
	{
		field: 'status',
		sql: 'update public.accounts set status = $2 where external_id = $1',
		value: (random) => plain(STATUS[random % 3] ?? 'active'),
	},
	{
		field: 'note',
		sql: 'update public.accounts set memo = $2 where external_id = $1',
		value: (_random, n) => plain(`memo ${n}`),
	},
	{
		field: 'credit',
		sql: 'update public.accounts set credit_cents = $2::bigint where external_id = $1',
		value: (random) => plain(String(random)),
	},
];

/** Every so many changes a new record is entered. */
const INSERT_EVERY = 50;

/** Users of both systems at work at the same time. Each change is a transaction of its own. */
export async function runWorkload(
	databases: DemoDatabases,
	workload: Workload,
): Promise<LastWrites> {
	const refs = (await readBoth(databases)).crm.map(({ ref }) => ref).filter((ref) => ref !== null);
	const writes: LastWrites = new Map();
	const common = { ...workload, refs, writes };
	await Promise.all([
		workOn({
			...common,
			side: 'crm',
			pool: databases.crm.app,
			edits: CRM_EDITS,
			insert: INSERT_CUSTOMER,
			seed: 1,
		}),
		workOn({
			...common,
			side: 'billing',
			pool: databases.billing.app,
			edits: BILLING_EDITS,
			insert: INSERT_ACCOUNT,
			seed: 2,
			onProgress: () => undefined,
		}),
	]);
	return writes;
}

const INSERT_CUSTOMER = `insert into public.customers (full_name, email) values ('Walk-in ' || $1, 'walkin.crm' || $1 || '@example.com')`;
const INSERT_ACCOUNT = `insert into public.accounts (name, contact_email) values ('Walk-in ' || $1, 'walkin.billing' || $1 || '@example.com')`;

interface SideWork extends Workload {
	readonly side: 'crm' | 'billing';
	readonly pool: pg.Pool;
	readonly edits: readonly Edit[];
	readonly insert: string;
	readonly refs: readonly string[];
	readonly writes: LastWrites;
	readonly seed: number;
}

async function workOn({
	side,
	pool,
	edits,
	insert,
	refs,
	writes,
	seed,
	changes,
	perSecond,
	onProgress,
}: SideWork): Promise<void> {
	const random = wholeNumbers(seed);
	const started = performance.now();
	for (let n = 1; n <= changes; n++) {
		const edit = edits[random() % edits.length];
		const ref = refs[random() % refs.length];
		if (n % INSERT_EVERY === 0) await pool.query(insert, [String(n)]);
		else if (edit !== undefined && ref !== undefined) {
			const { typed, shared } = edit.value(random() % 1_000_000, n);
			await pool.query(edit.sql, [ref, typed]);
			const place = `${ref}.${edit.field}`;
			writes.set(place, { ...writes.get(place), [side]: shared });
		}
		onProgress(n);
		const early = (n / perSecond) * 1_000 - (performance.now() - started);
		if (early > 0) await sleep(early);
	}
}

/** How many records the workload enters on both sides together. */
export function insertsOf({ changes }: Pick<Workload, 'changes'>): number {
	return 2 * Math.floor(changes / INSERT_EVERY);
}

/**
 * Edits that are in neither system any more although nobody overwrote them. Where both sides wrote the
 * same field, the last value of one of them has to be there.
 */
export async function lostEdits(databases: DemoDatabases, writes: LastWrites): Promise<string[]> {
	const { crm } = await readBoth(databases);
	const rows = new Map(crm.map((row) => [row.ref, row]));
	return [...writes].flatMap(([place, last]) => {
		const [ref = '', field] = place.split('.');
		const now = rows.get(ref)?.[field as keyof SharedRow];
		return Object.values(last).includes(now ?? '')
			? []
			: [`${place} is ${JSON.stringify(now)}, not ${Object.values(last).join(' or ')}`];
	});
}
