import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { ICredentialDataDecryptedObject } from 'n8n-workflow';

import type { ChangeEvent } from '../../src/core/change-event';

/** When a process kills itself. */
export interface Death {
	/** Executions with rows that are read, or those with changes after all rows have been read. */
	readonly among: 'rows' | 'changes';
	readonly nth: number;
	/** `begin`: in the middle of the execution. `end`: its work is done, and the trigger has not heard of it. `later`: it has. */
	readonly at: 'begin' | 'end' | 'later';
	/** So long after that. */
	readonly afterMs: number;
}

/** What a process gets, once. */
export interface AloneOrder {
	/** Counts from 1. */
	readonly life: number;
	/** What outlives a process: the workflow's static data, and the journal of its executions. */
	readonly folder: string;
	readonly parameters: Record<string, unknown>;
	readonly credentials: Readonly<Record<string, ICredentialDataDecryptedObject>>;
	readonly death: Death | null;
}

export type JournalLine =
	| { readonly life: number; readonly kind: 'begin'; readonly n: number; readonly events: readonly ChangeEvent[] }
	| { readonly life: number; readonly kind: 'end'; readonly n: number }
	| { readonly life: number; readonly kind: 'log'; readonly text: string };

/** An execution of some life. */
export interface Execution {
	readonly life: number;
	readonly events: readonly ChangeEvent[];
	/** Whether it came to its end. */
	readonly isDone: boolean;
}

/** One n8n after the other, each in a process of its own, over one folder. */
export class AloneProcesses {
	readonly #folder = mkdtempSync(join(tmpdir(), 'bisync-alone-'));
	readonly #ready: Promise<ChildProcess>[] = [];
	readonly #all: ChildProcess[] = [];
	#lives = 0;
	#isClosed = false;

	/** @param count - how many there will be: two of them load their modules, which takes seconds, before they are needed */
	constructor(private readonly count: number) {
		this.#loadAhead();
	}

	/** Starts the next one. */
	async start(order: Pick<AloneOrder, 'parameters' | 'credentials' | 'death'>): Promise<ChildProcess> {
		const next = this.#ready.shift();
		if (!next || this.#isClosed) throw new TypeError('there are no more processes than were asked for');
		const child = await next;
		this.#lives += 1;
		child.send({ ...order, life: this.#lives, folder: this.#folder } satisfies AloneOrder);
		this.#loadAhead();
		return child;
	}

	/** All executions so far, in order. */
	executions(): Execution[] {
		const lines = this.#lines();
		const ends = new Set(lines.flatMap((line) => (line.kind === 'end' ? [`${line.life} ${line.n}`] : [])));
		return lines.flatMap((line) => (line.kind === 'begin' ? [{ life: line.life, events: line.events, isDone: ends.has(`${line.life} ${line.n}`) }] : []));
	}

	/** What the triggers said. */
	logs(): string[] {
		return this.#lines().flatMap((line) => (line.kind === 'log' ? [`${line.life}: ${line.text}`] : []));
	}

	async close(): Promise<void> {
		this.#isClosed = true;
		await Promise.allSettled(this.#ready);
		await Promise.all(this.#all.map(endOf));
		rmSync(this.#folder, { recursive: true, force: true });
	}

	#lines(): JournalLine[] {
		const file = join(this.#folder, 'journal');
		if (!existsSync(file)) return [];
		// The last one may not have been written to its end.
		const whole = readFileSync(file, 'utf8').split('\n').slice(0, -1);
		return whole.map((line) => JSON.parse(line) as JournalLine);
	}

	#loadAhead(): void {
		while (this.#ready.length < 2 && this.#all.length < this.count) this.#ready.push(this.#load());
	}

	async #load(): Promise<ChildProcess> {
		const child = fork(join(__dirname, 'alone-worker.ts'), {
			execArgv: ['--require', require.resolve('tsx/cjs')],
			env: { ...process.env, NODE_COMPILE_CACHE: join(this.#folder, 'compiled') },
			stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
		});
		this.#all.push(child);
		const isReady = once(child, 'message').then(() => true);
		const isOver = once(child, 'exit').then(() => false);
		if (await Promise.race([isReady, isOver])) return child;
		throw new Error('a worker did not load');
	}
}

async function endOf(child: ChildProcess): Promise<void> {
	if (child.exitCode !== null || child.signalCode !== null) return;
	const ended = once(child, 'exit');
	if (child.kill('SIGKILL')) await ended;
}
