import type { Checklist } from './checklist';
import type { SyncInN8n } from './start-sync';
import type { Witness } from './witness';

/** What somebody saw who read both logs beside the sync. */
export async function tellWitness(
	_sync: SyncInN8n,
	checks: Checklist,
	witness: Witness,
): Promise<void> {
	await checks.check('each write found what it expected, and happened once', async () => {
		const writes = await witness.testify();
		return `${writes.length} markers`;
	});
}
