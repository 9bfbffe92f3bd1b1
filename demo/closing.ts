import { say } from './progress';

type Close = () => Promise<void>;

const closers: Close[] = [];
let isClosing = false;

/** Has `close` called at the end, and when the process is told to stop; the last one first. */
export function closeOnExit(close: Close): void {
	closers.push(close);
}

/** Runs `work`, then closes everything, also after an error, Ctrl-C or SIGTERM. */
export async function runClosing(work: () => Promise<void>): Promise<void> {
	for (const signal of ['SIGINT', 'SIGTERM'] as const) {
		process.on(signal, () => void endBecause(`got ${signal}`, 130));
	}
	try {
		await work();
	} catch (error) {
		if (isClosing) return; // What was closed under its hands is no news.
		console.error(error);
		process.exitCode = 1;
	}
	await endBecause(null, Number(process.exitCode ?? 0));
}

async function endBecause(reason: string | null, exitCode: number): Promise<void> {
	if (isClosing) return;
	isClosing = true;
	say(reason === null ? 'stopping the servers …' : `${reason}, stopping the servers …`);
	for (const close of closers.reverse()) {
		await close().catch((error: unknown) => console.error(error));
	}
	process.exit(exitCode);
}
