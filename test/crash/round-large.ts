import type { Campaign } from './campaign';
import { type System, SYSTEMS } from './systems';

const LARGE: Readonly<Record<System, string>> = {
	crm: 'update items set price = price + 1000',
	billing: 'update parts set price = price + 1000',
};
const COUNT = 'select count(*)::int as count from items';

/**
 * A transaction of many rows: a worker dies before it has received all of it, and the next one, if
 * chance will have it, before it has written all of it.
 */
export async function largeTransaction(campaign: Campaign): Promise<boolean> {
	const { random, world } = campaign;
	await campaign.kill();
	campaign.letUsersWork();
	const system = random.oneOf(SYSTEMS);
	await world[system].pool.query(LARGE[system]);
	const { rows } = await world.crm.pool.query<{ count: number }>(COUNT);
	const nth = 10 + random.below((rows[0]?.count ?? 0) - 10);
	const receiving = await campaign.work({ point: 'C12', nth, how: 'die' });
	const reached = await campaign.untilReached(receiving);
	if (!reached) return false;
	campaign.kills.workers += 1;
	await receiving.ended;
	if (random.oneIn(2)) {
		const writing = await campaign.work({ point: 'C5', nth: 2, how: 'die' });
		if (await campaign.untilReached(writing)) campaign.kills.workers += 1;
		await writing.ended;
	}
	return true;
}
