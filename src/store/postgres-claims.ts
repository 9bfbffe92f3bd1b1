import { answersInOrder } from './distinct-claims';
import { indexable } from './identity-text';
import type { StoreDatabase } from './postgres-database';
import type { Claim, ClaimRequest, HeldClaim } from './sync-store';

interface ClaimRow {
	readonly key: string;
	/** Null when somebody else has the key. */
	readonly token: string | null;
	readonly is_done: boolean | null;
}

/** Lapsed claims removed by each call, so that no call has to remove many. */
const REMOVED_PER_CALL = 50;

export async function claim(
	db: StoreDatabase,
	{ scope, keys, leaseMs }: ClaimRequest,
): Promise<readonly Claim[]> {
	if (keys.length === 0) return [];
	const stored = keys.map(indexable);
	const rows = await db.query<ClaimRow>(claimStatement(db.schema), [
		indexable(scope),
		[...new Set(stored)],
		leaseMs,
		`${db.schema}.claim_token`,
	]);
	const answers = new Map(rows.map((row) => [row.key, claimOf(row)]));
	return answersInOrder(stored, answers);
}

/**
 * The insert's update arm fires only for a claim that lapsed, and takes its token under the row
 * lock: of many callers one gets the key, and tokens grow. A row that neither the insert nor this
 * statement's own view of the table shows was claimed in this very moment by somebody else.
 *
 * A claim that lapsed is removed an hour later at the earliest, so that whoever drew a token
 * before that cannot insert it after a newer one.
 */
function claimStatement(schema: string): string {
	return `with asked as (select key from unnest($2::text[]) as key),
		won as (
			insert into ${schema}.claims as c (scope, key, state, token, until)
			select $1, key, 'held', nextval($4::text::regclass),
				clock_timestamp() + $3 * interval '1 millisecond'
			from asked order by key
			on conflict (scope, key) do update set
				state = 'held', token = nextval($4::text::regclass), until = excluded.until
			where c.until <= clock_timestamp()
			returning key, token
		), lapsed as (
			select scope, key from ${schema}.claims
			where until < clock_timestamp() - interval '1 hour' and not (scope = $1 and key = any ($2::text[]))
			order by until limit ${REMOVED_PER_CALL} for update skip locked
		), removed as (
			delete from ${schema}.claims c using lapsed where c.scope = lapsed.scope and c.key = lapsed.key
		)
		select asked.key, won.token, c.state = 'done' and c.until > clock_timestamp() as is_done
		from asked
		left join won on won.key = asked.key
		left join ${schema}.claims c on c.scope = $1 and c.key = asked.key`;
}

function claimOf({ token, is_done }: ClaimRow): Claim {
	if (token !== null) return { state: 'new', token: Number(token) };
	return { state: is_done === true ? 'duplicate' : 'in-progress' };
}

export async function complete(
	db: StoreDatabase,
	claims: readonly HeldClaim[],
	retainMs: number,
): Promise<readonly boolean[]> {
	return await change(db, claims, {
		which: 'true',
		how: `update ${db.schema}.claims c
			set state = 'done', until = clock_timestamp() + $4 * interval '1 millisecond' from locked`,
		values: [retainMs],
	});
}

export async function release(
	db: StoreDatabase,
	claims: readonly HeldClaim[],
): Promise<readonly boolean[]> {
	return await change(db, claims, {
		which: `c.state = 'held'`,
		how: `delete from ${db.schema}.claims c using locked`,
		values: [],
	});
}

/** Changes the rows whose token is still the holder's; locked in the order in which claims are inserted. */
async function change(
	db: StoreDatabase,
	claims: readonly HeldClaim[],
	{ which, how, values }: { which: string; how: string; values: readonly unknown[] },
): Promise<readonly boolean[]> {
	if (claims.length === 0) return [];
	const rows = await db.query<{ ord: string }>(
		`with asked as (
			select * from unnest($1::text[], $2::text[], $3::bigint[]) with ordinality as a(scope, key, token, ord)
		), locked as materialized (
			select c.scope, c.key from ${db.schema}.claims c
			join asked on asked.scope = c.scope and asked.key = c.key and asked.token = c.token
			where ${which} order by c.scope, c.key for update of c
		), changed as (
			${how} where c.scope = locked.scope and c.key = locked.key returning c.scope, c.key, c.token
		)
		select asked.ord from asked join changed using (scope, key, token)`,
		[
			claims.map(({ scope }) => indexable(scope)),
			claims.map(({ key }) => indexable(key)),
			claims.map(({ token }) => token),
			...values,
		],
	);
	const done = new Set(rows.map(({ ord }) => Number(ord)));
	return claims.map((_, index) => done.has(index + 1));
}
