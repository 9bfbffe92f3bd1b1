import type { Json } from '../../src/core/canonical-json';
import type { Valid } from '../../src/core/policy';
import { documentOfValid, invalidity, readValid } from '../../src/core/policy-valid';
import { LinkStory, opTo } from '../support/link-story';
import { policyProblems, sampleCustomer, samplePolicyWith } from '../support/sample-policy';
import { simulatedPolicy } from '../support/simulated-policy';

const NOTHING: Valid = { pattern: null, oneOf: null, transitions: null, required: false };
const states = new Map([['draft', ['sent']], ['sent', ['paid', 'draft']], ['paid', []]]);

describe('a value', () => {
	test.each<[string, Partial<Valid>, Json, Json | undefined, RegExp | null]>([
		['that matches the pattern may stand', { pattern: '^A' }, 'Ann', undefined, null],
		['that does not is refused', { pattern: '^A' }, 'Bob', undefined, /does not match the pattern \^A/],
		['may match anywhere where the pattern has no anchor', { pattern: '\\d' }, 'a1b', undefined, null],
		['that is a number is matched by its text', { pattern: '^\\d{3}$' }, 123, undefined, null],
		['of the list may stand', { oneOf: ['a', 5] }, 'a', undefined, null],
		['of the list may be spelled as a text by the other system', { oneOf: ['a', 5] }, '5', undefined, null],
		['that is not of the list is refused', { oneOf: ['a'] }, 'b', undefined, /none of the values/],
		['may follow where it is named', { transitions: states }, 'sent', 'draft', null],
		['may not follow where it is not named', { transitions: states }, 'paid', 'draft', /no allowed successor/],
		['may stay what it is', { transitions: states }, 'paid', 'paid', null],
		['may not follow where nothing may', { transitions: states }, 'draft', 'paid', /no allowed successor/],
		['may follow one that the policy does not name', { transitions: states }, 'paid', 'legacy', null],
		['that is the first one follows nothing', { transitions: states }, 'paid', undefined, null],
		['of null is allowed', { pattern: '^A', oneOf: ['A'], transitions: states }, null, 'draft', null],
		['of null is refused where the field is required', { required: true }, null, 'x', /is empty/],
		['of the empty text is a value, even where one is required', { required: true }, '', undefined, null],
	])('%s', (_, ...[conditions, value, before, expected]) => {
		const reason = invalidity({ ...NOTHING, ...conditions }, value, before);
		if (expected === null) expect(reason).toBeNull();
		else expect(reason).toMatch(expected);
	});
});

describe('in the document', () => {
	const NAME = 'name: { crm: full_name, billing: name, owner: crm, codec: trim }';
	const withValid = (valid: string) => samplePolicyWith(NAME, `name: { crm: full_name, billing: name, owner: crm, valid: ${valid} }`);

	test('all conditions are read, and written again as they were', () => {
		const text = '{ pattern: "^[A-Z]", oneOf: [A, B, 5], transitions: { A: [B], B: [] }, required: true }';
		const valid = sampleCustomer(withValid(text)).customer.fields.get('name')?.valid;
		expect(valid).toEqual({
			pattern: '^[A-Z]',
			oneOf: ['A', 'B', 5],
			transitions: new Map([['A', ['B']], ['B', []]]),
			required: true,
		});
		const document = valid && documentOfValid(valid);
		expect(document).toEqual({ pattern: '^[A-Z]', oneOf: ['A', 'B', 5], transitions: { A: ['B'], B: [] }, required: true });
		expect(sampleCustomer(withValid(JSON.stringify(document))).customer.fields.get('name')?.valid).toEqual(valid);
	});

	test.each([
		['{}', 'must have a pattern, oneOf, transitions or required: true'],
		['{ required: false }', 'must have a pattern, oneOf, transitions or required: true'],
		['{ oneOf: [] }', 'oneOf: must name at least one value'],
		['{ oneOf: x }', 'oneOf: must be a list of values'],
		['{ transitions: {} }', 'transitions: must have at least one value with its followers'],
		['{ transitions: { a: b } }', 'transitions.a: must be a list of values'],
		['{ required: yes please }', 'required: must be true or false'],
	])('%s is refused', (valid, problem) => {
		const [first] = policyProblems(withValid(valid));
		expect(first).toContain(`entities.customer.fields.name.valid`);
		expect(first).toContain(problem);
	});

	test('a pattern that is no regular expression is refused', () => {
		expect(policyProblems(withValid('{ pattern: "([" }'))[0]).toContain('entities.customer.fields.name.valid.pattern');
	});

	test('nothing said is nothing', () => {
		expect(readValid(undefined, { path: [], problems: { } as never })).toBeNull();
	});
});

describe('a value that the policy does not allow', () => {
	function linked(valid: Record<string, Json>, note: Json = 'draft', systems = ['crm', 'billing']): LinkStory {
		const rules = { owner: 'shared', resolve: 'prefer(crm)', valid };
		return LinkStory.linked(simulatedPolicy(systems, { note: rules, phone: { owner: 'shared', resolve: 'max' } }), { note, phone: '1' });
	}
	const STATES = { transitions: { draft: ['sent'], sent: ['paid'] } };

	test.each<[string, Record<string, Json>, Json]>([
		['the pattern', { pattern: '^[a-z]+$' }, 'NO'],
		['oneOf', { oneOf: ['draft', 'sent'] }, 'lost'],
		['transitions', STATES, 'paid'],
		['required', { required: true }, null],
	])('by %s is asked about instead of written, and other fields flow', (_, valid, bad) => {
		const story = linked(valid);
		story.edit('billing', { note: bad, phone: '2' });
		expect(Object.keys(opTo(story.pump(), 'crm').fields)).toEqual(['phone']);
		expect(story.onlyReview()).toMatchObject({ kind: 'failure', fields: ['note'] });
		expect(story.onlyReview().reason).toMatch(/^The new value of note in billing /);
		expect(story.rows).toMatchObject({ crm: { note: 'draft' }, billing: { note: bad } });
	});

	test('is named in no reason', () => {
		const story = linked({ oneOf: ['draft'] });
		story.edit('billing', { note: 'a secret' });
		story.decide();
		expect(story.onlyReview().reason).not.toContain('secret');
	});

	test('is forgotten when a newer change is allowed', () => {
		const story = linked(STATES);
		story.edit('billing', { note: 'paid' });
		story.decide();
		story.edit('billing', { note: 'sent' });
		expect(story.pump()).toMatchObject([{ system: 'crm', fields: { note: { next: 'sent' } } }]);
		expect(story.reviews).toEqual([]);
	});

	test('is asked about anew when a newer change is not allowed either', () => {
		const story = linked(STATES);
		story.edit('billing', { note: 'paid' });
		story.decide();
		story.edit('billing', { note: 'lost' });
		expect(story.pump()).toEqual([]);
		expect(story.onlyReview().fields).toEqual(['note']);
	});

	test('goes out when a person says so', () => {
		const story = linked(STATES);
		story.edit('billing', { note: 'paid' });
		story.decide();
		story.resolve({ kind: 'apply', system: 'billing' });
		expect(story.pump()).toMatchObject([{ system: 'crm', fields: { note: { next: 'paid' } } }]);
		expect(story.reviews).toEqual([]);
	});

	test('is taken back when a person says so', () => {
		const story = linked(STATES);
		story.edit('billing', { note: 'paid' });
		story.decide();
		story.resolve({ kind: 'apply', system: 'crm' });
		story.pump();
		expect(story.rows).toMatchObject({ crm: { note: 'draft' }, billing: { note: 'draft' } });
	});

	test('stays a question when a person only says "again"', () => {
		const story = linked(STATES);
		story.edit('billing', { note: 'paid' });
		story.decide();
		story.resolve({ kind: 'retry' });
		expect(story.pump()).toEqual([]);
		expect(story.onlyReview().fields).toEqual(['note']);
	});

	test('of a stranger in an owned field is reverted without a question', () => {
		const policy = simulatedPolicy(['crm', 'billing'], { note: { owner: 'crm', valid: { oneOf: ['x'] } } });
		const story = LinkStory.linked(policy, { note: 'x' });
		story.edit('billing', { note: 'bad' });
		expect(story.pump()).toMatchObject([{ system: 'billing', fields: { note: { next: 'x' } } }]);
		expect(story.reviews).toEqual([]);
	});

	test('that all systems hold already is nobody’s question', () => {
		const story = linked({ oneOf: ['draft'] });
		story.edit('crm', { note: 'old' });
		story.edit('billing', { note: 'old' });
		story.pump();
		expect(story.rows).toMatchObject({ crm: { note: 'old' }, billing: { note: 'old' } });
	});

	test('of a new record is left out of it, and comes when it is corrected', () => {
		const story = new LinkStory(simulatedPolicy(['crm', 'billing'], { note: { owner: 'shared', resolve: 'prefer(crm)', valid: { oneOf: ['a'] } } }));
		story.insert('crm', { ref: 'r1', note: 'bad' });
		const op = opTo(story.decide(), 'billing');
		expect(op.fields).not.toHaveProperty('note');
		story.apply(op, (row) => ({ ...row, note: null }));
		story.edit('crm', { note: 'a' });
		story.pump();
		expect(story.rows['billing']).toMatchObject({ note: 'a' });
		expect(story.reviews).toEqual([]);
	});
});
