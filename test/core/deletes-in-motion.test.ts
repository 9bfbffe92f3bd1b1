import type { JournalEntry } from '../../src/core/journal';
import { EXISTENCE, type Operation } from '../../src/core/link';
import { LinkStory, opTo } from '../support/link-story';
import { simulatedPolicy, type DeleteRule } from '../support/simulated-policy';

const TWO = ['crm', 'billing'];
const PREFER_CRM = { owner: 'shared', resolve: 'prefer(crm)' };

/** A record that both systems hold, with note x and phone 555. */
function linked(deletes: DeleteRule, note = PREFER_CRM): LinkStory {
	const policy = simulatedPolicy(TWO, { note, phone: PREFER_CRM }, deletes);
	return LinkStory.linked(policy, { note: 'x', phone: '555' });
}

/** crm deleted the record; billing had changed the note, which crm had not heard of. */
function disputed(deletes: DeleteRule): LinkStory {
	const story = linked(deletes);
	story.edit('billing', { note: 'b' });
	story.delete('crm');
	return story;
}

const kinds = (ops: readonly Operation[]) => ops.map(({ system, kind }) => [system, kind]);

function lost(story: LinkStory): unknown[] {
	return story.journal.flatMap(({ entry }) => (isConflict(entry) && entry.field !== EXISTENCE ? [[entry.field, entry.system, entry.detail]] : []));
}

function isConflict(entry: JournalEntry): entry is Extract<JournalEntry, { detail: unknown }> {
	return entry.kind === 'conflict';
}

describe('a delete while a write of ours is on its way', () => {
	test('to the deleted row: the write is stale, and the delete goes on', () => {
		const story = linked('delete-wins');
		story.edit('crm', { note: 'a' });
		const op = opTo(story.decide(), 'billing');
		story.delete('billing');
		story.answer(op, 'stale');
		story.pump();
		expect(story.rows).toEqual({});
		expect(lost(story)).toContainEqual(['note', 'crm', expect.objectContaining({ view: 'a' })]);
	});

	test('to the other row: it waits until the write has its outcome, then expects what was written', () => {
		const story = linked('review');
		story.edit('crm', { note: 'a' });
		const op = opTo(story.decide(), 'billing');
		story.delete('crm');
		expect(story.decide()).toEqual([op]);
		story.apply(op);
		expect(story.pump()).toMatchObject([{ system: 'billing', kind: 'delete', fields: { note: { expected: 'a' } } }]);
		expect(story.reviews).toEqual([]);
	});

	test('that makes a new row: the row is taken away again once it is there', () => {
		const story = new LinkStory(simulatedPolicy(TWO, { note: PREFER_CRM }));
		story.insert('crm', { ref: 'r1', note: 'x' });
		const op = opTo(story.decide(), 'billing');
		story.delete('crm');
		expect(story.decide()).toEqual([op]);
		story.apply(op);
		expect(kinds(story.pump())).toEqual([['billing', 'delete']]);
		expect(story.rows).toEqual({});
	});

	test('that brings the record back: who deletes then has seen that it is wanted', () => {
		const story = disputed('update-wins');
		const op = opTo(story.decide(), 'crm');
		story.delete('billing');
		story.decide();
		story.apply(op);
		story.pump();
		expect(story.rows).toEqual({});
		expect(story.reviews).toEqual([]);
	});
});

describe('what is asked about a record that is deleted', () => {
	test('is closed when the record is gone everywhere', () => {
		const review = { owner: 'shared', resolve: 'review' };
		const story = linked('delete-wins', review);
		story.edit('crm', { note: 'a' });
		story.edit('billing', { note: 'b' });
		story.decide();
		expect(story.onlyReview().fields).toEqual(['note']);
		story.delete('crm');
		story.pump();
		expect(story.reviews).toEqual([]);
		expect(story.rows).toEqual({});
		expect(lost(story)).toContainEqual(['note', 'billing', expect.objectContaining({ view: 'b' })]);
	});

	test('stays open while it is still used somewhere', () => {
		const review = { owner: 'shared', resolve: 'review' };
		const story = linked('review', review);
		story.edit('crm', { note: 'a' });
		story.edit('billing', { note: 'b' });
		story.decide();
		story.delete('crm');
		story.decide();
		expect(story.reviews.flatMap(({ fields }) => fields).sort()).toEqual(['note', EXISTENCE].sort());
	});
});

describe('a record that is gone', () => {
	test('stays gone whatever old events come again', () => {
		const story = linked('review');
		const old = story.feed('crm').update({ ...story.rows['crm'], note: 'late' });
		story.observe(old);
		story.pump();
		story.delete('crm');
		story.pump();
		expect(story.observe(old)).toBe('duplicate');
		expect(story.decide()).toEqual([]);
		expect(story.rows).toEqual({});
	});

	test('that comes back with a new row is made again everywhere, with the new row’s values', () => {
		const story = linked('review');
		story.delete('crm');
		story.pump();
		story.insert('crm', { ref: 'r1', note: 'new', phone: null });
		expect(kinds(story.pump())).toEqual([['billing', 'insert']]);
		expect(story.rows['billing']).toMatchObject({ note: 'new', phone: null });
	});

	test('of which an update was undone under "update-wins" can be deleted for good later', () => {
		const story = disputed('update-wins');
		story.pump();
		story.delete('crm');
		expect(kinds(story.pump())).toEqual([['billing', 'delete']]);
		expect(story.rows).toEqual({});
	});
});
