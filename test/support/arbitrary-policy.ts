import fc from 'fast-check';

import type { Json } from '../../src/core/canonical-json';

/** The parts of a policy's document that tests change. */
export interface PolicyDocument {
	readonly entities: Record<string, EntityDocument>;
}

export interface EntityDocument {
	sensitive: string[];
	readonly deletes: Record<string, Json>;
	readonly fields: Record<string, FieldDocument>;
}

export type FieldDocument = Record<string, Json>;

const columnName = fc.oneof(
	fc.string({ minLength: 1, maxLength: 8 }),
	fc.constantFrom('=1', '@x', 'a|b', '"q"', 'x;y', ' s ', 'ü', 'a\nb', "'=2"),
).filter((text) => !text.includes('\0'));
const codec = fc.constantFrom<Json[]>([], ['trim'], ['trim', 'lower'], ['email']);

/** One field, by the systems that carry it. */
function field(systems: readonly string[]): fc.Arbitrary<FieldDocument> {
	return fc.subarray([...systems], { minLength: 1 }).chain((carriers) =>
		fc.record({
			columns: fc.tuple(...carriers.map(() => fc.uuid())),
			codecs: fc.tuple(...carriers.map(() => codec)),
			owner: fc.constantFrom('shared', ...carriers),
			edits: fc.constantFrom('revert', 'ignore', 'review', 'propose'),
			resolve: fc.constantFrom('review', 'latest', 'latest(3s)', 'max', 'min', 'longest', 'delta', ...carriers.map((one) => `prefer(${one})`)),
			nulls: fc.constantFrom('clear', 'ignore', 'never-wins'),
			names: fc.tuple(...carriers.map(() => columnName)),
			valid: fc.constantFrom<Json | undefined>(undefined, { required: true }, { pattern: '^=|x$', oneOf: ['a', 'b|c', 1] }),
		}).map(({ columns, codecs, owner, edits, resolve, nulls, names, valid }): FieldDocument => ({
			// Two fields must not name one column.
			...Object.fromEntries(carriers.map((system, at) => [system, `${names[at]}${columns[at]}`])),
			codec: Object.fromEntries(carriers.map((system, at) => [system, codecs[at] ?? []])),
			owner,
			...(owner === 'shared' ? { resolve } : { onForeignEdit: edits }),
			nulls,
			...(valid === undefined ? {} : { valid }),
		})),
	);
}

function entity(name: string, systems: readonly string[]): fc.Arbitrary<Json> {
	return fc.record({
		fields: fc.dictionary(fc.constantFrom('name', 'note', 'Total', 'x_1', 'phone'), field(systems), { minKeys: 1, maxKeys: 4 }),
		conflict: fc.constantFrom('review', 'update-wins', 'delete-wins'),
		rows: fc.option(fc.integer({ min: 1, max: 900 })),
		percent: fc.option(fc.constantFrom(1, 2.5, 99.125, 100)),
		sensitive: fc.boolean(),
		where: fc.boolean(),
	}).map(({ fields, conflict, rows, percent, sensitive, where }): Json => ({
		...Object.fromEntries(systems.map((system) => [system, { table: `"${name}|"."=t ""${system}"""`, key: ['id'], ...(where ? { where: { kind: ['=a', null, 1] }, insert: { kind: '=a' } } : {}) }])),
		fields: { ...fields, ref: { ...Object.fromEntries(systems.map((system) => [system, `ref of ${system}`])), owner: systems[0] ?? '' } },
		match: [['ref']],
		deletes: { conflict, massDelete: { rows, percent } },
		sensitive: sensitive ? [Object.keys(fields)[0] ?? 'ref'] : [],
	}));
}

/** Documents of valid policies, with names that are trouble to spreadsheets, pages and tables. */
export function arbitraryPolicy(): fc.Arbitrary<Json> {
	return fc.constantFrom(['crm', 'billing'], ['crm', 'billing', 'erp']).chain((systems) =>
		fc.record({
			policy: fc.constant('any-policy'),
			systems: fc.constant(systems),
			signOff: fc.constantFrom('warn', 'off', 'required'),
			entities: fc.record({ customer: entity('customer', systems), 'order-line': entity('order-line', systems) }, { requiredKeys: ['customer'] }),
		}),
	) as unknown as fc.Arbitrary<Json>;
}
