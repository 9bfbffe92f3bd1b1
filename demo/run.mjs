/** `npm run demo`: sets up what the demo needs, n8n included, then runs demo/main.ts. */
import { runTool } from '../test/support/run-tool.mjs';
import { setUp, SetupError } from '../test/support/setup.mjs';

try {
	await setUp({ withN8n: true });
	process.exitCode = await runTool('tsx', ['demo/main.ts', ...process.argv.slice(2)]);
} catch (error) {
	if (!(error instanceof SetupError)) throw error;
	console.error(error.message);
	process.exitCode = 1;
}
