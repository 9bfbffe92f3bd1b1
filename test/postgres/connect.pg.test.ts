import { connect, connectForReplication, type PgSettings } from '../../src/postgres/connect';
import { query } from '../../src/postgres/sql';
import { type PostgresServer, startPostgres } from '../support/embedded-postgres';
import { freePort } from '../support/free-port';
import { selfSignedCertificate } from '../support/self-signed-certificate';
import { openTestDatabase, type TestDatabase } from '../support/test-database';
import { waitUntil } from '../support/wait-until';

/** Connects, asks, and leaves. */
async function ask(settings: PgSettings, text: string): Promise<unknown> {
	const client = await connect(settings);
	try {
		const [row] = await query<{ answer: unknown }>(client, text);
		return row?.answer;
	} finally {
		await client.end();
	}
}

describe('a connection', () => {
	let database: TestDatabase;
	beforeEach(async () => {
		database = await openTestDatabase('connect');
	});
	afterEach(async () => await database.drop());

	test('is called by the name of the pack, or by another one', async () => {
		const asked = `select current_setting('application_name') as answer`;
		expect(await ask(database.settings, asked)).toBe('n8n-nodes-bisync');
		expect(await ask({ ...database.settings, applicationName: 'other' }, asked)).toBe('other');
	});

	test.each<[Partial<PgSettings>, string]>([
		[{ password: 'wrong' }, 'AUTH_FAILED'],
		[{ user: 'nobody_here' }, 'AUTH_FAILED'],
		[{ password: '' }, 'AUTH_FAILED'],
		[{ database: 'no_such_database' }, 'DATABASE_MISSING'],
		[{ host: 'no-such-host.invalid' }, 'DATABASE_UNREACHABLE'],
		[{ ssl: { mode: 'require' } }, 'TLS_FAILED'],
	])('with %j fails with %s, and names the database', async (settings, code) => {
		const wrong = { ...database.settings, ...settings };
		const message = expect.stringContaining(
			`database "${wrong.database}" on ${wrong.host}:${wrong.port}`,
		);
		await expect(connect(wrong)).rejects.toMatchObject({ name: 'SyncError', code, message });
		await expect(connectForReplication(wrong)).rejects.toMatchObject({ code });
	});

	test('to a port nobody listens on fails as unreachable', async () => {
		const port = await freePort();
		await expect(connect({ ...database.settings, port })).rejects.toMatchObject({
			code: 'DATABASE_UNREACHABLE',
			action: 'retry',
		});
	});

	test('that was ended by the server fails at the next statement as unreachable', async () => {
		const client = await connect(database.settings);
		const [row] = await query<{ pid: number }>(client, 'select pg_backend_pid() as pid');
		await database.pool.query('select pg_terminate_backend($1)', [row!.pid]);
		const failure = await waitUntil(
			'the connection to break',
			async () =>
				await query(client, 'select 1').then(
					() => undefined,
					(error: unknown) => error,
				),
		);
		expect(failure).toMatchObject({ code: 'DATABASE_UNREACHABLE' });
		await client.end();
	});

	test('that does not answer in the time it is given fails as unreachable, and is left at once', async () => {
		const client = await connect({ ...database.settings, answerTimeoutMs: 200 });
		const question = query(client, 'select pg_sleep(30)');
		await expect(question).rejects.toMatchObject({ code: 'DATABASE_UNREACHABLE' });
		const startedMs = performance.now();
		await client.end();
		expect(performance.now() - startedMs).toBeLessThan(10_000);
	});

	test('reports a mistake in the SQL as what it is', async () => {
		await expect(ask(database.settings, 'selec 1')).rejects.toMatchObject({
			name: 'error',
			code: '42601',
		});
	});
});

describe('an encrypted connection', () => {
	let server: PostgresServer;
	const { cert, key } = selfSignedCertificate('localhost');
	const other = selfSignedCertificate('localhost');
	const isEncrypted = async (settings: Partial<PgSettings>) =>
		await ask(
			{ ...server.superuser, ...settings },
			'select ssl as answer from pg_stat_ssl where pid = pg_backend_pid()',
		);

	beforeAll(async () => {
		server = await startPostgres({ version: 18 });
		const client = await connect(server.superuser);
		// The server insists on a key that nobody else can read; only a program can write one.
		for (const [name, text] of [
			['server.crt', cert],
			['server.key', key],
		] as const) {
			const base64 = Buffer.from(text).toString('base64');
			await client.query(`copy (select '${base64}') to program 'umask 077; base64 -d > ${name}'`);
		}
		await client.query('alter system set ssl = on');
		await client.query('select pg_reload_conf()');
		await client.end();
		await waitUntil(
			'TLS',
			async () => (await isEncrypted({ ssl: { mode: 'require' } }).catch(() => false)) === true,
		);
	});
	afterAll(async () => await server.stop());

	test('is not made unless it is asked for', async () => {
		expect(await isEncrypted({})).toBe(false);
		expect(await isEncrypted({ ssl: { mode: 'disable' } })).toBe(false);
	});

	test('does not look at the certificate with "require"', async () => {
		expect(await isEncrypted({ ssl: { mode: 'require' } })).toBe(true);
	});

	test('looks at the authority with "verify-ca"', async () => {
		expect(await isEncrypted({ ssl: { mode: 'verify-ca', ca: cert } })).toBe(true);
		await expect(isEncrypted({ ssl: { mode: 'verify-ca', ca: other.cert } })).rejects.toMatchObject(
			{ code: 'TLS_FAILED' },
		);
		await expect(isEncrypted({ ssl: { mode: 'verify-ca' } })).rejects.toMatchObject({
			code: 'TLS_FAILED',
		});
	});

	test('looks at the host name too with "verify-full"', async () => {
		expect(await isEncrypted({ host: 'localhost', ssl: { mode: 'verify-full', ca: cert } })).toBe(
			true,
		);
		await expect(
			isEncrypted({ host: '127.0.0.1', ssl: { mode: 'verify-full', ca: cert } }),
		).rejects.toMatchObject({
			code: 'TLS_FAILED',
		});
	});

	test('carries replication', async () => {
		const client = await connectForReplication({
			...server.superuser,
			ssl: { mode: 'verify-ca', ca: cert },
		});
		await expect(query(client, 'IDENTIFY_SYSTEM')).resolves.toHaveLength(1);
		await client.end();
	});
});
