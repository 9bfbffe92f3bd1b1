import { randomBytes } from 'node:crypto';

import pg from 'pg';

import { MemoryState } from '../../src/store/memory-state';
import { MemoryStore } from '../../src/store/memory-store';
import { PostgresStore } from '../../src/store/postgres-store';
import type { DueLink, LeaseRequest, SyncStore } from '../../src/store/sync-store';
import type { PostgresServer } from '../support/embedded-postgres';
import { ScenarioDatabase } from './databases';

export const STORE_KINDS = ['postgres', 'redis', 'memory'] as const;
export type StoreKind = (typeof STORE_KINDS)[number];

/** The sync store of a scenario, which outlives the processes that use it. */
export interface StoreHome {
	/** For whoever looks at it from outside. */
	readonly observer: SyncStore;
	/** Where its server listens; null: it has none. */
	readonly port: number | null;
	/** For a process, which reaches the server at this port. */
	openFor(port: number): OpenedStore;
	/** Keeps a copy of it as it is now. Nobody else may use it meanwhile. */
	keepCopy(): Promise<void>;
	/** Becomes again what it was when the copy was made. */
	goBack(): Promise<void>;
	/** Forgets everything. Nobody may use it meanwhile. */
	lose(): Promise<void>;
	drop(): Promise<void>;
}

export interface OpenedStore {
	readonly store: SyncStore;
	readonly credential: Readonly<Record<string, unknown>>;
}

/** Pauses of a rehearsal, not of a night: how long a link that somebody works on is left alone, and how long after a wake. */
export const GRACE_MS = 50;
export const quick = (request: LeaseRequest): LeaseRequest => ({ ...request, delayMs: 200, maxDelayMs: 500 });

class QuickPostgresStore extends PostgresStore {
	override async leaseDue(request: LeaseRequest): Promise<readonly DueLink[]> {
		return await super.leaseDue(quick(request));
	}
}

class QuickMemoryStore extends MemoryStore {
	override async leaseDue(request: LeaseRequest): Promise<readonly DueLink[]> {
		return await super.leaseDue(quick(request));
	}
}

/** @param template - a database of the server that is an empty sync store */
export async function openPostgresHome(server: PostgresServer, template: string): Promise<StoreHome> {
	const database = await ScenarioDatabase.create(server, 'store', template);
	let copy: string | null = null;
	const connect = (port: number, max: number): PostgresStore =>
		new QuickPostgresStore(new pg.Pool({ ...database.settings, port, max }), { graceMs: GRACE_MS });
	const home = {
		observer: connect(server.port, 2),
		port: server.port,
		openFor: (port: number) => ({
			store: connect(port, 5),
			credential: { ...database.settings, port, ssl: 'disable' },
		}),
		async keepCopy() {
			await home.observer.close();
			copy = await database.keepCopy();
			home.observer = connect(server.port, 2);
		},
		async goBack() {
			if (copy === null) throw new TypeError('no copy of the store was kept');
			await home.observer.close();
			await database.goBackTo(copy);
			home.observer = connect(server.port, 2);
		},
		async lose() {
			await database.pool.query('drop schema n8n_bisync cascade');
		},
		async drop() {
			await home.observer.close();
			await database.drop();
		},
	};
	return home;
}

export function openMemoryHome(): StoreHome {
	const options = { now: () => Date.now(), graceMs: GRACE_MS, macKey: randomBytes(32).toString('hex') };
	const state = new MemoryState(options);
	let copy = state.snapshot();
	const credential = { host: 'memory', user: 'memory', password: '', ssl: 'disable', database: randomBytes(8).toString('hex') };
	const nothing = state.snapshot();
	return {
		observer: new QuickMemoryStore(state),
		port: null,
		openFor: (port) => ({ store: new QuickMemoryStore(state), credential: { ...credential, port } }),
		async keepCopy() {
			copy = state.snapshot();
		},
		async goBack() {
			state.restore(copy);
		},
		async lose() {
			state.restore(nothing);
		},
		async drop() {},
	};
}
