import type { Json } from '../../src/core/canonical-json';
import { matchFields, matchKeys, matchKeysOfLink } from '../../src/core/match-keys';
import { LinkStory, opTo } from '../support/link-story';
import { sampleCustomer, samplePolicyWith } from '../support/sample-policy';
import { simulatedPolicy } from '../support/simulated-policy';

const { customer } = sampleCustomer();

describe('match keys', () => {
	const keys = (values: Record<string, Json>) =>
		matchKeys(customer, new Map(Object.entries(values)));

	test('are one text for each rule, in the order of the rules', () => {
		expect(keys({ ref: 42, email: 'ann@example.com', name: 'Ann' })).toEqual([
			'{"ref":42}',
			'{"email":"ann@example.com"}',
		]);
	});

	test.each([
		['unknown', { email: 'a@b' }],
		['null', { ref: null, email: 'a@b' }],
		['empty', { ref: '', email: 'a@b' }],
	])('leave out a rule of which a part is %s', (_, values) => {
		expect(keys(values)).toEqual(['{"email":"a@b"}']);
	});

	test('keep false and 0, which are values', () => {
		expect(keys({ ref: 0, email: false })).toEqual(['{"ref":0}', '{"email":false}']);
	});

	test('of a rule with several fields do not depend on their order', () => {
		const rules = (match: string) =>
			sampleCustomer(samplePolicyWith('[[ref], [email]]', match)).customer;
		const values = new Map<string, Json>([
			['name', 'Ann'],
			['phone', '1'],
		]);
		expect(matchKeys(rules('[[phone, name]]'), values)).toEqual(['{"name":"Ann","phone":"1"}']);
		expect(matchKeys(rules('[[name, phone]]'), values)).toEqual(['{"name":"Ann","phone":"1"}']);
	});
});

test('the fields of all rules are named once each', () => {
	expect(matchFields(customer)).toEqual(['ref', 'email']);
});

describe('a link has the match keys', () => {
	const inForce = simulatedPolicy(['crm', 'billing'], { note: { owner: 'shared', resolve: 'prefer(crm)' } });
	const keysOf = ({ state }: LinkStory) => [...matchKeysOfLink(inForce.policy, state)];

	test('of each record that is there, until it is gone', () => {
		const story = LinkStory.linked(inForce, { note: 'x' });
		story.edit('billing', { ref: 'r2' });
		expect(keysOf(story)).toEqual(['{"ref":"r1"}', '{"ref":"r2"}']);
		story.delete('billing');
		expect(keysOf(story)).toEqual(['{"ref":"r1"}']);
	});

	test('of an insert on its way', () => {
		const story = new LinkStory(inForce);
		story.insert('crm', { ref: 'r1', note: 'x' });
		opTo(story.decide(), 'billing');
		story.edit('crm', { ref: 'r3' });
		expect(keysOf(story)).toEqual(['{"ref":"r3"}', '{"ref":"r1"}']);
	});
});
