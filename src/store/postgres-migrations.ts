import { SyncError } from '../core/errors';
import { COMMIT, COMMIT_TYPES, IDENTITIES, MOVED_LINKS, WRITES } from './postgres-commit-functions';
import { BUCKETS } from './postgres-buckets';
import { COMPARISONS } from './postgres-changes';
import { DATES } from './postgres-dates';
import { DIGESTS } from './postgres-digests';
import { SAMPLES } from './postgres-figures';
import { SPREAD } from './postgres-spread';
import type { StoreDatabase } from './postgres-database';
import { FIRST_CONTACTS, KNOWN_COLUMNS, IDENTITY_OF_STORE, SIGNATURES, TABLES } from './postgres-schema';

/**
 * Migration n is element n - 1. A released migration is never edited: a store that has run it
 * would not run it again.
 */
const MIGRATIONS: readonly string[] = [
	[TABLES, IDENTITY_OF_STORE, COMMIT_TYPES, MOVED_LINKS, IDENTITIES, WRITES, COMMIT].join('\n'),
	FIRST_CONTACTS,
	SPREAD,
	DATES,
	KNOWN_COLUMNS,
	BUCKETS,
	SIGNATURES,
	SAMPLES,
	DIGESTS,
	COMPARISONS,
];

/** Classes of the advisory locks taken in this schema: arbitrary numbers that nobody else is likely to use. */
const LOCKS = { migration: 7_239_001, identities: 7_239_002, journal: 7_239_003 } as const;

type Query = StoreDatabase['query'];

/**
 * Brings the schema to the version of this code. Two round trips when it is there already; else
 * each migration in a transaction of its own, under a lock, so that of many processes that start
 * at once one migrates and the others find it done.
 *
 * @throws SyncError STORE_TOO_NEW, PRIVILEGE_MISSING, STORE_UNREACHABLE
 */
export async function migrateStore(db: StoreDatabase): Promise<void> {
	if ((await installedVersion(db, db.query.bind(db))) === MIGRATIONS.length) return;
	for (let number = 1; number <= MIGRATIONS.length; number++) {
		await db.transaction(async (query) => {
			await query('select pg_advisory_xact_lock($1, hashtext($2))', [
				LOCKS.migration,
				db.schemaName,
			]);
			if ((await installedVersion(db, query)) < number) await apply(db, query, number);
		});
	}
}

async function apply(db: StoreDatabase, query: Query, number: number): Promise<void> {
	if (number === 1) await createSchema(db, query);
	await query(`insert into ${db.schema}.migrations (number) values ($1)`, [number]);
	await query(filledIn(MIGRATIONS[number - 1] ?? '', db.schema));
}

async function createSchema(db: StoreDatabase, query: Query): Promise<void> {
	// Not "if not exists", which asks for the right to create schemas even when there is nothing to do.
	const found = await query('select 1 from pg_namespace where nspname = $1', [db.schemaName]);
	if (found.length === 0) await query(`create schema ${db.schema}`);
	await query(
		`create table if not exists ${db.schema}.migrations (
			number integer primary key, applied_at timestamptz not null default now())`,
	);
}

/** 0 when there is no schema. */
async function installedVersion(db: StoreDatabase, query: Query): Promise<number> {
	// Not to_regclass, which may answer from a cache filled before another process migrated.
	const found = await query(
		`select 1 from pg_class c join pg_namespace n on n.oid = c.relnamespace
		where n.nspname = $1 and c.relname = 'migrations'`,
		[db.schemaName],
	);
	if (found.length === 0) return 0;
	const [row] = await query<{ version: number }>(
		`select coalesce(max(number), 0) as version from ${db.schema}.migrations`,
	);
	const version = row?.version ?? 0;
	if (version <= MIGRATIONS.length) return version;
	throw new SyncError(
		'STORE_TOO_NEW',
		`The sync store's schema ${db.schema} has version ${version}, but this version of the pack knows ${MIGRATIONS.length}`,
		{ details: { installed: version, known: MIGRATIONS.length } },
	);
}

function filledIn(sql: string, schema: string): string {
	// Functions as replacements, because a "$&" in a schema name would mean something.
	return sql
		.replaceAll('{schema}', () => schema)
		.replaceAll('{identities}', () => String(LOCKS.identities))
		.replaceAll('{journal}', () => String(LOCKS.journal));
}
