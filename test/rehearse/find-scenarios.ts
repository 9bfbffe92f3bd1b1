import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

import { ScenarioError } from './scenario-error';

/** The scenario files of these files and folders, in the order of their names. */
export async function findScenarios(paths: readonly string[]): Promise<string[]> {
	const found = await Promise.all(paths.map(async (path) => await filesOf(path)));
	return [...new Set(found.flat())];
}

async function filesOf(path: string): Promise<string[]> {
	const what = await stat(path).catch(() => null);
	if (what === null) throw new ScenarioError(`There is no file or folder "${path}"`);
	if (!what.isDirectory()) return [path];
	const names = (await readdir(path)).filter((name) => /\.ya?ml$/.test(name) && !/\.policy\.ya?ml$/.test(name));
	if (names.length === 0) throw new ScenarioError(`The folder "${path}" has no scenarios (*.yaml)`);
	return names.sort().map((name) => join(path, name));
}
