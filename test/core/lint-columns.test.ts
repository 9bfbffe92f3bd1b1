import { lintColumns } from '../../src/core/lint-columns';
import type { ColumnFacts } from '../../src/core/table-facts';
import { sampleCustomer, samplePolicyWith } from '../support/sample-policy';

const NAME = 'name: { crm: full_name, billing: name, owner: crm, codec: trim }';

/** What is found about one field whose columns are these, as `severity path: message`. */
function lint(
	{ crm, billing, ...facts }: { crm?: string; billing?: string } & Record<'in', [Facts, Facts]>,
	more = 'owner: shared, resolve: review',
): string[] {
	return findings({ crm, billing, ...facts }, more).map(
		({ severity, path, message }) => `${severity} ${path}: ${message}`,
	);
}

type Facts = Partial<ColumnFacts>;

function findings(
	{
		crm,
		billing,
		in: [ofCrm, ofBilling],
	}: { crm?: string | undefined; billing?: string | undefined; in: [Facts, Facts] },
	more: string,
) {
	const codec = `codec: { ${crm ? `crm: "${crm}"` : ''}${crm && billing ? ', ' : ''}${billing ? `billing: "${billing}"` : ''} }`;
	const field = `name: { crm: full_name, billing: name, ${more}${crm || billing ? `, ${codec}` : ''} }`;
	const { customer } = sampleCustomer(samplePolicyWith(NAME, field));
	const policy = customer.fields.get('name');
	if (!policy) throw new Error('no field');
	return lintColumns(policy, 'name', (system) => ({
		name: 'x',
		notNull: false,
		hasDefault: false,
		...(system === 'crm' ? ofCrm : ofBilling),
	}));
}

const text: Facts = { kind: 'text', maxLength: null };
const integer: Facts = { kind: 'integer' };
const numeric = (scale: number | null): Facts => ({ kind: 'numeric', scale });

test.each<[Facts, Facts]>([
	[text, text],
	[integer, integer],
	[numeric(2), numeric(2)],
	[{ kind: 'boolean' }, { kind: 'boolean' }],
	[{ kind: 'timestamptz' }, { kind: 'timestamptz' }],
	[{ kind: 'json' }, { kind: 'json' }],
	[{ kind: 'list' }, { kind: 'list' }],
	[{ kind: 'other' }, { kind: 'other' }],
	[text, {}],
])('two columns alike need no codec: %j, %j', (one, other) => {
	expect(lint({ in: [one, other] })).toEqual([]);
});

test('an integer and a bigint, which the log sends as number and as text, need a codec', () => {
	const [finding] = findings({ in: [integer, { kind: 'bigint' }] }, 'owner: crm');
	expect(finding).toEqual({
		severity: 'error',
		path: 'name.codec',
		message:
			'No value of "full_name" of crm (integer) stays the same in "name" of billing (bigint).',
		fix: 'Set codec: integer.',
	});
	expect(lint({ crm: 'integer', billing: 'integer', in: [integer, { kind: 'bigint' }] })).toEqual(
		[],
	);
});

test('a codec that cannot read its column is an error', () => {
	expect(
		lint({ crm: 'decimal(2)', billing: 'decimal(2)', in: [{ kind: 'boolean' }, numeric(2)] }),
	).toEqual([
		'error name.codec: decimal(2) can read no value of the column "full_name" of crm, which is of type boolean.',
	]);
});

test('digits that the other column rounds away are found', () => {
	const rounds =
		'warning name.codec: Not every value of "full_name" of crm (numeric, read by decimal(4)) stays the same in "name" of billing (numeric, read by decimal(4)).';
	expect(
		lint({ crm: 'decimal(4)', billing: 'decimal(4)', in: [numeric(4), numeric(2)] }, 'owner: crm'),
	).toEqual([rounds]);
	expect(
		lint({ crm: 'decimal(2)', billing: 'decimal(2)', in: [numeric(4), numeric(2)] }, 'owner: crm'),
	).toEqual([]);
	expect(
		lint({ crm: 'decimal(2)', billing: 'minor-units(2)', in: [numeric(2), { kind: 'bigint' }] }),
	).toEqual([]);
	expect(lint({ in: [numeric(4), numeric(2)] }, 'owner: crm')[0]).toMatch(
		/^error name.codec: No value/,
	);
});

test('wall time and moments are not the same without a zone', () => {
	const places: [Facts, Facts] = [{ kind: 'timestamp' }, { kind: 'timestamptz' }];
	const [finding] = findings({ in: places }, 'owner: crm');
	expect(finding).toMatchObject({
		severity: 'error',
		fix: expect.stringContaining('datetime(Zone/City)'),
	});
	expect(lint({ crm: 'datetime(Europe/Berlin)', billing: 'timestamp', in: places })).toEqual([]);
	expect(lint({ crm: 'timestamp', billing: 'timestamp', in: places })).toEqual([]);
});

test('a text in a column that pads it needs trim', () => {
	const padded: Facts = { ...text, maxLength: 9, isPadded: true };
	expect(findings({ in: [text, padded] }, 'owner: crm')[0]?.fix).toMatch(/^Set codec: trim/);
	expect(lint({ crm: 'trim', billing: 'trim', in: [padded, padded] })).toEqual([]);
});

test('a text column that is shorter than the other is found, unless a codec decides the length', () => {
	const short: Facts = { ...text, maxLength: 40 };
	expect(lint({ in: [text, short] })).toEqual([
		'info name.billing: crm has texts of any length, and the column "name" of billing refuses those of more than 40; they would wait for a person.',
	]);
	expect(lint({ in: [{ ...text, maxLength: 80 }, short] })).toEqual([
		'warning name.billing: crm has texts of up to 80 characters, and the column "name" of billing refuses those of more than 40; they would wait for a person.',
	]);
	expect(
		lint({ crm: 'country(name)', billing: 'country', in: [text, { ...text, maxLength: 2 }] }),
	).toEqual([]);
});

describe('a column that admits some values only', () => {
	const status: Facts = { ...text, values: ['active', 'past_due'] };

	test('is held against the map', () => {
		const found = findings(
			{ in: [text, status] },
			'owner: crm, map: { Active: active, Late: late }',
		);
		expect(found).toContainEqual({
			severity: 'error',
			path: 'name.map',
			message: 'The column "name" of billing has no value for "Late" of crm.',
			fix: 'Map each to one of active, past_due.',
		});
		expect(
			lint({ in: [text, status] }, 'owner: crm, map: { Active: active, Late: past_due }'),
		).toEqual([]);
	});

	test('is held against the values of the other one', () => {
		const wider: Facts = { ...text, values: ['active', 'past_due', 'new'] };
		expect(lint({ in: [wider, status] }, 'owner: crm')).toEqual([
			'error name.map: The column "name" of billing has no value for "new" of crm.',
		]);
		expect(lint({ in: [wider, status] }, 'owner: billing')).toEqual([]);
	});

	test('wants a map from free text', () => {
		expect(lint({ in: [text, status] }, 'owner: crm')[0]).toMatch(/^(warning|error) name\./);
	});

	test('whose values the map does not all know is told of', () => {
		const wider: Facts = { ...text, values: ['Active', 'Late', 'New'] };
		expect(
			lint({ in: [wider, status] }, 'owner: crm, map: { Active: active, Late: past_due }'),
		).toEqual([
			'warning name.map: The map lacks "New", which the column "full_name" of crm admits; a record with it would wait for a person.',
		]);
	});
});
