import { SyncPolicy } from '../../nodes/SyncPolicy/SyncPolicy.node';
import type { StoredReview } from '../../src/core/review';
import { executeNode } from '../support/fake-execute';
import { waitUntil } from '../support/wait-until';
import { agreeTo } from './answer-review';
import { CRASH_POLICY, POLICY } from './systems';
import type { World } from './world';

/** The store as a person's n8n reaches it: not through the relay. */
export function operatorCredential({ store }: World): Record<string, unknown> {
	return store.credential;
}

export async function publishPolicy(world: World): Promise<void> {
	await runPolicy(world, 'publish', { document: CRASH_POLICY });
}

/** Waits until both systems have been read, then approves what the report shows. */
export async function approveFirstContact(world: World): Promise<void> {
	await waitUntil('both systems to be read', async () => {
		const { read } = await runPolicy(world, 'firstContactReport');
		return JSON.stringify(read) === '{"crm":"read","billing":"read"}';
	}, { timeoutMs: 120_000, everyMs: 100 });
	await runPolicy(world, 'approveFirstContact');
}

async function runPolicy(
	world: World,
	operation: string,
	parameters: Record<string, unknown> = {},
): Promise<Record<string, unknown>> {
	const { outputs } = await executeNode(new SyncPolicy(), {
		parameters: { operation, by: 'operator', ...parameters },
		credentials: { bisyncStoreApi: operatorCredential(world) },
	});
	return outputs[0]?.[0]?.json ?? {};
}

export async function openReviews({ store }: World): Promise<readonly StoredReview[]> {
	return await store.store.listReviews({ policy: POLICY, state: 'open', limit: 10_000 });
}

/**
 * Agrees that what was missed is read anew.
 *
 * @returns whether the error of a trigger was such a gap
 */
export async function agreeToGap(world: World, message: string): Promise<boolean> {
	const [, id] = /Review item: (gap-[\w-]+)/.exec(message) ?? [];
	if (id === undefined) return false;
	const item = (await openReviews(world)).find((review) => review.id === id);
	const refused = item ? await agreeTo({ id, token: item.token }, operatorCredential(world)) : null;
	if (refused !== null) throw new Error(`the gap ${id} could not be agreed to: ${refused}`);
	return true;
}
