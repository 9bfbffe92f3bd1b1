import { closeOnExit, runClosing } from '../demo/closing';
import { runNativeBench } from './native-replication';
import { describeMachine, printResults } from './report';
import { runSyncBench } from './sync';

const USAGE = `npm run bench -- sync [--rows N]

  sync   both sides change N rows each (default 20,000; 15 columns, 100 rows a transaction), in the
         real n8n, and beside it with Postgres' own logical replication in both directions`;

async function main([name, ...options]: readonly string[]): Promise<void> {
	if (name !== 'sync') {
		console.log(USAGE);
		process.exitCode = name === undefined ? 0 : 2;
		return;
	}
	const rows = readRows(options);
	console.log(await describeMachine());
	const native = await runNativeBench(rows, closeOnExit);
	const sync = await runSyncBench(rows, closeOnExit);
	printResults({ rows, native, sync });
}

function readRows(options: readonly string[]): number {
	const at = options.indexOf('--rows');
	if (at === -1) return 20_000;
	const rows = Number(options[at + 1]);
	if (Number.isSafeInteger(rows) && rows > 0 && rows % 100 === 0) return rows;
	throw new Error(`--rows takes a multiple of 100, not ${JSON.stringify(options[at + 1])}`);
}

void runClosing(async () => await main(process.argv.slice(2)));
