/**
 * Sets the clone up if need be, then runs a tool of node_modules/.bin under Node 24:
 * `node test/support/run.mjs [--with-n8n] TOOL [ARGUMENT…]`. The exit code is the tool's.
 */
import { runTool } from './run-tool.mjs';
import { setUp, SetupError } from './setup.mjs';

const words = process.argv.slice(2);
const withN8n = words[0] === '--with-n8n';
const [tool, ...args] = withN8n ? words.slice(1) : words;

try {
	await setUp({ withN8n });
	process.exitCode = await runTool(tool, args);
} catch (error) {
	if (!(error instanceof SetupError)) throw error;
	console.error(error.message);
	process.exitCode = 1;
}
