import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
import { delimiter, join } from 'node:path';

import { ROOT } from './setup.mjs';

/**
 * Runs a program of node_modules/.bin from the root, with Node 24 as `node`.
 *
 * @param {string} tool
 * @param {string[]} args
 * @returns {Promise<number>} the exit code, as a shell would give it.
 */
export async function runTool(tool, args) {
	const bin = join(ROOT, 'node_modules', '.bin');
	const env = { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH}` };
	const child = spawn(join(bin, tool), args, { cwd: ROOT, env, stdio: 'inherit' });
	// A terminal sends Ctrl-C to both: this process waits for the tool to tidy up.
	process.on('SIGINT', () => undefined);
	process.on('SIGTERM', () => child.kill('SIGTERM'));
	const [code, signal] = await once(child, 'close');
	return code ?? 128 + constants.signals[signal];
}
