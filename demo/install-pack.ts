import { execFile } from 'node:child_process';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

import type { N8nClient, StoredWorkflow, WorkflowJson } from './n8n-client';
import type { N8nFolder } from './n8n-process';
import { timed } from './progress';

const ROOT = join(__dirname, '..');
const run = promisify(execFile);

/**
 * Installs this pack as a user would: built, packed as for npm, and installed into n8n's folder for
 * community nodes. Its node types are then named "n8n-nodes-bisync.…". n8n must not be running yet.
 */
export async function installPack(folder: N8nFolder): Promise<void> {
	const target = join(folder.path, '.n8n', 'nodes');
	await mkdir(target, { recursive: true });
	await timed('building the node pack', async () => await inRoot('npm', ['run', 'build']));
	const tarball = await pack(target);
	await timed('installing the node pack into n8n', async () => {
		await writeFile(
			join(target, 'package.json'),
			JSON.stringify({ private: true, dependencies: {} }),
		);
		const options = ['--legacy-peer-deps', '--ignore-scripts', '--no-audit', '--no-fund'];
		await run('npm', ['install', ...options, tarball], { cwd: target, env: outsideOfNpm() });
	});
	await rm(tarball);
}

async function pack(target: string): Promise<string> {
	const { stdout } = await inRoot('npm', ['pack', '--json', '--pack-destination', target]);
	const [{ filename }] = JSON.parse(stdout) as [{ filename: string }];
	return join(target, filename);
}

async function inRoot(file: string, args: string[]): Promise<{ stdout: string }> {
	try {
		return await run(file, args, { cwd: ROOT, maxBuffer: 64 * 1024 * 1024 });
	} catch (error) {
		const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
		throw new Error(`${file} ${args.join(' ')} failed:\n${stdout}${stderr}`, { cause: error });
	}
}

/** Inside `npm run`, npm would take the folder of this package for its own. */
function outsideOfNpm(): NodeJS.ProcessEnv {
	const { npm_config_local_prefix: _prefix, ...rest } = process.env;
	return rest;
}

/** A file of `templates/`. */
export async function readTemplate(name: string): Promise<WorkflowJson> {
	return JSON.parse(await readFile(join(ROOT, 'templates', name), 'utf8')) as WorkflowJson;
}

/**
 * Imports a template; n8n finds the credentials by the names it gives them. Unlike the user's, its manual
 * executions are kept, because a program can read only those what came out.
 */
export async function importTemplate(client: N8nClient, name: string): Promise<StoredWorkflow> {
	const template = await readTemplate(name);
	const settings = { ...template.settings, saveManualExecutions: true };
	return await client.createWorkflow({ ...template, settings });
}
