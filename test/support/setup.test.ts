import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { waitUntil } from './wait-until';

const ROOT = join(__dirname, '..', '..');
const NOBODY_LISTENS = 'http://127.0.0.1:9/';

let directory: string;

beforeEach(async () => {
	directory = await mkdtemp(join(tmpdir(), 'bisync-setup-'));
});

afterEach(() => rm(directory, { recursive: true, force: true }));

/** A module that writes `enter`, waits as told, and writes `leave`, all while holding the lock. */
function holdLock(name: string, then: string) {
	const lockModule = JSON.stringify(join(__dirname, 'setup-lock.mjs'));
	const [lock, log] = [join(directory, 'lock'), join(directory, 'log')].map((path) =>
		JSON.stringify(path),
	);
	const code = `
		import { appendFileSync } from 'node:fs';
		import { withLock } from ${lockModule};
		await withLock(${lock}, () => {}, async () => {
			appendFileSync(${log}, '${name} enter\\n');
			${then}
			appendFileSync(${log}, '${name} leave\\n');
		});`;
	return spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: 'inherit' });
}

const readEvents = async () =>
	(await readFile(join(directory, 'log'), 'utf8').catch(() => '')).trim().split('\n');

test('of set-ups started at once one works at a time', async () => {
	const work = 'await new Promise((resolve) => setTimeout(resolve, 50));';
	const children = ['a', 'b', 'c'].map((name) => holdLock(name, work));
	const codes = await Promise.all(children.map(async (child) => (await once(child, 'exit'))[0]));
	expect(codes).toEqual([0, 0, 0]);
	const events = await readEvents();
	expect(events).toHaveLength(6);
	for (const index of [0, 2, 4]) {
		expect(events[index + 1]).toBe(events[index]?.replace('enter', 'leave'));
	}
});

test('the lock of a killed set-up is taken over', async () => {
	const killed = holdLock('killed', 'await new Promise(() => setInterval(() => {}, 1_000));');
	await waitUntil('the lock', async () => (await readEvents()).includes('killed enter'));
	killed.kill('SIGKILL');
	await once(killed, 'exit');
	const next = holdLock('next', '');
	expect((await once(next, 'exit'))[0]).toBe(0);
	expect(await readEvents()).toEqual(['killed enter', 'next enter', 'next leave']);
});

/** What a fresh clone has of the set-up, and nothing else. */
async function cloneSetup(): Promise<void> {
	await mkdir(join(directory, 'test'));
	for (const path of ['test/support', 'package.json', 'package-lock.json', '.npmrc']) {
		await cp(join(ROOT, path), join(directory, path), { recursive: true });
	}
}

async function runSetup(env: NodeJS.ProcessEnv): Promise<string> {
	const args = ['test/support/run.mjs', 'jest'];
	const options = { cwd: directory, env: { ...process.env, ...env } };
	return await promisify(execFile)(process.execPath, args, options).then(
		() => 'succeeded',
		(error: { stderr: string }) => error.stderr,
	);
}

test('an unreachable registry is named', async () => {
	await cloneSetup();
	const said = await runSetup({
		npm_config_registry: NOBODY_LISTENS,
		npm_config_cache: join(directory, 'cache'),
		npm_config_fetch_retries: '0',
	});
	expect(said).toContain('[1/2] installing packages');
	expect(said).toContain(`the package registry ${NOBODY_LISTENS} is not reachable (ECONNREFUSED)`);
});

test('a failed set-up shows what npm said', async () => {
	await cloneSetup();
	await writeFile(join(directory, 'package.json'), '{ "name": "half a manifest"');
	expect(await runSetup({})).toMatch(/"npm install --no-save" failed in .*EJSONPARSE/s);
});
