import { MASK, maskEvent, maskReview } from '../../src/core/mask';
import { parsePolicy } from '../../src/core/parse-policy';
import type { ReviewItem } from '../../src/core/review';
import { sampleCustomer, samplePolicyWith } from '../support/sample-policy';

const { policy } = sampleCustomer();

const item = (detail: ReviewItem['detail']): ReviewItem => ({
	id: 'l.1',
	kind: 'conflict',
	policy: 'crm-billing',
	link: 'l',
	entity: 'customer',
	fields: ['phone'],
	reason: 'why',
	token: 't',
	detail,
});

test('values of a sensitive field are masked everywhere in its state, vectors and names are not', () => {
	const state = {
		merged: { canon: 'P0', vector: { crm: 1 }, from: 'crm' },
		views: { crm: { raw: 'P1', canon: 'P1', base: 'P0', vector: { crm: 2 } } },
	};
	const masked = maskReview(item({ keys: {}, fields: { phone: state, note: state } }), policy);
	expect(masked.detail).toEqual({
		keys: {},
		fields: {
			phone: {
				merged: { canon: MASK, vector: { crm: 1 }, from: 'crm' },
				views: { crm: { raw: MASK, canon: MASK, base: MASK, vector: { crm: 2 } } },
			},
			note: state,
		},
	});
});

test('null, a list and an object are masked like a text: nothing about the value shows', () => {
	const views = { crm: { raw: null, canon: ['a', { b: 1 }], vector: {} } };
	const masked = maskReview(item({ fields: { phone: { merged: null, views } } }), policy);
	expect(masked.detail).toEqual({
		fields: { phone: { merged: null, views: { crm: { raw: MASK, canon: MASK, vector: {} } } } },
	});
});

test('a key that holds a sensitive field is masked', () => {
	const text = samplePolicyWith(
		'public.accounts, key: [account_no]',
		'public.accounts, key: [contact_email]',
	);
	const keyed = sampleCustomer(
		samplePolicyWith('owner: crm, codec: email', 'owner: billing, codec: email', text),
	).policy;
	const masked = maskReview(
		item({ keys: { crm: { id: '1' }, billing: { contact_email: 'a@x' } }, fields: {} }),
		keyed,
	);
	expect(masked.detail).toEqual({
		keys: { crm: { id: '1' }, billing: { contact_email: MASK } },
		fields: {},
	});
});

test("an event's rows are masked by the columns of its own system, and what nodes found with them", () => {
	const event = {
		system: 'billing',
		entity: 'customer',
		before: null,
		after: { contact_email: 'a@x', email: 'n', memo: 'm' },
		bisync: { merge: {} },
	};
	expect(maskEvent(event, policy)).toEqual({
		...event,
		after: { contact_email: MASK, email: 'n', memo: 'm' },
		bisync: MASK,
	});
});

test('what is no change event of the policy stays as it is', () => {
	for (const other of [
		'text',
		null,
		7,
		{ entity: 'order', after: { email: 'x' } },
		{ entity: 'customer' },
	]) {
		expect(maskEvent(other, policy)).toEqual(other);
	}
	expect(maskReview(item('text'), policy).detail).toBe('text');
});

test('of two records that resemble each other the sensitive values and keys are masked, on both sides', () => {
	const alike = parsePolicy(
		samplePolicyWith('    fields:\n', '    similar: { fields: [name, phone] }\n    fields:\n'),
	);
	const values = { name: 'Acme Inc', phone: '555' };
	const resembles = { link: 'l2', percent: 91, values, twin: { keys: { billing: { account_no: '9' } }, values: { name: 'Acme', phone: '556' } } };
	const asked = { id: 'l1.1', kind: 'identity', policy: alike.name, link: 'l1', entity: 'customer', fields: ['∃'], reason: 'r', token: 't', detail: { resembles } } as const;
	const { detail } = maskReview(asked, alike);
	expect(JSON.stringify(detail)).not.toMatch(/55[56]/);
	expect(detail).toMatchObject({ resembles: { link: 'l2', percent: 91, values: { name: 'Acme Inc', phone: MASK }, twin: { values: { name: 'Acme', phone: MASK } } } });
});
