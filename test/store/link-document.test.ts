import fc from 'fast-check';
import type { Json } from '../../src/core/canonical-json';
import { emptyLink, type FieldState, type LinkState, type Operation, type View } from '../../src/core/link';
import type { VersionVector } from '../../src/core/version-vector';
import { packLink, unpackLink, type LinkDocument } from '../../src/store/link-document';

// Few values, so that views are often equal, in whole or in part.
const value = fc.constantFrom<Json>('a', 'b', 1, null, { x: [1], y: 2 }, { y: 2, x: [1] });
const system = fc.constantFrom('crm', 'billing', '__proto__', 'a b');
const vector: fc.Arbitrary<VersionVector> = fc.dictionary(
	fc.constantFrom('crm', 'billing', 'sync', '__proto__'),
	fc.nat({ max: 2 }),
	{ noNullPrototype: true },
);
const view: fc.Arbitrary<View> = fc.record(
	{
		raw: value,
		canon: value,
		vector,
		base: value,
		accepted: fc.constant(true as const),
		residual: fc.constant(true as const),
		atMs: fc.constantFrom(0, 1_700_000_000_000),
		unreadable: fc.constant('is no number'),
	},
	{ requiredKeys: ['raw', 'canon', 'vector'], noNullPrototype: true },
);
const frozen = fc.option(
	fc.record(
		{
			review: fc.constantFrom('l.1', 'mass-delete-1'),
			kind: fc.constantFrom('conflict' as const, 'approval' as const),
			reason: fc.constant('both'),
			proposal: system,
		},
		{ requiredKeys: ['review', 'kind', 'reason'], noNullPrototype: true },
	),
);
const merged = fc.option(
	fc.record(
		{ canon: value, vector, from: system, rewrites: fc.constant(1), atMs: fc.constantFrom(0, 1_700_000_000_000) },
		{ requiredKeys: ['canon', 'vector', 'from'], noNullPrototype: true },
	),
);
const held = fc.record({ by: fc.constant('ann'), reason: fc.constant('') }, { noNullPrototype: true });
const turns = fc.record(
	{
		weight: fc.nat({ max: 30 }),
		last: fc.dictionary(system, fc.record({ canon: fc.constantFrom<Json>(null, 'x', 1), atMs: fc.nat() }, { noNullPrototype: true }), { noNullPrototype: true }),
	},
	{ noNullPrototype: true },
);
const inMotion: fc.Arbitrary<FieldState> = fc.record(
	{ merged, views: fc.dictionary(system, view, { noNullPrototype: true }), frozen, held, turns },
	{ requiredKeys: ['merged', 'views', 'frozen'], noNullPrototype: true },
);
/** At rest, but for what somebody says of the field beside. */
const besideRest: fc.Arbitrary<Partial<FieldState>> = fc.oneof(
	{ weight: 3, arbitrary: fc.constant({}) },
	held.map((one) => ({ held: one })),
	turns.map((one) => ({ turns: one })),
);
const plainRest: fc.Arbitrary<FieldState> = fc
	.tuple(value, vector, fc.uniqueArray(fc.tuple(system, value), { selector: ([name]) => name }))
	.map(([canon, seen, raws]) => ({
		merged: { canon, vector: seen, from: 'crm' },
		views: Object.fromEntries(raws.map(([name, raw]) => [name, { raw, canon, vector: { ...seen }, base: canon }])),
		frozen: null,
	}));
const atRest = fc.tuple(plainRest, besideRest).map(([field, beside]): FieldState => ({ ...field, ...beside }));
const names = fc.constantFrom('∃', 'name', 'phone', '__proto__');
const written = fc.record(
	{ expected: value, next: value, canon: value, vector },
	{ requiredKeys: ['canon', 'vector'], noNullPrototype: true },
);
const operation: fc.Arbitrary<Operation> = fc
	.dictionary(names, written, { noNullPrototype: true })
	.map((fields) => ({
		...{ id: 'l:crm:1', link: 'l', system: 'crm', entity: 'customer', number: 1, kind: 'update' },
		...{ key: { id: '1' }, fields, guards: { ref: 'r' }, existence: null },
	}));
const state: fc.Arbitrary<LinkState> = fc
	.tuple(
		fc.dictionary(names, fc.oneof(inMotion, atRest), { noNullPrototype: true }),
		fc.dictionary(system, operation, { noNullPrototype: true }),
	)
	.map(([fields, inFlight]) => ({ ...emptyLink('l', 'customer', 1), fields, inFlight }));

const stored = (one: LinkState): LinkDocument => JSON.parse(JSON.stringify(packLink(one))) as LinkDocument;

test('a document gives back the state it was made of', () => {
	fc.assert(fc.property(state, (one) => expect(unpackLink(stored(one))).toEqual(JSON.parse(JSON.stringify(one)))));
});

test('a field that every system holds is written once', () => {
	const seen = { crm: 3, billing: 2 };
	const shown = (raw: string): View => ({ raw, canon: '12.50', vector: { ...seen }, base: '12.50' });
	const credit: FieldState = {
		merged: { canon: '12.50', vector: seen, from: 'crm' },
		views: { crm: shown('12.50'), billing: shown('1250') },
		frozen: null,
	};
	const { vectors, groups, fields } = packLink({ ...emptyLink('l', 'customer', 1), fields: { credit, limit: credit } });
	expect({ vectors, groups, fields }).toEqual({
		vectors: [seen],
		groups: [['crm', 'billing']],
		fields: {
			credit: ['12.50', 0, 'crm', 0, { billing: '1250' }],
			limit: ['12.50', 0, 'crm', 0, { billing: '1250' }],
		},
	});
});

test('a document that names what it has not is refused', () => {
	const document = { ...packLink(emptyLink('l', 'customer', 1)), fields: { name: ['a', 7, 'crm', 0] as const } };
	expect(() => unpackLink(document)).toThrow('number 7 of 0');
});
