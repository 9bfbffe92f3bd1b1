import { waitUntil } from '../test/support/wait-until';
import { differences } from './compare';
import type { DemoDatabases } from './databases';

/** A line of the sync store's journal, as its table holds it. */
export interface JournalLine {
	readonly seq: string;
	readonly kind: string;
	readonly entry: {
		readonly field?: string;
		readonly system?: string;
		readonly detail?: Readonly<Record<string, unknown>>;
	};
}

export interface OpenReview {
	readonly id: string;
	readonly kind: string;
	readonly fields: readonly string[];
	readonly reason: string;
}

/** The journal's last number: what is read after it was written later. */
export async function journalEnd({ store }: DemoDatabases): Promise<string> {
	const { rows } = await store.query<{ seq: string }>(
		'select coalesce(max(seq), 0)::text as seq from n8n_bisync.journal',
	);
	return rows[0]?.seq ?? '0';
}

export async function readJournal(
	{ store }: DemoDatabases,
	{ after, kinds }: { readonly after: string; readonly kinds: readonly string[] },
): Promise<JournalLine[]> {
	const { rows } = await store.query<JournalLine>(
		'select seq::text, kind, entry from n8n_bisync.journal where seq > $1 and kind = any($2) order by seq',
		[after, kinds],
	);
	return rows;
}

export async function openReviews({ store }: DemoDatabases): Promise<OpenReview[]> {
	const { rows } = await store.query<OpenReview>(
		`select id, kind, item->'fields' as fields, item->>'reason' as reason
		 from n8n_bisync.reviews where state = 'open' order by opened_at, id`,
	);
	return rows;
}

/** How many links somebody still has to look at: writes on their way, changes not decided. */
export async function dueCount({ store }: DemoDatabases): Promise<number> {
	const { rows } = await store.query<{ count: number }>(
		'select count(*)::int as count from n8n_bisync.links where due',
	);
	return rows[0]?.count ?? 0;
}

/** Executions that n8n has started so far, whether or not it keeps them. */
export async function executionsStarted({ n8n }: DemoDatabases): Promise<number> {
	const { rows } = await n8n.query<{ count: string }>(
		'select case when is_called then last_value else 0 end::text as count from execution_entity_id_seq',
	);
	return Number(rows[0]?.count ?? 0);
}

export interface SettleOptions {
	readonly timeoutMs?: number;
	/** Differences that are allowed to remain, because a person has to decide about them. */
	readonly open?: number;
}

/**
 * Waits until both systems are equal row by row and nothing is on its way any more.
 *
 * @throws Error that names the first differences
 */
export async function waitUntilSettled(
	databases: DemoDatabases,
	{ timeoutMs = 60_000, open = 0 }: SettleOptions = {},
): Promise<void> {
	let last: string[] = [];
	try {
		await waitUntil(
			'both systems to be equal',
			async () => {
				last = await differences(databases);
				return last.length === open && (await dueCount(databases)) === 0;
			},
			{ timeoutMs, everyMs: 50 },
		);
	} catch (error) {
		const due = await dueCount(databases);
		const reviews = (await openReviews(databases)).map(({ kind, reason }) => `${kind}: ${reason}`);
		const sample = [...last.slice(0, 5), ...reviews.slice(0, 3)].join('; ');
		const counts = `${last.length} differences, ${due} due links and ${reviews.length} open items`;
		throw new Error(`${counts} remain: ${sample}`, { cause: error });
	}
}
