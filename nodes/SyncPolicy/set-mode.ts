import type { IDataObject } from 'n8n-workflow';

import { SyncError } from '../../src/core/errors';
import { requirePublished } from '../../src/store/published-policy';
import type { SyncStore } from '../../src/store/sync-store';
import { nextStep } from './publish';

export const MODES = ['live', 'shadow', 'stopped'] as const;

/**
 * Turns the switch of a policy.
 *
 * @throws SyncError FIRST_CONTACT_OPEN: the switch must not be a way around the approval
 */
export async function changeMode(
	store: Pick<SyncStore, 'load' | 'setMode'>,
	policy: string,
	mode: (typeof MODES)[number],
): Promise<IDataObject> {
	const { mode: before } = requirePublished(await store.load({ policy }), policy);
	if (before === 'first-contact') {
		throw new SyncError(
			'FIRST_CONTACT_OPEN',
			`The policy "${policy}" waits for the approval of its first contact, and writes nothing until then`,
		);
	}
	const published = await store.setMode(policy, mode);
	const { version } = published;
	return { policy, version, before, mode, nextStep: nextStep(published) };
}
