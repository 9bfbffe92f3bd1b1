import type pg from 'pg';

import type { CommitRequest, SyncStore } from '../../src/store/sync-store';

/**
 * Places in the walk of one change at which a process may die, or hang, with something half done.
 * What happens beside the process (the store or a target goes back to an older copy: C7, C8; the
 * slot vanishes: C9; a person answers twice: C11; a transaction that is not received whole: C12) is
 * no place in it.
 */
export const CRASH_POINTS = {
	C1: 'changes were received, and are about to be observed',
	C2: 'changes were observed, and are not acknowledged to the source',
	C3: 'operations were decided, and nobody has started to write them',
	C4: 'an operation was written, and its transaction is about to be committed',
	C5: 'the transaction of an operation was committed, and nobody knows yet',
	C6: 'the write transaction of an operation is about to begin',
	C10: 'of several operations of one record, the first was written',
} as const;

export type CrashPoint = keyof typeof CRASH_POINTS;

export interface Reached {
	readonly point: CrashPoint;
	/** The system that is read (C1, C2) or written (C4 to C6, C10); null at C3. */
	readonly system: string | null;
}

/** The process goes on when the promise resolves; it may never do so, and the handler may as well kill it. */
export type CrashHandler = (reached: Reached) => Promise<void> | void;

/** The crash points of one process. */
export class CrashPoints {
	readonly #handlers = new Map<CrashPoint, Set<CrashHandler>>();
	#isDead = false;
	#hasSiblings = false;

	/** @returns takes the handler off again */
	on(point: CrashPoint, handler: CrashHandler): () => void {
		const handlers = this.#handlers.get(point) ?? new Set();
		this.#handlers.set(point, handlers.add(handler));
		return () => void handlers.delete(handler);
	}

	async reach(point: CrashPoint, system: string | null): Promise<void> {
		for (const handler of this.#handlers.get(point) ?? []) await this.living(handler({ point, system }));
	}

	/** From now on nothing that is watched comes back, as in a process that is gone. */
	die(): void {
		this.#isDead = true;
	}

	get isDead(): boolean {
		return this.#isDead;
	}

	/** The result, unless the process has died: then there is nobody left to get it. */
	async living<T>(work: Promise<T> | T): Promise<T> {
		try {
			return await work;
		} finally {
			if (this.#isDead) await new Promise<never>(() => undefined);
		}
	}

	async decided({ links }: CommitRequest): Promise<void> {
		const counts = links.map(({ state }) => Object.keys(state.inFlight).length);
		this.#hasSiblings = counts.some((count) => count > 1);
		if (counts.some((count) => count > 0)) await this.reach('C3', null);
	}

	async written(system: string): Promise<void> {
		await this.reach('C5', system);
		const isFirst = this.#hasSiblings;
		this.#hasSiblings = false;
		if (isFirst) await this.reach('C10', system);
	}
}

/** The store as a process sees it that has these crash points. */
export function watchStore<Store extends SyncStore>(store: Store, points: CrashPoints): Store {
	const commit = async (request: CommitRequest): ReturnType<SyncStore['commit']> => {
		const { advance } = request;
		if (advance) await points.reach('C1', advance.system);
		const result = await store.commit(request);
		if (advance) await points.reach('C2', advance.system);
		else if (isDecision(request)) await points.decided(request);
		return result;
	};
	return new Proxy(store, {
		get(target, name) {
			const value: unknown = name === 'commit' ? commit : Reflect.get(target, name, target);
			if (typeof value !== 'function') return value;
			// The method, of the store itself: it has private fields.
			return async (...args: unknown[]) => {
				await points.living(undefined);
				return await points.living(Reflect.apply(value, target, args) as unknown);
			};
		},
	});
}

const isDecision = ({ links }: CommitRequest): boolean =>
	links.some(({ journal }) => journal.some(({ kind }) => kind === 'decided'));

/** The pool of a target: calls the crash points of each write transaction of Sync Write. */
export function watchPool<Pool extends pg.Pool>(pool: Pool, system: string, points: CrashPoints): Pool {
	const watched = new WeakSet<pg.PoolClient>();
	const connect = pool.connect.bind(pool) as (...args: unknown[]) => Promise<pg.PoolClient> | void;
	const connectAndWatch = (...args: unknown[]): Promise<pg.PoolClient> | void => {
		const connecting = connect(...args);
		if (!connecting) return; // `pool.query` takes a client by callback: no transaction.
		return connecting.then((client) => {
			if (!watched.has(client)) watchClient(client, system, points);
			watched.add(client);
			return client;
		});
	};
	return Object.assign(pool, { connect: connectAndWatch });
}

function watchClient(client: pg.PoolClient, system: string, points: CrashPoints): void {
	const query = client.query.bind(client) as (...args: unknown[]) => Promise<unknown> | void;
	const send = async (args: unknown[]): Promise<unknown> => {
		const [text] = args;
		if (typeof text === 'string' && text.startsWith('begin')) await points.reach('C6', system);
		if (text === 'commit') await points.reach('C4', system);
		const result = await points.living(query(...args));
		if (text === 'commit') await points.written(system);
		return result;
	};
	const watchedQuery = (...args: unknown[]): Promise<unknown> | void =>
		typeof args.at(-1) === 'function' ? query(...args) : send(args);
	Object.assign(client, { query: watchedQuery });
}
