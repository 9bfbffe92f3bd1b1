import type { Json } from '../../src/core/canonical-json';
import { LinkStory } from '../support/link-story';
import { simulatedPolicy, type FieldRules } from '../support/simulated-policy';

const TWO = ['crm', 'billing'];

/** A record that both systems hold, with this note. */
function linked(note: FieldRules[string], value: Json): LinkStory {
	return LinkStory.linked(simulatedPolicy(TWO, { note }), { note: value });
}

const notes = ({ rows }: LinkStory): Json[] => Object.values(rows).map(({ note = null }) => note);

describe('a proposal for a field with an owner', () => {
	const PROPOSE = { owner: 'crm', onForeignEdit: 'propose' };

	function proposed(): LinkStory {
		const story = linked(PROPOSE, 'x');
		story.edit('billing', { note: 'b' });
		story.decide();
		return story;
	}

	test('waits for approval, and neither value moves', () => {
		const story = proposed();
		expect(story.pump()).toEqual([]);
		expect(story.onlyReview()).toMatchObject({
			kind: 'approval',
			fields: ['note'],
			reason: 'billing proposes a new value for note, which crm owns',
			detail: { proposal: 'billing' },
		});
		expect(notes(story)).toEqual(['x', 'b']);
	});

	test('that is approved goes to the owner', () => {
		const story = proposed();
		story.resolve({ kind: 'approve' });
		story.pump();
		expect(notes(story)).toEqual(['b', 'b']);
		expect(story.reviews).toEqual([]);
	});

	test('that is rejected is written over with the owner’s value', () => {
		const story = proposed();
		story.resolve({ kind: 'reject' });
		expect(story.pump()).toMatchObject([{ system: 'billing', fields: { note: { expected: 'b', next: 'x' } } }]);
		expect(notes(story)).toEqual(['x', 'x']);
	});

	test('closes by itself when the values become equal, whoever gives way', () => {
		for (const [system, value] of [['crm', 'b'], ['billing', 'x']] as const) {
			const story = proposed();
			story.edit(system, { note: value });
			expect(story.pump()).toEqual([]);
			expect(story.reviews).toEqual([]);
			expect(notes(story)).toEqual([value, value]);
		}
	});

	test('is asked about again when it has changed, under another token', () => {
		const story = proposed();
		const { token } = story.onlyReview();
		story.edit('billing', { note: 'c' });
		story.decide();
		expect(story.onlyReview().token).not.toBe(token);
		story.resolve({ kind: 'approve' });
		story.pump();
		expect(notes(story)).toEqual(['c', 'c']);
	});

	test('may also be answered with a third value, or let stand', () => {
		const third = proposed();
		third.resolve({ kind: 'values', values: { note: 'y' } });
		third.pump();
		expect(notes(third)).toEqual(['y', 'y']);
		const both = proposed();
		both.resolve({ kind: 'dismiss' });
		both.pump();
		expect(notes(both)).toEqual(['x', 'b']);
		expect(both.reviews).toEqual([]);
	});

	test('holds up no other field', () => {
		const story = LinkStory.linked(simulatedPolicy(TWO, { note: PROPOSE, phone: { owner: 'shared', resolve: 'max' } }), { note: 'x', phone: '1' });
		story.edit('billing', { note: 'b', phone: '2' });
		expect(story.pump()).toMatchObject([{ system: 'crm', fields: { phone: { next: '2' } } }]);
	});
});
