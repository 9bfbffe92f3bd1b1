import type { ReviewChange, ReviewItem, StoredReview } from '../core/review';
import { numbered, reviewRow } from './postgres-commit';
import type { StoreDatabase } from './postgres-database';
import type { PurgeRequest, ReviewFilter } from './sync-store';

interface ReviewRow extends Pick<StoredReview, 'policy' | 'state' | 'closedBy'> {
	readonly item: ReviewItem;
	readonly opened: string;
	readonly updated: string;
}

export async function changeReviews(
	db: StoreDatabase,
	policy: string,
	changes: readonly ReviewChange[],
): Promise<void> {
	if (changes.length === 0) return;
	const rows = numbered(changes.map((change) => ({ ord: 0, ...reviewRow(change) })));
	await db.query(`select ${db.schema}.change_reviews($1, $2, '{}', clock_timestamp())::text`, [
		policy,
		JSON.stringify(rows),
	]);
}

export async function listReviews(
	db: StoreDatabase,
	filter: ReviewFilter,
): Promise<readonly StoredReview[]> {
	const { policy, ids, link, kind, state, limit, offset = 0 } = filter;
	const rows = await db.query<ReviewRow>(
		`select policy, state, closed_by as "closedBy", item,
			floor(extract(epoch from opened_at) * 1000) as opened,
			floor(extract(epoch from updated_at) * 1000) as updated
		from ${db.schema}.reviews
		where ($1::text is null or policy = $1) and ($2::text[] is null or id = any ($2))
			and ($3::text is null or link = $3) and ($4::text is null or kind = $4)
			and ($5::text is null or state = $5)
		order by opened_at, id limit $6 offset $7`,
		[policy, ids, link, kind, state, limit, offset],
	);
	return rows.map(({ item, policy: owner, opened, updated, ...rest }) => ({
		...item,
		...rest,
		policy: owner,
		openedAtMs: Number(opened),
		updatedAtMs: Number(updated),
	}));
}

export async function purgeReviews(db: StoreDatabase, { policy, closedForMs, limit }: PurgeRequest): Promise<number> {
	const gone = await db.query(
		`with old as materialized (
			select id from ${db.schema}.reviews
			where policy = $1 and state <> 'open' and updated_at <= clock_timestamp() - $2::float8 * interval '1 millisecond'
			order by opened_at limit $3 for update skip locked)
		delete from ${db.schema}.reviews using old where reviews.policy = $1 and reviews.id = old.id
		returning reviews.id`,
		[policy, closedForMs, limit],
	);
	return gone.length;
}
