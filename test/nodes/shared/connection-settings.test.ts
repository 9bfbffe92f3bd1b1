import {
	builtInSettings,
	ownSettings,
	storeSettings,
} from '../../../nodes/shared/connection-settings';

const address = { host: 'h', port: 5433, database: 'd', user: 'u', password: ' p ' };

test('a credential of this pack becomes settings as it is, password untrimmed', () => {
	expect(ownSettings({ ...address, ssl: 'verify-full', ca: 'PEM' })).toEqual({
		...address,
		ssl: { mode: 'verify-full', ca: 'PEM' },
	});
	expect(ownSettings({ ...address, ca: ' ' })).toEqual({ ...address, ssl: { mode: 'disable' } });
});

test.each([
	[{ ssl: 'disable', allowUnauthorizedCerts: false }, 'disable'],
	[{}, 'disable'],
	[{ ssl: 'require', allowUnauthorizedCerts: false }, 'verify-full'],
	[{ ssl: 'allow', allowUnauthorizedCerts: false }, 'verify-full'],
	[{ allowUnauthorizedCerts: true }, 'require'],
])("n8n's own credential with %j means mode %s", (ssl, mode) => {
	expect(builtInSettings({ ...address, ...ssl }).ssl).toEqual({ mode });
});

test('a store has a schema and a number of connections by default', () => {
	expect(storeSettings(address)).toMatchObject({ schema: 'n8n_bisync', maxConnections: 5 });
});

test('a store in Redis has a port, a database and a prefix by default, and no user', () => {
	expect(storeSettings({ backend: 'redis', host: 'h', password: ' p ' })).toEqual({
		backend: 'redis',
		server: { host: 'h', port: 6379, user: '', password: ' p ', database: 0, tls: { mode: 'disable' } },
		prefix: 'n8n_bisync',
	});
});

test('what the fields of Postgres hold does not matter to a store in Redis, and the other way round', () => {
	const redis = { backend: 'redis', host: 'h', redisPort: 7000, redisDatabase: 3, redisUser: 'sync', redisPrefix: 'a.b-c_1', ssl: 'require' };
	expect(storeSettings({ ...redis, port: 5432, user: 'postgres', schema: ' ' })).toEqual({
		backend: 'redis',
		server: { host: 'h', port: 7000, user: 'sync', password: '', database: 3, tls: { mode: 'require' } },
		prefix: 'a.b-c_1',
	});
	expect(storeSettings({ ...address, redisPrefix: '{' })).toMatchObject({ backend: 'postgres' });
});

test.each(['', ' ', 'a:b', '{a}', 'x'.repeat(101)])('a key prefix "%s" is refused', (redisPrefix) => {
	expect(() => storeSettings({ backend: 'redis', host: 'h', redisPrefix })).toThrow('"Key Prefix"');
});
