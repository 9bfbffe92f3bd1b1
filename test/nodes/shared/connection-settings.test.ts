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
