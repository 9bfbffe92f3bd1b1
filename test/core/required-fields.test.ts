import type { Json } from '../../src/core/canonical-json';
import { isDue } from '../../src/core/decide';
import { EXISTENCE } from '../../src/core/link';
import { inForce } from '../../src/core/observe';
import { parsePolicy } from '../../src/core/parse-policy';
import { resolve } from '../../src/core/resolve';
import { LinkStory } from '../support/link-story';
import { simulatedPolicy } from '../support/simulated-policy';

const PREFER_CRM = { owner: 'shared', resolve: 'prefer(crm)' };

describe('a record without a required field', () => {
	function incomplete(values: Record<string, Json>, systems = ['crm', 'billing']): LinkStory {
		const { document } = simulatedPolicy(systems, { note: PREFER_CRM, phone: PREFER_CRM }).policy;
		const { entities, ...rest } = document as { entities: { customer: Record<string, Json> } };
		const customer = { ...entities.customer, required: ['phone', 'note'] };
		const story = new LinkStory(inForce(parsePolicy(JSON.stringify({ ...rest, entities: { customer } }))));
		story.insert('crm', { ref: 'r1', ...values });
		return story;
	}

	test('is made nowhere, and the queue says what for', () => {
		const story = incomplete({ note: 'x', phone: null });
		expect(story.pump()).toEqual([]);
		expect(story.onlyReview()).toMatchObject({
			kind: 'failure',
			fields: [EXISTENCE],
			reason: 'The record is not created in billing while phone is missing',
		});
		expect(isDue(story.state, story.policy, 'live')).toBe(false);
	});

	test('is made when the last one comes, and the question is closed', () => {
		const story = incomplete({ note: null, phone: null });
		story.decide();
		expect(story.onlyReview().reason).toContain('while note, phone are missing');
		story.edit('crm', { phone: '555' });
		expect(story.pump()).toEqual([]);
		expect(story.onlyReview().reason).toContain('while note is missing');
		story.edit('crm', { note: 'x' });
		expect(story.pump()).toMatchObject([{ system: 'billing', kind: 'insert', fields: { note: { next: 'x' }, phone: { next: '555' } } }]);
		expect(story.reviews).toEqual([]);
	});

	test('lacks what was never sent as much as what is null, but not what is empty', () => {
		const absent = incomplete({ note: 'x' });
		expect(absent.pump()).toEqual([]);
		expect(absent.onlyReview().fields).toEqual([EXISTENCE]);
		expect(incomplete({ note: '', phone: '' }).pump()).toMatchObject([{ kind: 'insert' }]);
	});

	test('goes to no third system either, but stays in step where it is', () => {
		const story = incomplete({ note: 'x', phone: null }, ['crm', 'billing', 'shop']);
		story.insert('billing', { ref: 'r1', note: 'x', phone: null });
		expect(story.pump()).toEqual([]);
		story.edit('billing', { note: 'b' });
		expect(story.pump()).toMatchObject([{ system: 'crm', kind: 'update', fields: { note: { next: 'b' } } }]);
		expect(story.rows).not.toHaveProperty('shop');
	});

	test('that lost the field once it is everywhere is only updated', () => {
		const story = incomplete({ note: 'x', phone: '555' });
		story.pump();
		story.edit('crm', { phone: null });
		expect(story.pump()).toMatchObject([{ kind: 'update', fields: { phone: { next: null } } }]);
		expect(story.reviews).toEqual([]);
	});

	test('is made when a person gives a value for one that was not allowed', () => {
		const { document } = simulatedPolicy(['crm', 'billing'], { note: { ...PREFER_CRM, valid: { oneOf: ['ok'] } } }).policy;
		const { entities, ...rest } = document as { entities: { customer: Record<string, Json> } };
		const customer = { ...entities.customer, required: ['note'] };
		const policy = inForce(parsePolicy(JSON.stringify({ ...rest, entities: { customer } })));
		const story = new LinkStory(policy);
		story.insert('crm', { ref: 'r1', note: 'bad' });
		story.decide();
		const item = story.reviews.find(({ fields }) => fields.includes('note'));
		const answer = { review: item?.id ?? '', token: item?.token ?? '', by: 'maria', choice: { kind: 'values', values: { note: 'ok' } } } as const;
		story.state = resolve(story.state, answer, policy).state;
		story.pump();
		expect(story.rows['billing']).toMatchObject({ note: 'ok' });
	});

	test('that is deleted while it waits leaves nothing behind', () => {
		const story = incomplete({ note: 'x', phone: null });
		story.decide();
		story.delete('crm');
		expect(story.pump()).toEqual([]);
		expect(story.reviews).toEqual([]);
		expect(isDue(story.state, story.policy, 'live')).toBe(false);
	});
});
