import { canonicalJson, type Json } from '../../../src/core/canonical-json';
import { type FieldState, EXISTENCE, type LinkState, type View } from '../../../src/core/link';
import type { HashedBucket } from '../../../src/core/hashed-bucket';
import { parsePolicy } from '../../../src/core/parse-policy';
import { type DigestShape, digestOf, digestShape } from '../../../src/core/row-digest';
import { bucketOf, hashText, scannedDigests, type StoreDigests } from '../../../src/store/store-digests';
import type { SyncStore } from '../../../src/store/sync-store';
import { commit, commitOf, link, type OpenStore, POLICY, type StoreUnderTest } from './store-under-test';

const policyWith = (fields: string) =>
	parsePolicy(`policy: ${POLICY}
systems: [crm, billing]
entities:
  customer:
    crm: { table: customers, key: [id] }
    billing: { table: accounts, key: [no] }
    match: [[ref]]
    fields:
      ref: { crm: ref, billing: ref, owner: crm }
${fields}`);
const POLICY_THEN = policyWith('      name: { crm: name, billing: name, owner: crm }\n');
const MASK = 3;

export const entityOf = (policy = POLICY_THEN) => {
	const entity = policy.entities.get('customer');
	if (!entity) throw new Error('the policy has no customer');
	return entity;
};

export function shapesOf(policy = POLICY_THEN): DigestShape[] {
	return ['crm', 'billing'].map((system) => {
		const shape = digestShape(entityOf(policy), system);
		if (typeof shape === 'string') throw new Error(shape);
		return shape;
	});
}

const field = (views: Readonly<Record<string, Json>>): FieldState => ({
	merged: null,
	frozen: null,
	views: Object.fromEntries(Object.entries(views).map(([system, raw]): [string, View] => [system, { raw, canon: raw, vector: {} }])),
});

/** A record as both systems show it. */
function record(id: string, { name = 'n', billing = name, there = ['crm', 'billing'] }: { name?: Json; billing?: Json; there?: readonly string[] } = {}): LinkState {
	return link(id, {
		keys: { crm: { id }, billing: { no: `7${id}` } },
		fields: {
			[EXISTENCE]: field(Object.fromEntries(['crm', 'billing'].map((system) => [system, there.includes(system)]))),
			ref: field({ crm: `r${id}`, billing: `r${id}` }),
			name: field({ crm: name, billing }),
		},
	});
}

export async function publish(store: SyncStore, policy = POLICY_THEN): Promise<void> {
	await store.publishPolicy({ name: POLICY, document: policy.document, hash: canonicalJson(policy.document), by: 'x', initialMode: 'live' });
	await store.load({ policy: POLICY });
}

const digestsOf = (store: SyncStore, policy = POLICY_THEN): StoreDigests => store.digests ?? scannedDigests(store, entityOf(policy));

/** By link: its bucket and hashes. */
const rowsOf = ({ bucket, hashes, ids }: HashedBucket): [string, string][] => {
	const texts = hashes.split(',');
	return ids.split(' ').map((id, at) => [id, `${bucket} ${texts[at]}`]);
};

/** Rows in one system, for half of the systems are enough. */
const STATES = [
	...Array.from({ length: 20 }, (_, at) => record(`a${at}`, { name: `name ${at}` })),
	record('b1', { name: 'here', billing: 'there' }),
	record('b2', { there: ['crm'] }),
	record('b3', { there: [] }),
	record('b4', { name: null, billing: null }),
	record('b5', { name: { a: [1, 'x'] } }),
];

export function describeDigests(open: OpenStore): void {
	describe('digests', () => {
		let lab: StoreUnderTest;
		beforeEach(async () => {
			lab = await open();
			await publish(lab.store);
			await commit(lab.store, STATES.map((state) => commitOf(state)));
			await commit(lab.store, [commitOf(link('z', { entity: 'other' }))]);
		});
		afterEach(async () => await lab.close());

		test('are summed by bucket, of the rows that there are', async () => {
			const sums = await digestsOf(lab.store).sums({ policy: POLICY, entity: 'customer', shapes: shapesOf(), mask: MASK });
			expect(sums).toMatchObject({ links: STATES.length, stale: 0, differing: 2 });
			for (const [at, shape] of shapesOf().entries()) {
				const rows = STATES.flatMap((state) => digestOf(state, shape) ?? []);
				const expected = new Map<number, bigint>();
				for (const { key, row } of rows) expected.set(bucketOf(key, MASK), (expected.get(bucketOf(key, MASK)) ?? 0n) + (row ?? 0n));
				expect(sums.sides[at]).toEqual({ rows: rows.length, sums: new Map([...expected].map(([bucket, sum]) => [bucket, String(sum)])) });
			}
		});

		test('are listed by bucket', async () => {
			for (const shape of shapesOf()) {
				const listed = await digestsOf(lab.store).inBuckets({ policy: POLICY, entity: 'customer', shape, mask: MASK, buckets: [1, 3] });
				const expected = STATES.flatMap((state): [string, string][] => {
					const digest = digestOf(state, shape);
					if (digest === null) return [];
					const bucket = bucketOf(digest.key, MASK);
					return [1, 3].includes(bucket) ? [[state.id, `${bucket} ${hashText(digest)}`]] : [];
				});
				expect(new Map(listed.flatMap(rowsOf))).toEqual(new Map(expected));
			}
		});

		test('tell which links are not the same in all systems, page by page', async () => {
			const digests = digestsOf(lab.store);
			const [first] = await digests.differing({ policy: POLICY, entity: 'customer', limit: 1 });
			const rest = await digests.differing({ policy: POLICY, entity: 'customer', limit: 9, afterId: first?.state.id ?? '' });
			expect([first, ...rest].map((one) => one?.state.id)).toEqual(['b1', 'b2']);
		});

		test('count for nothing under another version of the policy, until they are worked out anew', async () => {
			const { store } = lab;
			const policy = policyWith('      title: { crm: name, billing: name, owner: crm }\n');
			await publish(store, policy);
			const [crm, billing] = shapesOf(policy);
			if (!crm || !billing) throw new Error('there are no shapes');
			const request = { policy: POLICY, entity: 'customer', shapes: [crm, billing], mask: MASK };
			const digests = digestsOf(store, policy);
			if (store.digests) expect(await digests.sums(request)).toMatchObject({ stale: STATES.length, links: STATES.length });
			await digests.refresh(POLICY, entityOf(policy));
			const sums = await digests.sums(request);
			// What the links say of the field that is gone does not count; the new one they have not heard of.
			expect(sums).toMatchObject({ stale: 0, links: STATES.length, sides: [{ rows: 24 }, { rows: 23 }] });
			const [one] = await digests.inBuckets({ policy: POLICY, entity: 'customer', shape: crm, mask: 0, buckets: [0] });
			expect(one?.hashes).toMatch(/^(-?\d+ -,?)+$/);
		});
	});
}
