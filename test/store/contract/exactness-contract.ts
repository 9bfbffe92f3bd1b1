import * as fc from 'fast-check';

import { canonicalJson, type Json } from '../../../src/core/canonical-json';
import type { LinkState, View } from '../../../src/core/link';
import {
	commit,
	commitOf,
	link,
	loadLink,
	type OpenStore,
	POLICY,
	review,
	type StoreUnderTest,
} from './store-under-test';

/** Names and texts chosen by other people, some of which databases or objects treat as special. */
const odd = fc.constantFrom(
	'__proto__',
	'constructor',
	'',
	'a\0b',
	'\ud800',
	'\\u0000',
	'"',
	'∃',
	'😀',
	'1',
);
const text = fc.oneof({ weight: 2, arbitrary: odd }, fc.string({ unit: 'binary' }));
const number = fc.oneof(
	fc.constantFrom(0, 1e300, 5e-324, 0.1, -1.5, 2 ** 53, 1e21, 123456789.12345679),
	fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => (value === 0 ? 0 : value)),
);
const { json } = fc.letrec<{ json: Json }>((tie) => ({
	json: fc.oneof(
		{ maxDepth: 3, withCrossShrink: true },
		fc.constantFrom<Json>(null, true, false),
		number,
		text,
		fc.array(tie('json'), { maxLength: 3 }),
		record(tie('json')),
	),
}));

function record<V>(value: fc.Arbitrary<V>): fc.Arbitrary<Record<string, V>> {
	return fc
		.array(fc.tuple(text, value), { maxLength: 4 })
		.map((entries) => Object.fromEntries(entries));
}

const vector = record(fc.nat());
const view: fc.Arbitrary<View> = fc
	.tuple(json, json, vector, fc.option(json, { nil: undefined }), fc.boolean())
	.map(([raw, canon, vv, base, accepted]) => ({
		raw,
		canon,
		vector: vv,
		// Absent is not null: without a base there is nothing to merge against.
		...(base === undefined ? {} : { base }),
		...(accepted ? { accepted: true as const } : {}),
	}));
const field = fc.record({
	merged: fc.option(fc.record({ canon: json, vector, from: text })),
	views: record(view),
	frozen: fc.constant(null),
});

/** What goes in comes out, to the character. */
export function describeExactness(open: OpenStore): void {
	describe('exactness', () => {
		let under: StoreUnderTest;
		beforeAll(async () => {
			under = await open();
		});
		afterAll(() => under.close());

		test('any state comes back as it went in, absent and null and empty kept apart', async () => {
			let count = 0;
			await fc.assert(
				fc.asyncProperty(record(field), record(record(json)), async (fields, keys) => {
					const id = `l${count++}`;
					// The key of the sixth property run must not collide with that of the first.
					const unique = Object.fromEntries(
						Object.entries(keys).map(([system, key]) => [
							system,
							Object.assign(Object.create(null), key, { id }),
						]),
					) as LinkState['keys'];
					const state = link(id, { fields, keys: unique });
					expect(await commit(under.store, [commitOf(state)])).toEqual(['committed']);
					const loaded = await loadLink(under.store, id);
					// Texts, because matchers pass over a key named __proto__.
					expect(canonicalJson(loaded?.state)).toBe(
						canonicalJson(JSON.parse(JSON.stringify(state))),
					);
				}),
				{ numRuns: 150 },
			);
		});

		test('a view without a base has none afterwards, and one with null has null', async () => {
			const views = {
				crm: { raw: '', canon: '', vector: {} },
				billing: { raw: null, canon: null, vector: {}, base: null },
			};
			const fields = { phone: { merged: null, views, frozen: null } };
			await commit(under.store, [commitOf(link('based', { fields }))]);
			const loaded = (await loadLink(under.store, 'based'))?.state.fields['phone']?.views;
			expect(Object.hasOwn(loaded?.['crm'] ?? {}, 'base')).toBe(false);
			expect(loaded).toStrictEqual(views);
		});

		test('journal entries, review items and policies come back as they went in', async () => {
			const odd: Json = JSON.parse(
				'{"__proto__":{"a\\u0000":"\\ud800","n":1e300},"empty":"","nil":null}',
			) as Json;
			const item = review('odd.1', { link: 'odd', detail: odd, reason: 'a\0b' });
			const journal = [{ kind: 'warning', detail: odd } as const];
			const reviews = [{ action: 'open', item } as const];
			await commit(under.store, [commitOf(link('odd'), { journal, reviews })]);
			const [entry] = await under.store.readJournal({ policy: POLICY, link: 'odd', limit: 1 });
			expect(canonicalJson(entry?.entry)).toBe(canonicalJson(journal[0]));
			const [listed] = await under.store.listReviews({ ids: ['odd.1'], limit: 1 });
			expect(canonicalJson(listed?.detail)).toBe(canonicalJson(odd));
			expect(listed?.reason).toBe('a\0b');
			const request = {
				name: 'odd',
				document: odd,
				hash: 'h',
				by: 'x',
				initialMode: 'live' as const,
			};
			expect(canonicalJson((await under.store.publishPolicy(request)).document)).toBe(
				canonicalJson(odd),
			);
		});
	});
}
