import type {
	ICredentialsDecrypted,
	ICredentialTestFunctions,
	INodeCredentialTestResult,
} from 'n8n-workflow';

import { SyncError } from '../../src/core/errors';
import { probeServer, type ServerProbe } from '../../src/postgres/probe-server';
import { probeRedis, type RedisFacts, unsuitable } from '../../src/store/redis-facts';
import { ownSettings, storeSettings } from './connection-settings';

/** The oldest server whose change stream carries messages, which our markers are. */
const OLDEST_VERSION = 140_000;

/** What the buttons "Test" of this pack's credentials do; a node names them with `testedBy`. */
export const credentialTest = { testSyncStore, testPostgresReplication };

async function testSyncStore(
	this: ICredentialTestFunctions,
	{ data }: ICredentialsDecrypted,
): Promise<INodeCredentialTestResult> {
	return await answer(async () => {
		const settings = storeSettings(data ?? {});
		if (settings.backend === 'redis') return redisProblems(await probeRedis(settings.server));
		const { database, schema } = settings;
		return storeProblems(await probeServer(database, schema), { schema, role: database.user });
	});
}

async function testPostgresReplication(
	this: ICredentialTestFunctions,
	{ data }: ICredentialsDecrypted,
): Promise<INodeCredentialTestResult> {
	return await answer(async () => {
		const settings = ownSettings(data ?? {});
		return sourceProblems(await probeServer(settings, 'n8n_bisync'), settings.user);
	});
}

interface Probed {
	/** "Postgres 18.1" */
	readonly server: string;
	readonly problems: readonly string[];
	/** What does not stand in the way, and should be known. */
	readonly warnings?: readonly string[];
}

async function answer(probe: () => Promise<Probed>): Promise<INodeCredentialTestResult> {
	try {
		const { server, problems, warnings = [] } = await probe();
		if (problems.length === 0) return { status: 'OK', message: [`Connected to ${server}`, ...warnings].join('. ') };
		return { status: 'Error', message: `Connected to ${server}, but ${problems.join('; and ')}` };
	} catch (error) {
		const message =
			error instanceof SyncError ? `${error.message}. ${error.remedy}` : String(error);
		return { status: 'Error', message };
	}
}

/** What keeps a server from holding the sync store. Pure. */
export function storeProblems(
	probe: ServerProbe,
	{ schema, role }: { schema: string; role: string },
): Probed {
	const problems: string[] = [];
	if (probe.isStandby)
		problems.push('this server is a standby, which takes no writes: connect to the primary');
	if (!probe.mayUseSchema) {
		problems.push(
			`the role may not make tables in the schema "${schema}": create schema ${quoted(schema)} authorization ${quoted(role)};`,
		);
	}
	return { server: `Postgres ${probe.version}`, problems };
}

/** What keeps a Redis from holding the sync store, and what it may lose. Pure. */
export function redisProblems(facts: RedisFacts): Probed {
	const warnings = facts.isAppendOnly
		? []
		: ['It keeps no log of what it is given, so a restart may lose the sync store: set appendonly yes and appendfsync always'];
	return { server: `Redis ${facts.version}`, problems: unsuitable(facts), warnings };
}

/** What keeps a server's changes from being read. Pure. */
export function sourceProblems(probe: ServerProbe, role: string): Probed {
	const problems: string[] = [];
	if (probe.versionNumber < OLDEST_VERSION) problems.push('version 14 or newer is needed');
	if (probe.isStandby)
		problems.push('this server is a standby, which takes no writes: connect to the primary');
	if (probe.walLevel !== 'logical') {
		problems.push(
			`wal_level is "${probe.walLevel}": alter system set wal_level = logical; then restart the server`,
		);
	}
	if (!probe.mayReplicate) {
		problems.push(`the role may not replicate: alter role ${quoted(role)} replication;`);
	}
	return { server: `Postgres ${probe.version}`, problems };
}

function quoted(name: string): string {
	return `"${name.replaceAll('"', '""')}"`;
}
