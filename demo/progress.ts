/** Takes one line of progress. */
export type Say = (line: string) => void;

const started = performance.now();

/** Prints a line with the time since the start: "[ 12.3 s] …". */
export function say(line: string): void {
	const seconds = ((performance.now() - started) / 1_000).toFixed(1).padStart(5);
	console.log(`[${seconds} s] ${line}`);
}

/** Runs `work`, saying every ten seconds that it goes on, and how long it took. */
export async function timed<T>(label: string, work: () => Promise<T>): Promise<T> {
	const begun = performance.now();
	const seconds = () => ((performance.now() - begun) / 1_000).toFixed(1);
	say(`${label} …`);
	const heartbeat = setInterval(() => say(`  … ${seconds()} s`), 10_000);
	try {
		const result = await work();
		say(`  done in ${seconds()} s`);
		return result;
	} finally {
		clearInterval(heartbeat);
	}
}
