import type { ConnectionSettings } from '../support/embedded-postgres';
import type { System } from './systems';

/**
 * Where a worker may be told to die; the last three lie outside of the walk of one change. `reading`: rows
 * that are there already have been read and observed, and more of them are to come.
 */
export const WORKER_POINTS = ['C1', 'C2', 'C3', 'C4', 'C5', 'C6', 'C10', 'C11', 'C12', 'reading'] as const;
export type WorkerPoint = (typeof WORKER_POINTS)[number];

/** At the `nth` passage; of C12, after so many rows of one transaction. */
export interface Arm {
	readonly point: WorkerPoint;
	readonly nth: number;
	/** `stall`: the process stops where it is, until it is told to go on. */
	readonly how: 'die' | 'stall';
}

/** What the parent sends to a worker, once. */
export interface Order {
	readonly databases: Readonly<Record<System, ConnectionSettings>>;
	/** The sync store's credential. */
	readonly store: Readonly<Record<string, unknown>>;
	readonly arm: Arm | null;
	/** Instead of running the workflow: answer a review item. */
	readonly answer?: Answer;
}

/** A person's resolution of a conflict: the value of one system. */
export interface Answer {
	readonly id: string;
	readonly token: string;
	readonly system: string;
	readonly by: string;
}

/** What a worker says, one JSON text a line. Written before the worker goes on, so that nothing is lost with it. */
export type Word =
	| { readonly kind: 'reached'; readonly point: WorkerPoint }
	| { readonly kind: 'active'; readonly system: string }
	/** A trigger that does not start, or has ended. */
	| { readonly kind: 'failed'; readonly system: string; readonly message: string }
	| { readonly kind: 'answered'; readonly error: string | null }
	| { readonly kind: 'log'; readonly text: string };
