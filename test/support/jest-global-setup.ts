import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { RUN_DIRECTORY, RUN_PID } from './jest-run';

/** Starts nothing: a run without database tests should not pay for a database. */
async function prepareRun(): Promise<void> {
	process.env[RUN_DIRECTORY] = await mkdtemp(join(tmpdir(), 'bisync-jest-'));
	process.env[RUN_PID] = String(process.pid);
}

export default prepareRun;
