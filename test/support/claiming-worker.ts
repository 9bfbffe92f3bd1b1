/** Claims a key with the Idempotency Guard, says so, and does its work for ever. It is there to be killed. */
import '../rehearse/typescript-first';

import { writeSync } from 'node:fs';

import { IdempotencyGuard } from '../../nodes/IdempotencyGuard/IdempotencyGuard.node';
import { executeNode } from './fake-execute';

process.once('message', (credential: Record<string, unknown>) => {
	const run = executeNode(new IdempotencyGuard(), {
		items: [{ json: { changeId: 'k' } }],
		parameters: { scope: 'guard', leaseSeconds: 6 },
		credentials: { bisyncStoreApi: credential },
	});
	run.then(
		({ outputs }) => writeSync(1, `${JSON.stringify(outputs.map((items) => items.map(({ json }) => json)))}\n`),
		(error: unknown) => writeSync(1, `${String(error)}\n`),
	);
	setInterval(() => undefined, 1_000);
});
