import { DeadLetterQueue } from '../../nodes/DeadLetterQueue/DeadLetterQueue.node';
import { executeNode } from '../support/fake-execute';
import type { Answer } from './messages';

/**
 * Answers a conflict with the Dead Letter Queue node: the value of one system is to stand.
 *
 * @returns why the answer was refused, or null
 */
export async function answerReview(
	{ id, token, system, by }: Answer,
	credential: Record<string, unknown>,
): Promise<string | null> {
	return await decide({ operation: 'resolve', id, token, by, choice: 'apply', system }, credential);
}

/** Agrees to what an approval or a failure asks for. @returns why that was refused, or null */
export async function agreeTo(
	{ id, token }: Pick<Answer, 'id' | 'token'>,
	credential: Record<string, unknown>,
): Promise<string | null> {
	return await decide({ operation: 'retry', id, token, by: 'operator' }, credential);
}

async function decide(
	parameters: Record<string, unknown>,
	credential: Record<string, unknown>,
): Promise<string | null> {
	try {
		await executeNode(new DeadLetterQueue(), {
			parameters,
			credentials: { bisyncStoreApi: credential },
		});
		return null;
	} catch (error) {
		return error instanceof Error ? error.message : String(error);
	}
}
