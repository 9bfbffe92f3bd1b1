/** An n8n with one active workflow, whose trigger has no sync store. It is there to be killed. */
import '../rehearse/typescript-first';

import { appendFileSync, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { type INode, Workflow } from 'n8n-workflow';

import { PostgresCdcTrigger } from '../../nodes/PostgresCdcTrigger/PostgresCdcTrigger.node';
import type { TablesMemory } from '../../nodes/PostgresCdcTrigger/tables-start';
import type { ChangeEvent } from '../../src/core/change-event';
import type { AloneOrder, JournalLine } from './alone-process';
import { type FakeN8n, fakeN8n } from './fake-n8n';
import { fakeTriggerContext } from './fake-trigger-context';

const NODE: INode = { id: 'trigger', name: 'Changes', type: 'postgresCdcTrigger', typeVersion: 1, position: [0, 0], parameters: {} };
/** Long enough for what is saved with an execution to be written before its end, as nearly always in n8n. */
const EXECUTION_MS = 4;
const SAVE_MS = 1;

class Worker {
	readonly #workflow: Workflow;
	readonly #staticFile: string;
	#executions = 0;
	/** Executions that counted towards the death. */
	#passed = 0;

	constructor(private readonly order: AloneOrder) {
		this.#staticFile = join(order.folder, 'static.json');
		const staticData = existsSync(this.#staticFile) ? (JSON.parse(readFileSync(this.#staticFile, 'utf8')) as Record<string, never>) : {};
		const nodeTypes = { getByName: () => undefined, getByNameAndVersion: () => undefined, getKnownTypes: () => ({}) };
		this.#workflow = new Workflow({ id: 'alone', nodes: [NODE], connections: {}, active: true, nodeTypes: nodeTypes as never, staticData });
	}

	async live(): Promise<void> {
		const { parameters, credentials, life } = this.order;
		const n8n = fakeN8n(async (events) => await this.#execute(events));
		for (const level of ['info', 'warn', 'error'] as const) n8n.logger[level] = (text) => this.#note({ life, kind: 'log', text });
		n8n.emitError = fail;
		const emit = n8n.emit.bind(n8n);
		const saving: FakeN8n = Object.assign(n8n, {
			emit: (...args: Parameters<FakeN8n['emit']>) => {
				n8n.runs.length = 0; // Nobody asks, and a long life would fill the memory.
				void this.#save();
				emit(...args);
			},
		});
		const staticData = this.#workflow.getStaticData('node', NODE);
		const activation = life === 1 ? 'activate' : 'init';
		await new PostgresCdcTrigger().trigger.call(fakeTriggerContext(saving, { parameters, credentials, activation, staticData }));
		await this.#save();
	}

	/** As n8n: what was changed since is lost sight of when it was changed while this was written. */
	async #save(): Promise<void> {
		const { staticData } = this.#workflow;
		if (staticData['__dataChanged'] !== true) return;
		const text = JSON.stringify(staticData);
		await sleep(SAVE_MS);
		writeFileSync(`${this.#staticFile}.new`, text);
		renameSync(`${this.#staticFile}.new`, this.#staticFile);
		staticData['__dataChanged'] = false;
	}

	async #execute(events: readonly ChangeEvent[]): Promise<'success'> {
		const { life, death } = this.order;
		this.#executions += 1;
		const n = this.#executions;
		this.#note({ life, kind: 'begin', n, events });
		const isLast = death !== null && this.#counts(events, death.among) && (this.#passed += 1) === death.nth;
		if (isLast && death.at === 'begin') await end(death.afterMs);
		await sleep(EXECUTION_MS);
		this.#note({ life, kind: 'end', n });
		if (isLast && death.at === 'end') await end(death.afterMs);
		// Somewhere in what follows: an acknowledgement, a save, the next execution.
		if (isLast) void end(death.afterMs);
		return 'success';
	}

	/** Changes count once all rows have been read, and then in place of rows, too: none come any more. */
	#counts(events: readonly ChangeEvent[], among: 'rows' | 'changes'): boolean {
		const { stream } = this.#workflow.getStaticData('node', NODE) as TablesMemory;
		const isRead = stream?.reading?.every(({ phase }) => phase === 'done') ?? false;
		return isRead || (among === 'rows' && events.some(({ op }) => op === 'r'));
	}

	#note(line: JournalLine): void {
		appendFileSync(join(this.order.folder, 'journal'), `${JSON.stringify(line)}\n`);
	}
}

function fail(error: unknown): never {
	process.stderr.write(`The worker ended: ${String(error)}\n`);
	process.exit(1);
}

async function end(afterMs: number): Promise<void> {
	if (afterMs > 0) await sleep(afterMs);
	process.kill(process.pid, 'SIGKILL');
}

process.once('message', (order: AloneOrder) => {
	new Worker(order).live().catch(fail);
});
process.on('disconnect', () => process.exit(0));
// What was compiled by now is there for the next worker, which this one does not live to see.
flushCompileCache();
process.send?.('ready');
