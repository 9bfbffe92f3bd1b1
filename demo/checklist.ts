import { say } from './progress';

export interface CheckResult {
	readonly name: string;
	readonly ok: boolean;
	/** What was measured, or what went wrong. */
	readonly detail: string;
	readonly seconds: number;
}

/** Checks, one after the other; each prints `ok` or `FAIL` with its numbers. */
export class Checklist {
	readonly results: CheckResult[] = [];

	/** @param work - returns the numbers to print; throws when the check fails */
	async check(name: string, work: () => Promise<string>): Promise<void> {
		say(`checking: ${name} …`);
		const started = performance.now();
		const heartbeat = setInterval(() => say(`  … ${secondsSince(started)} s`), 10_000);
		const [ok, detail] = await work().then(
			(numbers) => [true, numbers] as const,
			(error: unknown) => [false, error instanceof Error ? error.message : String(error)] as const,
		);
		clearInterval(heartbeat);
		this.results.push({ name, ok, detail, seconds: secondsSince(started) });
		say(`${ok ? '  ok  ' : '  FAIL'} ${name}: ${detail}`);
	}

	get hasFailed(): boolean {
		return this.results.some(({ ok }) => !ok);
	}

	/** All results again, as a table to read at the end. */
	print(): void {
		const width = Math.max(...this.results.map(({ name }) => name.length));
		console.log('');
		for (const { name, ok, detail, seconds } of this.results) {
			const time = `${seconds.toFixed(1)} s`.padStart(8);
			console.log(`${ok ? 'ok  ' : 'FAIL'} ${name.padEnd(width)} ${time}  ${detail}`);
		}
		const failed = this.results.filter(({ ok }) => !ok).length;
		console.log(`\n${this.results.length - failed} of ${this.results.length} checks passed`);
	}
}

/** Fails the running check. */
export function demand(condition: boolean, otherwise: string): void {
	if (!condition) throw new Error(otherwise);
}

function secondsSince(started: number): number {
	return Math.round((performance.now() - started) / 100) / 10;
}
