import type { ICredentialsDecrypted, ICredentialTestFunctions } from 'n8n-workflow';
import pg from 'pg';

import {
	credentialTest,
	sourceProblems,
	storeProblems,
} from '../../../nodes/shared/credential-tests';
import { openTestDatabase, type TestDatabase } from '../../support/test-database';

let db: TestDatabase;
beforeAll(async () => {
	db = await openTestDatabase('credential tests');
});
afterAll(async () => {
	await db.drop();
});

const press = async (button: keyof typeof credentialTest, data: object) =>
	await credentialTest[button].call(
		{} as ICredentialTestFunctions,
		{ data } as ICredentialsDecrypted,
	);

test('a server with all that is needed is OK, with its version', async () => {
	expect(await press('testPostgresReplication', db.settings)).toEqual({
		status: 'OK',
		message: expect.stringMatching(/^Connected to Postgres 18/),
	});
	expect((await press('testSyncStore', db.settings)).status).toBe('OK');
});

test('a wrong password is said in words, with what to check', async () => {
	const { status, message } = await press('testSyncStore', { ...db.settings, password: 'wrong' });
	expect(status).toBe('Error');
	expect(message).toMatch(/No access to .*Check user and password/);
});

test('a role without rights is told each statement that gives them', async () => {
	const role = `plain_${Date.now()}`;
	await db.pool.query(`create role ${pg.escapeIdentifier(role)} login password 'x'`);
	try {
		const data = { ...db.settings, user: role, password: 'x' };
		expect((await press('testPostgresReplication', data)).message).toContain(
			`alter role "${role}" replication;`,
		);
		expect((await press('testSyncStore', data)).message).toContain(
			`create schema "n8n_bisync" authorization "${role}";`,
		);
	} finally {
		await db.pool.query(`drop role ${pg.escapeIdentifier(role)}`);
	}
});

test('every problem of a server is named at once', () => {
	const probe = {
		version: '13.2',
		versionNumber: 130_002,
		walLevel: 'replica',
		isStandby: true,
		mayReplicate: false,
		mayUseSchema: false,
	};
	expect(sourceProblems(probe, 'r').problems).toHaveLength(4);
	expect(storeProblems(probe, { schema: 's', role: 'r' }).problems).toHaveLength(2);
});
