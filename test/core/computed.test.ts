import fc from 'fast-check';
import type { Json } from '../../src/core/canonical-json';
import { readFields, rawFor } from '../../src/core/mapping';
import { matchKeys } from '../../src/core/match-keys';
import { inForce } from '../../src/core/observe';
import { simulatedPolicy } from '../support/simulated-policy';
import { maskEvent, MASK } from '../../src/core/mask';
import { parsePolicy, policyOf } from '../../src/core/parse-policy';
import { policyHash } from '../../src/core/policy';
import { lintPolicy } from '../../src/core/policy-lint';
import { LinkStory } from '../support/link-story';
import { policyProblems, sampleCustomer, samplePolicyWith } from '../support/sample-policy';

const NAME = 'name: { crm: full_name, billing: name, owner: crm, codec: trim }';
const COMPUTED =
	"name: { crm: { compute: '{first_name} {last_name}' }, billing: name, owner: crm, codec: trim }";
const withName = (field: string) => samplePolicyWith(NAME, `name: ${field}`);
const TEXT = samplePolicyWith(NAME, COMPUTED);

function nameIn(row: Record<string, Json>, unchanged: string[] = [], text = TEXT) {
	return readFields(sampleCustomer(text).customer, 'crm', row, { unchanged }).get('name');
}

describe('a computed field', () => {
	test('is the text of its columns, in single spaces', () => {
		const row = { first_name: ' Ann ', last_name: 'de  la Cruz' };
		expect(nameIn(row)).toEqual({ state: 'value', raw: 'Ann de la Cruz', canon: 'Ann de la Cruz' });
	});

	test('takes null for an empty part, and nothing but empty parts for null', () => {
		expect(nameIn({ first_name: null, last_name: 'Lee' })).toMatchObject({ canon: 'Lee' });
		expect(nameIn({ first_name: null, last_name: ' ' })).toMatchObject({ raw: null, canon: null });
	});

	test('is absent where a part is, and unchanged where all parts are', () => {
		expect(nameIn({ first_name: 'Ann' })).toEqual({ state: 'absent' });
		expect(nameIn({}, ['first_name', 'last_name'])).toEqual({ state: 'unchanged' });
	});

	test('is not known where only some parts were sent', () => {
		expect(nameIn({ first_name: 'Ann' }, ['last_name'])).toEqual({
			state: 'unreadable',
			raw: null,
			reason:
				'cannot be computed, for the log left out a large part of it; replica identity full sends it',
		});
	});

	test('can hold numbers, and text of the policy beside the columns', () => {
		const text = withName(
			"{ crm: { compute: 'No. {id}: {first_name}' }, billing: name, owner: crm }",
		);
		expect(nameIn({ id: 42, first_name: 'a$&b' }, [], text)).toMatchObject({ raw: 'No. 42: a$&b' });
		expect(nameIn({ id: [1], first_name: 'x' }, [], text)).toMatchObject({ state: 'unreadable' });
	});

	test('never throws, whatever the row holds', () => {
		const value = fc.oneof(
			fc.string({ unit: 'binary' }),
			fc.constantFrom(null, 1, true, [1], { a: 1 }),
		);
		const row = fc.record({ first_name: value, last_name: value }, { requiredKeys: [] });
		fc.assert(
			fc.property(row, fc.subarray(['first_name', 'last_name']), (given, unchanged) => {
				const reading = nameIn(given as Record<string, Json>, unchanged);
				const states = ['value', 'unreadable', 'unchanged', 'absent'];
				expect(states).toContain(reading?.state);
			}),
		);
	});

	test('cannot be written', () => {
		const { customer } = sampleCustomer(TEXT);
		expect(rawFor(customer, 'crm', 'name', 'Ann')).toEqual({
			ok: false,
			reason: 'is computed in crm',
		});
	});

	test('masks the columns of a sensitive one', () => {
		const text = samplePolicyWith('sensitive: [email, phone]', 'sensitive: [name]', TEXT);
		const event = {
			system: 'crm',
			entity: 'customer',
			after: { id: 1, first_name: 'Ann', last_name: 'Lee' },
		};
		expect(maskEvent(event, parsePolicy(text))).toMatchObject({
			after: { id: 1, first_name: MASK, last_name: MASK },
		});
	});

	test('can be a constant', () => {
		const text = withName('{ crm: { constant: EUR }, billing: name, owner: crm }');
		expect(nameIn({}, [], text)).toEqual({ state: 'value', raw: 'EUR', canon: 'EUR' });
	});
});

describe('in the document', () => {
	test.each([COMPUTED, 'name: { crm: { constant: 7 }, billing: name, owner: crm }'])(
		'%s keeps its normal form',
		(field) => {
			const policy = parsePolicy(samplePolicyWith(NAME, field));
			expect(policyHash(policyOf(policy.document))).toBe(policyHash(policy));
			expect(policyOf(policy.document).document).toEqual(policy.document);
		},
	);

	const place = 'entities.customer.fields.name.crm';
	test.each([
		[
			'{ crm: { compute: "{a}" }, billing: name, owner: billing }',
			`${place}: is computed there and can never be written; set owner: crm, or name a column`,
		],
		[
			'{ crm: { compute: "{a}" }, billing: name, owner: shared, resolve: review }',
			`${place}: is computed there and can never be written; set owner: crm, or name a column`,
		],
		[
			'{ crm: { compute: Ann }, billing: name, owner: crm }',
			`${place}.compute: must name columns in braces, '{first_name} {last_name}'`,
		],
		[
			'{ crm: { compute: "{a} {}" }, billing: name, owner: crm }',
			`${place}.compute: must name columns in braces, '{first_name} {last_name}'`,
		],
		[
			'{ crm: { compute: "{a} {b" }, billing: name, owner: crm }',
			`${place}.compute: must name columns in braces, '{first_name} {last_name}'`,
		],
		[
			'{ crm: { compute: 7 }, billing: name, owner: crm }',
			`${place}.compute: must be a text, '{first_name} {last_name}'`,
		],
		[
			'{ crm: { compute: "{a}", constant: x }, billing: name, owner: crm }',
			`${place}: must be a column name, or have either compute or constant`,
		],
		[
			'{ crm: {}, billing: name, owner: crm }',
			`${place}: must be a column name, or have either compute or constant`,
		],
		[
			'{ crm: { constant: [1] }, billing: name, owner: crm }',
			`${place}.constant: must be a text, a number, true, false or null (put long numbers in quotes)`,
		],
	])('%s is refused', (field, problem) => {
		expect(policyProblems(withName(field))).toEqual([problem]);
	});

	test('lint knows the columns that it is computed from', () => {
		expect(lintPolicy(parsePolicy(TEXT))).toEqual([]);
		const columns = ['id', 'first_name', 'email', 'billing_status', 'phone', 'credit', 'note'];
		const facts = {
			...{ system: 'crm', schema: 'public', table: 'customers' },
			columns: columns.map((name) => ({ name, notNull: name === 'id', hasDefault: true })),
		};
		expect(lintPolicy(parsePolicy(TEXT), [facts]).map(({ message }) => message)).toEqual([
			'The table public.customers of crm has no column "last_name"; did you mean "first_name"?',
		]);
	});
});

describe('a system that computes a field', () => {
	const rules = {
		name: { crm: { compute: '{first} {last}' }, owner: 'crm' },
		note: { owner: 'shared', resolve: 'prefer(crm)' },
	};
	const policy = simulatedPolicy(['crm', 'billing'], rules);
	const ann = { first: 'Ann', last: 'Lee', note: 'x' };

	test('says it to the others, and again when a part of it changes', () => {
		const story = LinkStory.linked(policy, ann);
		expect(story.rows['billing']).toMatchObject({ name: 'Ann Lee', note: 'x' });
		story.edit('crm', { last: 'Ray' });
		expect(story.pump().map(({ system }) => system)).toEqual(['billing']);
		expect(story.rows['billing']).toMatchObject({ name: 'Ann Ray' });
	});

	test('is never written to, and an edit elsewhere is taken back', () => {
		const story = LinkStory.linked(policy, ann);
		story.edit('billing', { name: 'Bob', note: 'y' });
		const ops = story.pump();
		expect(ops.map(({ system, fields }) => [system, Object.keys(fields)])).toEqual([
			['crm', ['note']],
			['billing', ['name']],
		]);
		expect(story.rows['billing']).toMatchObject({ name: 'Ann Lee', note: 'y' });
		expect(story.reviews).toEqual([]);
	});

	test('gets new records without it, and decides once it has something to say', () => {
		const story = new LinkStory(policy);
		story.insert('billing', { ref: 'r1', name: 'Bob', note: 'x' });
		const [insert, ...others] = story.decide();
		expect(others).toEqual([]);
		expect(insert?.kind).toBe('insert');
		expect(insert?.fields).not.toHaveProperty('name');
		if (insert) story.apply(insert, (row) => ({ ...row, first: null, last: null }));
		expect(story.pump()).toEqual([]);
		expect(story.rows['billing']).toMatchObject({ name: 'Bob' });
		story.edit('crm', { first: 'Bo' });
		story.pump();
		expect(story.rows['billing']).toMatchObject({ name: 'Bo' });
		expect(story.reviews).toEqual([]);
	});

	test('is not asked for it when a write or a delete compares what is there', () => {
		const matched = JSON.stringify(policy.policy.document).replace('[["ref"]]', '[["name"]]');
		const story = LinkStory.linked(inForce(parsePolicy(matched)), ann);
		story.edit('billing', { note: 'y' });
		const [update] = story.decide();
		expect(update).toMatchObject({ system: 'crm', kind: 'update', guards: {} });
		if (update) story.apply(update);
		story.delete('billing');
		story.decide();
		if (story.reviews.length > 0) story.resolve({ kind: 'apply', system: 'billing' });
		const [remove] = story.decide();
		expect(remove).toMatchObject({ system: 'crm', kind: 'delete' });
		expect(Object.keys(remove?.fields ?? {}).sort()).toEqual(['note', 'ref']);
	});

	test('is matched by it', () => {
		const { customer } = sampleCustomer(samplePolicyWith('[email]]', '[name]]', TEXT));
		const row = { id: 7, first_name: 'Ann', last_name: 'Lee' };
		const canon = new Map(
			[...readFields(customer, 'crm', row)].flatMap(([name, reading]) =>
				reading.state === 'value' ? [[name, reading.canon] as const] : [],
			),
		);
		expect(matchKeys(customer, canon)).toEqual(['{"ref":7}', '{"name":"Ann Lee"}']);
	});
});
