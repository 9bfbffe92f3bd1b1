import { waitUntil } from '../support/wait-until';
import { answerReview } from './answer-review';
import type { Campaign } from './campaign';
import type { Answer } from './messages';
import type { StoredReview } from '../../src/core/review';
import { openReviews, operatorCredential } from './operator';
import { POLICY } from './systems';

/** Two people answer one conflict differently at the same moment, and the process of one dies over it. */
export async function answeredTwice(campaign: Campaign): Promise<boolean> {
	await campaign.rest();
	if (!campaign.worker) await campaign.work(null);
	const { id, token } = await makeConflict(campaign);
	const first: Answer = { id, token, system: 'crm', by: 'first' };
	const second: Answer = { ...first, system: 'billing', by: 'second' };
	const dying = await campaign.work({ point: 'C11', nth: 1, how: 'die' }, first);
	const refused = await answerReview(second, operatorCredential(campaign.world));
	await waitUntil('the first answer', () => !dying.isAlive || dying.lines.some((line) => line.includes('answered')), { timeoutMs: 90_000 });
	const reached = dying.reached !== null;
	if (reached) campaign.kills.workers += 1;
	await dying.kill();
	const again = await answerReview(second, operatorCredential(campaign.world));
	const winners = await winnersOf(campaign, id);
	const expected = refused === null ? 'second' : 'first';
	if (winners.join() !== expected) {
		campaign.problems.push(`C11 ${id} was answered by ${winners.join(' and ') || 'nobody'}, not by the ${expected}`);
	}
	if (again === null) campaign.problems.push(`C11 ${id} took an answer with an old token`);
	await campaign.kill();
	return true;
}

/** Both sides change a field, unseen by each other, that only a person may decide. */
async function makeConflict({ world, random }: Campaign): Promise<StoredReview> {
	const { rows } = await world.crm.pool.query<{ id: number }>('select id from customers order by id');
	const { id } = random.oneOf(rows);
	const number = random.below(1_000_000_000);
	await Promise.all([
		world.crm.pool.query('update customers set phone = $2 where id = $1', [id, `+1 ${number}`]),
		world.billing.pool.query('update accounts set phone = $2 where external_id = $1', [id, `+2 ${number}`]),
	]);
	return await waitUntil('the conflict', async () => (await openReviews(world)).find(({ kind }) => kind === 'conflict'), { timeoutMs: 90_000 });
}

/** Who resolved the item, as the journal has it. */
async function winnersOf({ world }: Campaign, id: string): Promise<string[]> {
	const resolved = await world.store.store.readJournal({ policy: POLICY, kinds: ['resolved'], limit: 1_000_000 });
	return resolved.flatMap(({ entry }) => (entry.kind === 'resolved' && entry.resolution.review === id ? [entry.resolution.by] : []));
}
