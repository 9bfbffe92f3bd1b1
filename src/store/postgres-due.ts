import { type LinkDocument, unpackLink } from './link-document';
import type { StoreDatabase } from './postgres-database';
import type { DueLink, LeaseRequest } from './sync-store';

export async function leaseDue(
	db: StoreDatabase,
	request: LeaseRequest,
): Promise<readonly DueLink[]> {
	const { policy, limit, delayMs, maxDelayMs } = request;
	const rows = await db.query<{ link: Omit<DueLink, 'state'> & { readonly state: LinkDocument } }>(
		`with overdue as materialized (
			select l.id, l.wake_at from ${db.schema}.links l
			where l.policy = $1 and l.due and l.wake_at <= clock_timestamp()
			order by l.wake_at, l.id limit $2 for update skip locked
		), leased as (
			update ${db.schema}.links l
			set wakes = l.wakes + 1, unattempted = l.unattempted + 1,
				-- The exponent is bounded, because power() overflows; the spread keeps many links that
				-- failed together from coming back together.
				wake_at = clock_timestamp() + interval '1 millisecond'
					* least($4::float8, $3::float8 * power(2, least(l.wakes, 60))) * (0.8 + 0.4 * random())
			from overdue where l.policy = $1 and l.id = overdue.id
			returning l.id, l.state, l.unattempted, overdue.wake_at as was_due_at
		)
		select json_build_object('state', state, 'unattempted', unattempted) as link
		from leased order by was_due_at, id`,
		[policy, limit, delayMs, maxDelayMs],
	);
	return rows.map(({ link }) => ({ ...link, state: unpackLink(link.state) }));
}

export async function noteAttempts(
	db: StoreDatabase,
	policy: string,
	links: readonly string[],
): Promise<void> {
	if (links.length === 0) return;
	await db.query(
		`with locked as materialized (
			select l.id from ${db.schema}.links l
			where l.policy = $1 and l.id = any ($2::text[]) and l.unattempted > 0 order by l.id for update
		)
		update ${db.schema}.links l set unattempted = 0
		from locked where l.policy = $1 and l.id = locked.id`,
		[policy, links],
	);
}
