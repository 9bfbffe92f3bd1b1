import * as fc from 'fast-check';

import type { LinkState } from '../../../src/core/link';
import { MemoryStore } from '../../../src/store/memory-store';
import type { CommitRequest, LinkCommit, Loaded, SyncStore } from '../../../src/store/sync-store';
import { at, commitOf, link, note, POLICY, review, stream } from './store-under-test';

// The memory store is what the model check runs on, so the database must do exactly the same. Few
// ids, keys and revisions, so that commits often meet.
const id = fc.constantFrom('l1', 'l2', 'l3', 'l4');
const keys: fc.Arbitrary<LinkState['keys']> = fc.constantFrom(
	{},
	{ crm: { id: '1' } },
	{ crm: { id: '2' } },
	{ crm: { id: '1' }, billing: { account_no: '1' } },
	{ crm: { id: '3' }, billing: { account_no: '1' } },
);
const commit: fc.Arbitrary<LinkCommit> = fc
	.record({
		id,
		keys,
		generation: fc.integer({ min: 1, max: 3 }),
		// Mostly the revision that the link is likely to have.
		expectedRevision: fc.constantFrom(0, 0, 1, 1, 2, 3),
		due: fc.boolean(),
		claims: fc.subarray(['m1', 'm2', 'm3'], { maxLength: 2 }),
		releases: fc.subarray(['m1', 'm2', 'm3'], { maxLength: 1 }),
		yields: fc.subarray(['crm', 'billing'], { maxLength: 1 }),
		stopAt: fc.constantFrom(null, at(1), at(3), at(5)),
		tells: fc.subarray(['t1', 't2'], { maxLength: 1 }),
		waitsFor: fc.subarray(['t1', 't2']),
		blocks: fc.subarray(['b1', 'b2', 'b3']),
		review: fc.constantFrom('open', 'close', null),
		dates: fc.constantFrom({}, { crm: { raw: 'x', atMs: 0.5 } }, { crm: { raw: 'y', atMs: -1 } }, { crm: { raw: 'z' } }),
	})
	.map(({ id: linkId, keys: linkKeys, generation, review: change, blocks, dates, ...rest }) =>
		commitOf(link(linkId, { keys: linkKeys, generation, reviewCount: generation, dates }), {
			...rest,
			alike: blocks.length === 0 ? null : { blocks, values: [linkId, null] },
			journal: [note(`${linkId} at ${rest.expectedRevision}`)],
			reviews:
				change === null
					? []
					: change === 'open'
						? [{ action: 'open', item: review(`${linkId}.1`, { token: `t${generation}` }) }]
						: [{ action: 'close', id: `${linkId}.1`, how: 'resolved', by: 'ann' }],
		}),
	);
const request: fc.Arbitrary<CommitRequest> = fc
	.tuple(fc.array(commit, { maxLength: 4 }), fc.option(fc.tuple(fc.nat(6), fc.nat(6))), fc.boolean())
	.map(([links, range, together]) => ({
		policy: POLICY,
		links,
		together,
		...(range ? { advance: { system: 'crm', from: at(range[0]), to: at(range[1]) } } : {}),
	}));

type Step = (store: SyncStore) => Promise<unknown>;
const step: fc.Arbitrary<Step> = fc.oneof(
	{
		weight: 10,
		arbitrary: request.map(
			(one): Step =>
				(store) =>
					store.commit(one),
		),
	},
	fc.constantFrom('h1', 'h2').map(
		(hash): Step =>
			async (store) => {
				const published = await store.publishPolicy({
					name: POLICY,
					document: {},
					hash,
					by: 'x',
					initialMode: 'live',
				});
				return published.version;
			},
	),
	fc.constantFrom('live', 'stopped').map(
		(mode): Step =>
			async (store) => {
				return (await store.setMode(POLICY, mode as 'live')).mode;
			},
	),
	fc.nat(6).map(
		(n): Step =>
			(store) =>
				store.registerStream(stream({ start: at(n) })),
	),
	fc.tuple(fc.constantFrom('h1', 'h2'), fc.subarray(['s1', 's2', 'S1'])).map(
		([hash, scopes]): Step =>
			async (store) =>
				(await store.suspend(POLICY, hash, scopes)).pending,
	),
	fc.constantFrom('h1', 'h2').map(
		(hash): Step =>
			async (store) => {
				const { mode, pending } = await store.approve(POLICY, hash);
				return { mode, pending };
			},
	),
	fc.constantFrom('0/1', '0/A', 'A/0').map(
		(lsn): Step =>
			(store) =>
				store.recordAcknowledged({ policy: POLICY, system: 'crm' }, lsn),
	),
);

/** Everything that can be read, without times and without what makes each store itself. */
async function contents(store: SyncStore): Promise<unknown> {
	const loaded = await store.load({ policy: POLICY, links: ['l1', 'l2', 'l3', 'l4'] });
	const byKey = async (system: string, key: Record<string, string>) =>
		idsOf(await store.load({ policy: POLICY, keys: [{ system, entity: 'customer', key }] }));
	const byMatch = async (match: string) =>
		idsOf(await store.load({ policy: POLICY, matches: [{ entity: 'customer', match }] }));
	const reviews = await store.listReviews({ limit: 100 });
	const journal = await store.readJournal({ policy: POLICY, limit: 1_000 });
	return {
		links: [...loaded.links].sort((a, b) => (a.state.id < b.state.id ? -1 : 1)),
		streams: loaded.streams,
		policy: loaded.policy && [loaded.policy.version, loaded.policy.mode],
		keys: await Promise.all(['1', '2', '3'].map((n) => byKey('crm', { id: n }))),
		scanned: await store.scanLinks({ policy: POLICY, limit: 3 }),
		scannedCustomers: await store.scanLinks({ policy: POLICY, entity: 'customer', afterId: 'l2', limit: 3 }),
		records: await store.countRecords(POLICY, 'customer'),
		passed: await store.findPassed({ policy: POLICY, system: 'crm', untilMs: 1, limit: 9 }),
		alike: await store.findAlike(POLICY, ['b1', 'b2', 'b3']),
		accounts: await byKey('billing', { account_no: '1' }),
		matches: await Promise.all(['m1', 'm2', 'm3'].map(byMatch)),
		reviews: reviews
			.map(({ id: item, state, token, closedBy }) => [item, state, token, closedBy].join())
			.sort(),
		journal: journal.map(({ link: of, revision, entry }) => [of, revision, entry]),
	};
}

function idsOf({ links }: Loaded): string[] {
	return links.map(({ state }) => state.id);
}

async function outcome(run: Step, store: SyncStore): Promise<unknown> {
	return await run(store).catch((error: unknown) => String(error));
}

/** Runs any sequence of steps on a new store and on a memory store, and compares every answer and all that can be read then. */
export async function expectAgreement(open: () => Promise<SyncStore>): Promise<void> {
	const steps = fc.array(step, { minLength: 4, maxLength: 25 });
	await fc.assert(
		fc.asyncProperty(steps, async (sequence) => {
			const memory = new MemoryStore({ now: () => 0 });
			const store = await open();
			try {
				for (const run of [(one: SyncStore) => one.registerStream(stream()), ...sequence]) {
					expect(await outcome(run, store)).toEqual(await outcome(run, memory));
				}
				expect(await contents(store)).toEqual(await contents(memory));
			} finally {
				await store.close();
			}
		}),
		{ numRuns: Number(process.env['PROPERTY_RUNS'] ?? 40) },
	);
}
