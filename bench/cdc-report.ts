import type { CdcRound, ReaderName } from './cdc';

/** The median of the rounds, and the bounds within which the true one lies with at least 95 % (for 9 rounds or more). */
interface Estimate {
	readonly median: number;
	readonly low: number;
	readonly high: number;
}

export function printCdc(rounds: readonly CdcRound[], rows: number): void {
	console.log(`
All read the same log with the same options (pgoutput, protocol 1, messages). Time counts from the request for a connection to the last
row; "ours" makes the change events that the trigger emits, the others hand on or throw away what they decoded. Compiled JavaScript.`);
	for (const workload of new Set(rounds.map((round) => round.workload))) {
		const own = rounds.filter((round) => round.workload === workload);
		console.log(`\n${rows.toLocaleString('en')} rows, ${workload}, ${own.length} rounds (median; of the ratio also its bounds)\n`);
		console.log('                                   rows/s   × limit               CPU µs/row   MB above idle');
		for (const reader of own[0]?.results.keys() ?? []) console.log(lineOf(reader, own, rows));
	}
}

function lineOf(reader: ReaderName, rounds: readonly CdcRound[], rows: number): string {
	const results = rounds.flatMap(({ results: all }) => all.get(reader) ?? []);
	const ratios = rounds.flatMap(({ results: all }) => {
		const [limit, mine] = [all.get('pg_recvlogical'), all.get(reader)];
		return limit && mine ? [limit.seconds / mine.seconds] : [];
	});
	const speed = estimate(results.map(({ seconds }) => rows / seconds)).median;
	const ratio = estimate(ratios);
	const cpu = estimate(results.map(({ cpuSeconds }) => (1e6 * cpuSeconds) / rows)).median;
	const memory = Math.max(...results.map(({ extraMb }) => extraMb));
	const shown = ratios.length === 0 ? '' : `${ratio.median.toFixed(2)} (${ratio.low.toFixed(2)} – ${ratio.high.toFixed(2)})`;
	const cells = [Math.round(speed).toLocaleString('en').padStart(9), `  ${shown.padEnd(20)}`, cpu.toFixed(1).padStart(11), Math.round(memory).toString().padStart(15)];
	return `${reader.padEnd(32)}${cells.join('')}`;
}

/** Bounds by order statistics: no shape of the distribution is assumed. */
function estimate(values: readonly number[]): Estimate {
	const sorted = [...values].sort((a, b) => a - b);
	const at = (index: number): number => sorted[Math.min(Math.max(index, 0), sorted.length - 1)] ?? 0;
	const middle = (at(Math.floor((sorted.length - 1) / 2)) + at(Math.ceil((sorted.length - 1) / 2))) / 2;
	// Of n values the k-th and the k-th from the end, k chosen so that fewer than 2.5 % lie on each side.
	const skipped = Math.max(0, Math.floor(sorted.length / 2 - 0.98 * Math.sqrt(sorted.length)) - 0);
	return { median: middle, low: at(skipped), high: at(sorted.length - 1 - skipped) };
}
