import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { attachPostgres, type PostgresServer, startPostgres } from './embedded-postgres';
import { RUN_DIRECTORY, RUN_PID } from './jest-run';
import type { PostgresVersion } from './postgres-binaries';
import { removeServer, type ServerRecord } from './postgres-process';
import { waitUntil } from './wait-until';

/**
 * The one server of this version that all test files of a jest run share, started by whoever asks
 * first. Tests that kill, restart or configure a server start their own.
 */
export async function sharedPostgres(version: PostgresVersion): Promise<PostgresServer> {
	const directory = process.env[RUN_DIRECTORY];
	if (directory === undefined) throw new Error('outside of jest use startPostgres');
	const file = join(directory, `postgres-${version}.json`);
	return await waitUntil(`the shared Postgres ${version}`, async () => {
		const running = await readRecord(file);
		if (running) return attachPostgres(running);
		const isFirst = await mkdir(`${file}.lock`).then(
			() => true,
			() => false,
		);
		return isFirst && (await startShared(version, file));
	});
}

async function startShared(version: PostgresVersion, file: string): Promise<PostgresServer> {
	try {
		const server = await startPostgres({ version, ownerPid: Number(process.env[RUN_PID]) });
		// A rename is atomic: nobody reads half a record.
		await writeFile(`${file}.new`, JSON.stringify(server.record));
		await rename(`${file}.new`, file);
		return server;
	} finally {
		await rm(`${file}.lock`, { recursive: true });
	}
}

async function readRecord(file: string): Promise<ServerRecord | undefined> {
	const text = await readFile(file, 'utf8').catch(() => undefined);
	return text === undefined ? undefined : (JSON.parse(text) as ServerRecord);
}

/** For the end of the run: stops what {@link sharedPostgres} started. */
export async function stopSharedServers(directory: string): Promise<void> {
	const files = (await readdir(directory)).filter((name) => name.endsWith('.json'));
	for (const file of files) {
		const record = await readRecord(join(directory, file));
		if (record) await removeServer(record);
	}
}
