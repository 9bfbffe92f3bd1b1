import { type ChildProcess, fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import type { Order, Word, WorkerPoint } from './messages';

const MAX_LINES = 200;

/** A process that syncs. It has loaded its modules, and does nothing before it gets its order. */
export class Worker {
	/** What it said last. */
	readonly lines: string[] = [];
	/** Resolves when it has ended, however. */
	readonly ended: Promise<void>;
	/** Where it was when it said its last word. */
	reached: WorkerPoint | null = null;
	/** Systems whose trigger has started. */
	readonly active = new Set<string>();
	#onWord: (word: Word) => void = () => undefined;

	constructor(private readonly child: ChildProcess) {
		this.ended = new Promise((resolve) => child.once('close', () => resolve()));
		if (!child.stdout || !child.stderr) throw new TypeError('a worker has no output');
		createInterface(child.stdout).on('line', (line) => this.#hear(line));
		createInterface(child.stderr).on('line', (line) => this.#note(line));
		child.on('error', (error) => this.#note(error.message));
	}

	get isAlive(): boolean {
		return this.child.exitCode === null && this.child.signalCode === null;
	}

	/** @param onWord - gets everything it says */
	start(order: Order, onWord: (word: Word) => void = () => undefined): void {
		this.#onWord = onWord;
		// It may be dead by now.
		this.child.send(order, () => undefined);
	}

	signal(signal: NodeJS.Signals): void {
		this.child.kill(signal);
	}

	async kill(): Promise<void> {
		this.signal('SIGKILL');
		await this.ended;
	}

	#hear(line: string): void {
		if (!line.startsWith('{')) return this.#note(line);
		const word = JSON.parse(line) as Word;
		if (word.kind === 'reached') this.reached = word.point;
		if (word.kind === 'active') this.active.add(word.system);
		this.#note(word.kind === 'log' ? word.text : line);
		this.#onWord(word);
	}

	#note(text: string): void {
		this.lines.push(text);
		if (this.lines.length > MAX_LINES) this.lines.shift();
	}
}

/** Keeps workers ready, because one takes seconds to load its modules. */
export class Standby {
	readonly #cache = mkdtempSync(join(tmpdir(), 'bisync-crash-'));
	readonly #all = new Set<ChildProcess>();
	readonly #ready: Promise<Worker>[] = [];
	#isClosed = false;

	/** @param count - how many are loading or waiting at any time */
	constructor(count: number) {
		while (this.#ready.length < count) this.#ready.push(this.#load());
	}

	/** The one that has waited longest; another one is loaded in its place. */
	async take(): Promise<Worker> {
		this.#ready.push(this.#load());
		const next = this.#ready.shift();
		if (!next) throw new TypeError('there is always one');
		return await next;
	}

	/** Ends all workers, also those that were taken. */
	async close(): Promise<void> {
		this.#isClosed = true;
		await Promise.all([...this.#all].map(async (child) => {
			const ended = new Promise((resolve) => child.once('close', resolve));
			if (child.kill('SIGKILL')) await ended;
		}));
		rmSync(this.#cache, { recursive: true, force: true });
	}

	async #load(): Promise<Worker> {
		const child = fork(join(__dirname, 'worker.ts'), {
			execArgv: ['--require', require.resolve('tsx/cjs')],
			env: { ...process.env, NODE_COMPILE_CACHE: this.#cache },
			stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
		});
		this.#all.add(child);
		child.once('close', () => this.#all.delete(child));
		const worker = new Worker(child);
		await new Promise<void>((resolve, reject) => {
			child.once('message', () => resolve());
			child.once('close', () => {
				if (!this.#isClosed) reject(new Error(`a worker did not load: ${worker.lines.join('\n')}`));
			});
		});
		return worker;
	}
}
