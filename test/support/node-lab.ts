import type { INodeExecutionData, INodeType } from 'n8n-workflow';

import { provideStore } from '../../nodes/shared/open-store';
import type { ChangeEvent } from '../../src/core/change-event';
import type { StoredMode } from '../../src/core/journal';
import { parsePolicy } from '../../src/core/parse-policy';
import { policyHash } from '../../src/core/policy';
import { STREAM_START } from '../../src/core/position';
import { readHash } from '../../src/core/scopes';
import { MemoryStore } from '../../src/store/memory-store';
import type { StreamRegistration } from '../../src/store/stream-record';
import type { SyncStore } from '../../src/store/sync-store';
import { EventFeed } from './event-feed';
import { executeNode, type FakeExecution, type NodeRun } from './fake-execute';
import { SAMPLE_POLICY } from './sample-policy';

export const POLICY = 'crm-billing';

/** Nodes under test with a sync store in memory, the sample policy and a stream of each system. */
export interface NodeLab {
	readonly store: SyncStore;
	readonly crm: EventFeed;
	readonly billing: EventFeed;
	/** What a store credential of this lab holds. */
	readonly credential: Record<string, unknown>;
	run(node: INodeType, execution?: FakeExecution): Promise<NodeRun>;
	/** Store trips of the last `run`. */
	trips(): number;
	/** Puts the store's clock forward. */
	later(ms: number): void;
	close(): void;
}

let labs = 0;

/** @param options.policy - another text of the same policy */
export async function openNodeLab({ mode = 'live', policy }: { mode?: StoredMode; policy?: string } = {}): Promise<NodeLab> {
	let nowMs = 1_000_000;
	const memory = new MemoryStore({ now: () => nowMs });
	const counted = countCalls(memory);
	const credential = { host: `lab-${++labs}`, database: 'store', user: 'lab', password: 'x' };
	const close = provideStore(credential, counted.store);
	await publishSample(memory, mode, policy);
	for (const system of ['crm', 'billing']) await memory.registerStream(registrationOf(system));
	return {
		store: memory,
		crm: new EventFeed('crm', 'id'),
		billing: new EventFeed('billing', 'account_no'),
		credential,
		run: async (node, execution = {}) => {
			counted.reset();
			const credentials = { bisyncStoreApi: credential, ...execution.credentials };
			return await executeNode(node, { ...execution, credentials });
		},
		trips: counted.count,
		later: (ms) => {
			nowMs += ms;
		},
		close,
	};
}

export async function publishSample(
	store: Pick<SyncStore, 'publishPolicy' | 'setMode'>,
	mode: StoredMode,
	text = SAMPLE_POLICY,
): Promise<void> {
	const policy = parsePolicy(text);
	await store.publishPolicy({
		name: policy.name,
		document: policy.document,
		hash: policyHash(policy),
		by: 'test',
		initialMode: 'first-contact',
	});
	await store.setMode(policy.name, mode);
}

export function registrationOf(
	system: string,
	snapshot: StreamRegistration['snapshot'] = 'done',
): StreamRegistration {
	return {
		policy: POLICY,
		system,
		slot: `slot_${system}`,
		systemId: '7312',
		timeline: 1,
		filterHash: snapshot === 'running' ? '' : readHash(parsePolicy(SAMPLE_POLICY), system),
		start: STREAM_START,
		snapshot,
	};
}

/** Events as the items of one batch. */
export function itemsOf(...events: readonly ChangeEvent[]): INodeExecutionData[] {
	return events.map((event) => ({
		json: JSON.parse(JSON.stringify(event)) as INodeExecutionData['json'],
	}));
}

/** What a node left on an item under `bisync`. */
export function findings(
	item: INodeExecutionData | undefined,
	node: string,
): Record<string, unknown> {
	const bisync = item?.json['bisync'] as Record<string, Record<string, unknown>> | undefined;
	return bisync?.[node] ?? {};
}

/** The store, each of whose calls counts as a trip. */
function countCalls(store: SyncStore): {
	store: SyncStore;
	count: () => number;
	reset: () => void;
} {
	let count = 0;
	const counted = new Proxy(store, {
		get: (target, name) => {
			const value: unknown = Reflect.get(target, name);
			if (typeof value !== 'function') return value;
			return (...args: unknown[]): unknown => {
				count += 1;
				return (value as (...given: unknown[]) => unknown).apply(target, args);
			};
		},
	});
	return { store: counted, count: () => count, reset: () => (count = 0) };
}
