import pg from 'pg';

import type { ConnectionSettings } from '../test/support/embedded-postgres';
import { waitUntil } from '../test/support/wait-until';

/** Rows of a transaction. */
const TRANSACTION_ROWS = 100;

/** 15 columns of the types that business tables have. */
export const COLUMNS: Readonly<Record<string, string>> = {
	id: 'bigint primary key',
	round: 'int not null',
	name: 'text not null',
	street: 'text',
	city: 'text',
	email: 'text',
	quantity: 'int',
	total: 'bigint',
	price: 'numeric(12,2)',
	ratio: 'double precision',
	is_active: 'boolean',
	born: 'date',
	changed_at: 'timestamptz',
	code: 'uuid',
	extra: 'jsonb',
};

export function createTable(table: string): string {
	const columns = Object.entries(COLUMNS).map(([name, type]) => `${name} ${type}`);
	return `create table ${table} (${columns.join(', ')});`;
}

/** Rows 1 to `count`, the same ones wherever this runs. */
export function fillTable(table: string, count: number): string {
	return `insert into ${table}
		select n, 0, 'Name ' || n, 'Street ' || n, 'City ' || n % 100, 'someone' || n || '@example.com', n, n * 1000,
			n / 100.0, n / 3.0, n % 2 = 0, date '1970-01-01' + n % 10000, timestamptz '2020-01-01' + n * interval '1 second',
			md5(n::text)::uuid, jsonb_build_object('n', n)
		from generate_series(1, ${count}) as n;`;
}

/** Where one side works: rows `first` to `first + count - 1`. */
export interface Side {
	readonly settings: ConnectionSettings;
	readonly table: string;
	readonly first: number;
	readonly count: number;
}

/** Changes ten columns of each row of the side, as fast as the server takes it. */
async function changeRows({ settings, table, first, count }: Side): Promise<void> {
	await withClient(settings, async (client) => {
		for (let from = first; from < first + count; from += TRANSACTION_ROWS) {
			await client.query(
				`update ${table} set round = 1, name = 'New name ' || id, street = 'New street ' || id, quantity = quantity + 1,
					total = total + 7, price = price + 0.01, is_active = not is_active, born = born + 1,
					changed_at = changed_at + interval '1 day', extra = jsonb_build_object('n', id, 'new', true)
				 where id between $1 and $2`,
				[from, from + TRANSACTION_ROWS - 1],
			);
		}
	});
}

/** Both sides change their rows at once. @returns seconds until each side has the other's changes, and is equal to it */
export async function timeToEquality(
	sides: readonly [Side, Side],
	onPoll: () => Promise<void>,
): Promise<{ writing: number; equal: number }> {
	const started = performance.now();
	const seconds = (): number => (performance.now() - started) / 1_000;
	const writing = Promise.all(sides.map(changeRows)).then(seconds);
	const [left, right] = sides;
	const poll = { timeoutMs: 3_600_000, everyMs: 50 };
	await waitUntil(
		'the changes to arrive',
		async () => {
			await onPoll();
			return (await arrived(left, right)) && (await arrived(right, left));
		},
		poll,
	);
	await waitUntil(
		'both tables to be equal',
		async () => (await checksum(left)) === (await checksum(right)),
		poll,
	);
	return { writing: await writing, equal: seconds() };
}

/** Whether the rows that `from` changed are changed in `to`. */
async function arrived(from: Side, to: Side): Promise<boolean> {
	return await withClient(to.settings, async (client) => {
		const { rows } = await client.query<{ missing: boolean }>(
			`select exists (select from ${to.table} where round = 0 and id between $1 and $2) as missing`,
			[from.first, from.first + from.count - 1],
		);
		return rows[0]?.missing === false;
	});
}

async function checksum({ settings, table }: Side): Promise<string> {
	return await withClient(settings, async (client) => {
		const { rows } = await client.query<{ sum: string }>(
			`select md5(string_agg(t::text, ',' order by id)) as sum from ${table} as t`,
		);
		return rows[0]?.sum ?? '';
	});
}

export async function withClient<T>(
	settings: ConnectionSettings,
	work: (client: pg.Client) => Promise<T>,
): Promise<T> {
	const client = new pg.Client(settings);
	await client.connect();
	try {
		return await work(client);
	} finally {
		await client.end();
	}
}
