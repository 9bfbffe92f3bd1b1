import { indexable } from './identity-text';
import type { StoreDatabase } from './postgres-database';
import { type Alike, MAX_ALIKE } from './sync-store';

export async function findAlike(db: StoreDatabase, policy: string, blocks: readonly string[]): Promise<readonly Alike[]> {
	const asked = [...new Set(blocks)];
	if (asked.length === 0) return [];
	const rows = await db.query<Omit<Alike, 'block'> & { readonly place: number }>(
		`select asked.place::int, found.link, found.values
		from unnest($2::text[]) with ordinality as asked(block, place)
		cross join lateral (
			select a.link, a.likeness as values from ${db.schema}.link_alike a
			where a.policy = $1 and a.block = asked.block collate "C" order by a.link limit ${MAX_ALIKE}
		) found
		order by asked.place, found.link`,
		[policy, asked.map(indexable)],
	);
	return rows.map(({ place, link, values }) => ({ block: asked[place - 1] ?? '', link, values }));
}
