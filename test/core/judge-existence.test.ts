import { EXISTENCE, type Operation } from '../../src/core/link';
import { isDue } from '../../src/core/decide';
import { contestingEdits } from '../../src/core/judge-existence';
import type { JournalEntry } from '../../src/core/journal';
import { LinkStory, opTo } from '../support/link-story';
import { simulatedEntity, simulatedPolicy, type DeleteRule } from '../support/simulated-policy';

const TWO = ['crm', 'billing'];
const THREE = [...TWO, 'shop'];
const PREFER_CRM = { owner: 'shared', resolve: 'prefer(crm)' };

/** A record that all systems hold, with note x and phone 555. */
function linked(deletes: DeleteRule, systems = TWO, note: typeof PREFER_CRM | Record<string, string> = PREFER_CRM): LinkStory {
	const policy = simulatedPolicy(systems, { note, phone: PREFER_CRM }, deletes);
	return LinkStory.linked(policy, { note: 'x', phone: '555' });
}

/** crm deleted the record; billing had changed the note, which crm had not heard of. */
function disputed(deletes: DeleteRule, systems = TWO): LinkStory {
	const story = linked(deletes, systems);
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

describe('an edit of a field that another system owns', () => {
	const owned = { owner: 'crm' };
	const reverts = (story: LinkStory) => story.journal.flatMap(({ entry }) => ('detail' in entry && entry.kind === 'revert' ? [entry.detail] : []));
	const named = { kept: 'crm', view: 'b', rule: 'delete' };

	test.each(['review', 'update-wins', 'delete-wins'] as const)('holds no delete up, heard before or after it, and the journal keeps it (%s)', (deletes) => {
		const before = linked(deletes, TWO, owned);
		before.edit('billing', { note: 'b' });
		before.delete('crm');
		expect(kinds(before.pump())).toEqual([['billing', 'delete']]);
		expect(reverts(before)).toEqual([expect.objectContaining(named)]);

		const after = linked(deletes, TWO, owned);
		after.delete('crm');
		const [late] = after.decide();
		after.edit('billing', { note: 'b' });
		after.answer(opTo([late].flatMap((op) => op ?? []), 'billing'), 'stale');
		expect(kinds(after.pump())).toEqual([['billing', 'delete']]);
		expect(reverts(after)).toEqual([expect.objectContaining(named)]);
		expect([after.rows, after.reviews, lost(after)]).toEqual([{}, [], []]);
	});

	test('is asked about where such edits are reviewed', () => {
		const story = linked('review', TWO, { ...owned, onForeignEdit: 'review' });
		story.delete('crm');
		story.edit('billing', { note: 'b' });
		expect(story.pump()).toEqual([]);
		expect(story.onlyReview().kind).toBe('conflict');
	});

	test('counts while the owner does not have the record, and it was decided that there is one', () => {
		const story = linked('update-wins', THREE, owned);
		story.delete('crm');
		story.edit('billing', { phone: '556' });
		expect(kinds(story.decide())).toContainEqual(['crm', 'insert']);
		story.edit('billing', { note: 'b' });
		story.delete('shop');
		expect(contestingEdits(story.state, 'shop', simulatedEntity(story.policy))).toContainEqual({ field: 'note', system: 'billing', overruled: false });
	});

	test('counts when it is the owner’s', () => {
		const story = linked('review', TWO, owned);
		story.edit('crm', { note: 'b' });
		story.delete('billing');
		expect(story.pump()).toEqual([]);
		expect(story.onlyReview().reason).toContain('the change of note by crm');
	});
});

describe('a delete that has seen everything', () => {
	test('goes to all other systems, and expects every field as it was seen', () => {
		const story = linked('review', THREE);
		story.delete('billing');
		const ops = story.decide();
		expect(kinds(ops)).toEqual([['crm', 'delete'], ['shop', 'delete']]);
		for (const { fields } of ops) {
			expect(fields).toMatchObject({ ref: { expected: 'r1' }, note: { expected: 'x' }, phone: { expected: '555' } });
		}
		story.pump();
		expect(story.rows).toEqual({});
		expect(isDue(story.state, story.policy, 'live')).toBe(false);
	});

	test('has seen edits that arrived before it', () => {
		const story = linked('review');
		story.edit('billing', { note: 'b' });
		story.pump();
		story.delete('crm');
		expect(kinds(story.pump())).toEqual([['billing', 'delete']]);
	});

	test('has seen what the same system changed before, even if nobody else has', () => {
		const story = linked('review');
		story.edit('crm', { note: 'a' });
		story.delete('crm');
		expect(kinds(story.pump())).toEqual([['billing', 'delete']]);
		expect(story.reviews).toEqual([]);
	});

	test('needs not have seen an edit that made the other’s value equal to its own', () => {
		const story = linked('review');
		story.edit('crm', { note: 'same' });
		story.edit('billing', { note: 'same' });
		story.delete('crm');
		expect(kinds(story.pump())).toEqual([['billing', 'delete']]);
	});

	test('needs not have seen what the sync has set right itself', () => {
		const story = linked('review', TWO, { owner: 'crm' });
		story.edit('billing', { note: 'hack' });
		story.pump();
		story.delete('crm');
		expect(kinds(story.pump())).toEqual([['billing', 'delete']]);
		expect(story.reviews).toEqual([]);
	});

	test('needs not know a difference that is tolerated', () => {
		const story = linked('review', TWO, { owner: 'crm', onForeignEdit: 'ignore' });
		story.edit('billing', { note: 'their own' });
		story.pump();
		story.delete('billing');
		expect(kinds(story.pump())).toEqual([['crm', 'delete']]);
		expect(story.reviews).toEqual([]);
	});

	test('does not know what came after a difference that was tolerated', () => {
		const story = linked('review', TWO, { owner: 'crm', onForeignEdit: 'ignore' });
		story.edit('billing', { note: 'their own' });
		story.pump();
		story.edit('crm', { note: 'a' });
		story.delete('billing');
		expect(story.pump()).toEqual([]);
		expect(story.onlyReview().fields).toEqual([EXISTENCE]);
	});

	test('does not go anywhere while the record is frozen by hand, and goes when it is unfrozen', () => {
		const story = linked('review');
		story.hold('freeze', 'record');
		story.delete('crm');
		expect(story.pump()).toEqual([]);
		story.hold('unfreeze', 'record');
		expect(kinds(story.pump())).toEqual([['billing', 'delete']]);
	});
});

describe('a delete that has not seen an edit', () => {
	test('under "review" asks, and says in words what had not been seen, without its value', () => {
		const story = disputed('review');
		expect(story.pump()).toEqual([]);
		expect(story.onlyReview()).toMatchObject({
			kind: 'conflict',
			fields: [EXISTENCE],
			reason: 'crm deleted the record without having seen the change of note by billing',
		});
		expect(Object.keys(story.rows)).toEqual(['billing']);
	});

	test('under "review" goes when a person says so, and comes back when one says otherwise', () => {
		const gone = disputed('review');
		gone.decide();
		gone.resolve({ kind: 'apply', system: 'crm' });
		expect(kinds(gone.pump())).toEqual([['billing', 'delete']]);
		const back = disputed('review');
		back.decide();
		back.resolve({ kind: 'apply', system: 'billing' });
		back.pump();
		expect(back.rows).toMatchObject({ crm: { note: 'b', phone: '555' }, billing: { note: 'b' } });
	});

	test('under "update-wins" is undone: the record is made again with the edit', () => {
		const story = disputed('update-wins');
		expect(kinds(story.pump())).toEqual([['crm', 'insert']]);
		expect(story.rows).toMatchObject({ crm: { note: 'b', phone: '555' }, billing: { note: 'b', phone: '555' } });
		expect(story.lastEntry('conflict')).toMatchObject({ field: EXISTENCE, detail: { rule: 'deletes(update-wins)', kept: 'crm' } });
		expect(isDue(story.state, story.policy, 'live')).toBe(false);
	});

	test('under "delete-wins" stands, and the journal keeps what is lost', () => {
		const story = disputed('delete-wins');
		const [op, ...others] = story.pump();
		expect(others).toEqual([]);
		expect(op).toMatchObject({ system: 'billing', kind: 'delete', fields: { note: { expected: 'b' } } });
		expect(lost(story)).toEqual([['note', 'billing', expect.objectContaining({ view: 'b', kept: 'crm' })]]);
		expect(story.reviews).toEqual([]);
	});

	test.each<DeleteRule>(['update-wins', 'delete-wins', 'review'])('under "%s" of the third system is one matter for all three', (rule) => {
		const story = linked(rule, THREE);
		story.edit('billing', { note: 'b' });
		story.apply(opTo(story.decide(), 'shop'));
		story.delete('crm');
		const op = story.state.inFlight['crm'];
		if (op) story.answer(op, 'stale');
		const ops = story.pump();
		const expected = {
			'update-wins': [['crm', 'insert']],
			'delete-wins': [['billing', 'delete'], ['shop', 'delete']],
			review: [],
		}[rule];
		expect(kinds(ops)).toEqual(expected);
		expect(story.reviews).toHaveLength(rule === 'review' ? 1 : 0);
	});
});

describe('an edit after the delete was decided', () => {
	function late(rule: DeleteRule): LinkStory {
		const story = linked(rule);
		story.delete('crm');
		const op = opTo(story.decide(), 'billing');
		story.edit('billing', { phone: '777' });
		story.answer(op, 'stale');
		return story;
	}

	test('under "update-wins" brings the record back', () => {
		const story = late('update-wins');
		expect(kinds(story.pump())).toEqual([['crm', 'insert']]);
		expect(story.rows['crm']).toMatchObject({ note: 'x', phone: '777' });
	});

	test('under "delete-wins" is deleted in the knowledge of it, and named', () => {
		const story = late('delete-wins');
		expect(story.pump()).toMatchObject([{ system: 'billing', kind: 'delete', fields: { phone: { expected: '777' } } }]);
		expect(lost(story)).toContainEqual(['phone', 'billing', expect.objectContaining({ view: '777' })]);
	});

	test('under "review" is a question', () => {
		const story = late('review');
		expect(story.pump()).toEqual([]);
		expect(story.onlyReview()).toMatchObject({ kind: 'conflict', fields: [EXISTENCE] });
	});
});

describe('deletes that meet', () => {
	test('of all systems need nobody and no write, in whatever order they are heard', () => {
		for (const order of [THREE, [...THREE].reverse()]) {
			for (const eager of [true, false]) {
				const story = linked('review', THREE);
				for (const system of order) {
					story.delete(system);
					if (eager) story.decide();
				}
				for (const op of Object.values(story.state.inFlight)) story.answer(op, 'stale');
				expect(story.pump()).toEqual([]);
				expect(story.reviews).toEqual([]);
				expect(isDue(story.state, story.policy, 'live')).toBe(false);
			}
		}
	});

	test('of both, each without having seen the other’s edit, need nobody: no edit is left that could be lost', () => {
		const story = linked('review');
		story.edit('crm', { note: 'a' });
		story.edit('billing', { phone: '777' });
		story.delete('crm');
		story.delete('billing');
		expect(story.pump()).toEqual([]);
		expect(story.reviews).toEqual([]);
	});

	test('close a question about the record when the other side goes as well', () => {
		const story = disputed('review');
		story.decide();
		story.delete('billing');
		expect(story.pump()).toEqual([]);
		expect(story.reviews).toEqual([]);
		expect(story.lastEntry('review-closed')).toMatchObject({ detail: { how: 'the systems became equal' } });
	});
});
