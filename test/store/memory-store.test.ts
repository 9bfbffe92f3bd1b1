import { MemoryState } from '../../src/store/memory-state';
import { MemoryStore } from '../../src/store/memory-store';
import { commitOf, GRACE_MS, link, note, POLICY } from './contract/store-under-test';
import { describeStoreContract } from './store-contract';

describeStoreContract('MemoryStore', async () => {
	let nowMs = 1_700_000_000_000;
	const state = new MemoryState({ now: () => nowMs, graceMs: GRACE_MS });
	return {
		store: new MemoryStore(state),
		another: async () => new MemoryStore(state),
		elapse: async (ms) => {
			nowMs += ms;
		},
		close: async () => undefined,
	};
});

describe('MemoryState', () => {
	const open = () => new MemoryState({ now: () => 1_000 });
	const create = (state: MemoryState, ...ids: string[]) => {
		for (const id of ids) {
			state.commit({
				policy: POLICY,
				links: [commitOf(link(id), { claims: [id], journal: [note(id)] })],
			});
		}
	};

	test('a snapshot is restored exactly, whatever happened since', () => {
		const state = open();
		create(state, 'a');
		const snapshot = state.snapshot();
		const before = state.serialise();
		create(state, 'b');
		state.claim({ scope: 's', keys: ['k'], leaseMs: 1 });
		expect(state.serialise()).not.toBe(before);
		state.restore(snapshot);
		expect(state.serialise()).toBe(before);
		create(state, 'b');
		expect(snapshot.policies.get(POLICY)?.links.size).toBe(1);
	});

	test('two ways to the same data have the same text, but for the journal', () => {
		const [ab, ba] = [open(), open()];
		create(ab, 'a', 'b');
		create(ba, 'b', 'a');
		expect(ab.serialise({ history: false })).toBe(ba.serialise({ history: false }));
		expect(ab.serialise()).not.toBe(ba.serialise());
	});

	test('the spread of delays comes from the random source given', () => {
		let nowMs = 0;
		const state = new MemoryState({ now: () => nowMs, graceMs: 0, random: () => 0 });
		create(state, 'a');
		const request = { policy: POLICY, limit: 1, delayMs: 1_000, maxDelayMs: 1_000 };
		expect(state.leaseDue(request)).toHaveLength(1);
		nowMs = 799;
		expect(state.leaseDue(request)).toHaveLength(0);
		nowMs = 800;
		expect(state.leaseDue(request)).toHaveLength(1);
	});
});
