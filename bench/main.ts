import { closeOnExit, runClosing } from '../demo/closing';
import { runCdcBench } from './cdc';
import { printCdc } from './cdc-report';
import { printLists, runListsBench } from './lists';
import { runNativeBench } from './native-replication';
import { printReconcile, runReconcileBench } from './reconcile';
import { describeMachine, printResults } from './report';
import { runSyncBench } from './sync';

const USAGE = `npm run bench -- sync [--rows N]
npm run bench -- cdc [--rows N] [--rounds N] [--only ours]
npm run bench -- reconcile [--rows N] [--rounds N]
npm run bench -- lists [--rows N]

  sync   both sides change N rows each (default 20,000; 15 columns, 100 rows a transaction), in the
         real n8n, and beside it with Postgres' own logical replication in both directions
  cdc    N rows (default 150,000) are read from the log, to change events: in one transaction, one by one, and as
         updates with all old values; beside it pg_recvlogical, which must be in the PATH and throws everything away,
         and the package pg-logical-replication. With --only ours and --rows 1000000: how much memory that takes
  reconcile  two tables of N rows (default 1,000,000; 15 columns) and a sync store that knows them are compared, with 0 and with 1,000
         differences; beside it one scan that hashes all rows of each table and all documents of the store
  lists  two lists of 10,000, 50,000 and 100,000 items (or N) in the real n8n, compared by Reconcile Diff and by n8n's own Compare Datasets`;

async function main([name, ...options]: readonly string[]): Promise<void> {
	if (name === 'cdc') {
		const rows = readNumber(options, '--rows', 150_000);
		const isAlone = options.includes('--only');
		const rounds = await runCdcBench(
			{
				rows,
				rounds: readNumber(options, '--rounds', isAlone ? 1 : 9),
				workloads: isAlone ? ['one transaction'] : ['one transaction', 'single rows', 'FULL updates'],
				readers: isAlone ? ['ours'] : ['pg_recvlogical', 'ours', 'library', 'library without acknowledgements'],
			},
			closeOnExit,
		);
		printCdc(rounds, rows);
		return;
	}
	if (name === 'lists') {
		const sizes = options.includes('--rows') ? [readNumber(options, '--rows', 10_000)] : [10_000, 50_000, 100_000];
		printLists(await runListsBench(sizes, closeOnExit));
		return;
	}
	if (name === 'reconcile') {
		const rows = readNumber(options, '--rows', 1_000_000);
		printReconcile(await runReconcileBench({ rows, rounds: readNumber(options, '--rounds', 3) }, closeOnExit), rows);
		return;
	}
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

function readNumber(options: readonly string[], name: string, otherwise: number): number {
	const at = options.indexOf(name);
	if (at === -1) return otherwise;
	const value = Number(options[at + 1]);
	if (Number.isSafeInteger(value) && value > 0) return value;
	throw new Error(`${name} takes a positive whole number, not ${JSON.stringify(options[at + 1])}`);
}

function readRows(options: readonly string[]): number {
	const at = options.indexOf('--rows');
	if (at === -1) return 20_000;
	const rows = Number(options[at + 1]);
	if (Number.isSafeInteger(rows) && rows > 0 && rows % 100 === 0) return rows;
	throw new Error(`--rows takes a multiple of 100, not ${JSON.stringify(options[at + 1])}`);
}

void runClosing(async () => await main(process.argv.slice(2)));
