import { rm } from 'node:fs/promises';

import { RUN_DIRECTORY } from './jest-run';
import { stopSharedServers } from './shared-postgres';

async function endRun(): Promise<void> {
	const directory = process.env[RUN_DIRECTORY];
	if (directory === undefined) return;
	await stopSharedServers(directory);
	await rm(directory, { recursive: true, force: true });
}

export default endRun;
