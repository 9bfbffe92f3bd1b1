import { closeOnExit, runClosing } from './closing';
import { Checklist } from './checklist';
import { startDatabases } from './databases';
import { say, timed } from './progress';
import { takeScreenshots } from './screenshots';
import { startN8n } from './start-sync';
import { stayOpen } from './stay-open';
import { tellStory } from './story';
import { makeConflict } from './story-console';

/**
 * `npm run demo` shows a two-way sync in a real n8n and stays open; `-- --check` tells the whole story,
 * verifies it and exits 0 or 1; `-- --screenshots FOLDER` takes the pictures of the README (`--all`: every panel).
 */
async function main(args: readonly string[]): Promise<void> {
	const databases = await timed('starting Postgres 18', async () => await startDatabases());
	closeOnExit(async () => await databases.stop());
	const sync = await startN8n(databases, say);
	closeOnExit(async () => await sync.n8n.remove());
	const folder = args[args.indexOf('--screenshots') + 1];
	if (args.includes('--screenshots')) {
		const isComplete = args.includes('--all');
		return await takeScreenshots(sync, { folder: folder ?? 'docs/images', isComplete });
	}
	const checks = new Checklist();
	const isCheck = args.includes('--check');
	await tellStory(sync, checks, { isComplete: isCheck });
	checks.print();
	process.exitCode = checks.hasFailed ? 1 : 0;
	if (isCheck) return;
	await makeConflict(sync, ['+1 555 0181', '+1 555 0182']);
	await stayOpen(sync);
}

void runClosing(async () => await main(process.argv.slice(2)));
