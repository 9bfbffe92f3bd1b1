import type { INodeExecutionData, IRun, ITriggerFunctions } from 'n8n-workflow';

import type { TriggerHost } from '../../nodes/PostgresCdcTrigger/lifecycle';
import type { ChangeEvent } from '../../src/core/change-event';
import { waitUntil } from './wait-until';

type Deferred<T> = ReturnType<typeof createDeferredPromise<T>>;

/** What a workflow does with the items it is handed; the status is that of the execution. */
export type FakeWorkflow = (events: readonly ChangeEvent[]) => Promise<IRun['status'] | 'timeout'>;

export interface FakeRun {
	readonly events: readonly ChangeEvent[];
	/** By `performance.now()`. */
	readonly startedMs: number;
}

/** The part of n8n that a trigger talks to. Everything it was told is kept. */
export interface FakeN8n extends TriggerHost {
	/** May be replaced between two executions. */
	workflow: FakeWorkflow;
	readonly runs: FakeRun[];
	/** Given to `emitError`. */
	readonly errors: Error[];
	/** Given to `saveFailedExecution`. */
	readonly failures: Error[];
	readonly logs: string[];
	/** All events of all executions, in order. */
	events(): ChangeEvent[];
	waitForLog(text: string): Promise<void>;
}

export function fakeN8n(workflow: FakeWorkflow): FakeN8n {
	const runs: FakeRun[] = [];
	const logs: string[] = [];
	const errors: Error[] = [];
	const failures: Error[] = [];
	const log = (level: string) => (message: string) => void logs.push(`${level}: ${message}`);
	const n8n: FakeN8n = {
		workflow,
		runs,
		errors,
		failures,
		logs,
		logger: { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') },
		helpers: {
			createDeferredPromise:
				createDeferredPromise as ITriggerFunctions['helpers']['createDeferredPromise'],
		},
		emit(data, _response, done?: Deferred<IRun>) {
			void execute(n8n, data, done);
		},
		emitError(error) {
			errors.push(error);
		},
		saveFailedExecution(error) {
			failures.push(error);
		},
		events: () => runs.flatMap(({ events }) => events),
		waitForLog: async (text) => {
			await waitUntil(`the log "${text}" among ${logs.length}`, () =>
				logs.some((line) => line.includes(text)),
			);
		},
	};
	return n8n;
}

async function execute(
	n8n: FakeN8n,
	data: INodeExecutionData[][],
	done?: Deferred<IRun>,
): Promise<void> {
	const events = (data[0] ?? []).map(({ json }) => json as unknown as ChangeEvent);
	n8n.runs.push({ events, startedMs: performance.now() });
	// As in n8n, nothing of the workflow runs before `emit` has returned.
	const status = await Promise.resolve().then(async () => await n8n.workflow(events));
	if (status === 'timeout')
		done?.reject(new Error('The execution was cancelled because it timed out'));
	else done?.resolve({ status, finished: status === 'success' } as IRun);
}

function createDeferredPromise<T = void>(): {
	promise: Promise<T>;
	resolve: (value: T) => void;
	reject: (error: Error) => void;
} {
	let resolve: (value: T) => void = () => undefined;
	let reject: (error: Error) => void = () => undefined;
	const promise = new Promise<T>((onResolve, onReject) => {
		resolve = onResolve;
		reject = onReject;
	});
	return { promise, resolve, reject };
}
