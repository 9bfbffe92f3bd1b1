import fc from 'fast-check';
import { EXISTENCE } from '../../src/core/link';
import { resolve, type Choice, type Resolution } from '../../src/core/resolve';
import { compare, counterOf } from '../../src/core/version-vector';
import { LinkStory, opTo } from '../support/link-story';
import { simulatedPolicy } from '../support/simulated-policy';
import { anyScript, tell } from '../support/story-acts';

const policy = simulatedPolicy(['crm', 'billing'], {
	note: { owner: 'shared', resolve: 'review' },
	phone: { owner: 'shared', resolve: 'prefer(crm)', codec: 'trim' },
	count: { owner: 'shared', resolve: 'prefer(crm)', codec: { crm: [], billing: 'integer' } },
});

/** Both changed the note; a person has to decide. */
function conflict(): LinkStory {
	const story = LinkStory.linked(policy, { note: 'x', phone: '555', count: '1' });
	story.edit('crm', { note: 'a' });
	story.edit('billing', { note: 'b' });
	story.decide();
	return story;
}

function resolution(story: LinkStory, choice: Choice, part: Partial<Resolution> = {}): Resolution {
	const { id, token } = story.onlyReview();
	return { review: id, token, by: 'maria', choice, ...part };
}

function notes(story: LinkStory): unknown[] {
	return [story.rows['crm']?.['note'], story.rows['billing']?.['note']];
}

describe('applying a system’s value', () => {
	test('brings it to the others with one write, and closes the item', () => {
		const story = conflict();
		story.resolve({ kind: 'apply', system: 'crm' });
		expect(story.reviews).toEqual([]);
		expect(story.pump()).toMatchObject([
			{ system: 'billing', fields: { note: { expected: 'b', next: 'a' } } },
		]);
		expect(notes(story)).toEqual(['a', 'a']);
	});

	test('makes no operation itself: that is deciding’s part', () => {
		const story = conflict();
		story.resolve({ kind: 'apply', system: 'crm' });
		expect(story.state.inFlight).toEqual({});
	});

	test('is refused when that system holds no readable value', () => {
		const story = LinkStory.linked(policy, { note: 'x', phone: '555', count: '1' });
		story.edit('billing', { count: 'many' });
		const unreadable = resolution(story, { kind: 'apply', system: 'billing' });
		expect(() => resolve(story.state, unreadable, policy)).toThrow(
			expect.objectContaining({ code: 'INVALID_RESOLUTION' }) as Error,
		);
		const unknown = resolution(story, { kind: 'apply', system: 'shop' });
		expect(() => resolve(story.state, unknown, policy)).toThrow(/shop holds no readable value/);
	});

	test('stands against an edit that was made before, but yields to one that has seen it', () => {
		const story = conflict();
		story.resolve({ kind: 'apply', system: 'crm' });
		story.pump();
		story.edit('billing', { note: 'c' });
		story.pump();
		expect(notes(story)).toEqual(['c', 'c']);
	});

	test('meets an edit that came before the write as a new conflict, never over it', () => {
		const story = conflict();
		story.resolve({ kind: 'apply', system: 'crm' });
		const op = opTo(story.decide(), 'billing');
		story.edit('billing', { note: 'c' });
		story.answer(op, 'stale');
		expect(story.decide()).toEqual([]);
		expect(story.onlyReview()).toMatchObject({ kind: 'conflict', fields: ['note'] });
		expect(notes(story)).toEqual(['a', 'c']);
	});
});

describe('giving a value', () => {
	test('brings a third one to all systems', () => {
		const story = conflict();
		story.resolve({ kind: 'values', values: { note: 'a and b' } });
		expect(story.pump()).toHaveLength(2);
		expect(notes(story)).toEqual(['a and b', 'a and b']);
	});

	test('of null is a value', () => {
		const story = conflict();
		story.resolve({ kind: 'values', values: { note: null } });
		story.pump();
		expect(notes(story)).toEqual([null, null]);
	});

	test('for other fields leaves the rules to decide again, and the matter open', () => {
		const story = conflict();
		story.resolve({ kind: 'values', values: { phone: '777' } });
		expect(story.pump()).toEqual([]);
		expect(story.onlyReview().fields).toEqual(['note']);
	});
});

describe('dismissing', () => {
	test('lets the systems differ, quietly', () => {
		const story = conflict();
		story.resolve({ kind: 'dismiss' });
		expect(story.pump()).toEqual([]);
		expect(story.reviews).toEqual([]);
		expect(notes(story)).toEqual(['a', 'b']);
		expect(story.view('note', 'billing')).toMatchObject({ accepted: true });
	});

	test('is over with the next edit of either side: it has seen the other one', () => {
		const story = conflict();
		story.resolve({ kind: 'dismiss' });
		story.pump();
		story.edit('crm', { note: 'c' });
		expect(story.pump()).toHaveLength(1);
		expect(notes(story)).toEqual(['c', 'c']);
	});

	test('of a delete leaves the record where it is, and makes none where it is not', () => {
		const story = LinkStory.linked(policy, { note: 'x', phone: '555', count: '1' });
		story.edit('billing', { phone: '777' });
		story.delete('crm');
		story.decide();
		expect(story.onlyReview().fields).toEqual([EXISTENCE]);
		story.resolve({ kind: 'dismiss' });
		expect(story.pump()).toEqual([]);
		expect(story.reviews).toEqual([]);
		expect(Object.keys(story.rows)).toEqual(['billing']);
	});

	test('of an insert that was refused does not try it again', () => {
		const story = new LinkStory(policy);
		story.insert('crm', { ref: 'r1', note: 'x', phone: null, count: '1' });
		story.answer(opTo(story.decide(), 'billing'), 'refused', 'no country');
		story.resolve({ kind: 'dismiss' });
		expect(story.pump()).toEqual([]);
		expect(story.reviews).toEqual([]);
		expect(story.view(EXISTENCE, 'billing')).toMatchObject({ canon: false, accepted: true });
	});
});

test('retrying lets the rules decide again, after what stood in the way was mended', () => {
	const story = LinkStory.linked(policy, { note: 'x', phone: '555', count: '1' });
	story.edit('crm', { phone: '777' });
	story.answer(opTo(story.decide(), 'billing'), 'refused', 'too long');
	story.resolve({ kind: 'retry' });
	expect(story.reviews).toEqual([]);
	expect(opTo(story.decide(), 'billing').fields['phone']).toMatchObject({ next: '777' });
});

describe('yes and no', () => {
	test.each(['approve', 'reject'] as const)('are no answers to a conflict: "%s" is refused', (kind) => {
		const story = conflict();
		const before = story.state;
		const answer = resolution(story, { kind });
		expect(() => resolve(story.state, answer, policy)).toThrow(
			expect.objectContaining({ code: 'INVALID_RESOLUTION', message: expect.stringContaining('about note') as string }) as Error,
		);
		expect(story.state).toEqual(before);
	});

	test.each(['approve', 'reject'] as const)('are no answers to a failure: "%s" is refused', (kind) => {
		const story = LinkStory.linked(policy, { note: 'x', phone: '555', count: '1' });
		story.edit('billing', { count: 'many' });
		expect(() => resolve(story.state, resolution(story, { kind }), policy)).toThrow(
			expect.objectContaining({ code: 'INVALID_RESOLUTION' }) as Error,
		);
	});

	test.each(['approve', 'reject'] as const)('are no answers to a disputed delete: "%s" is refused', (kind) => {
		const story = LinkStory.linked(policy, { note: 'x', phone: '555', count: '1' });
		story.edit('billing', { phone: '777' });
		story.delete('crm');
		story.decide();
		expect(() => resolve(story.state, resolution(story, { kind }), policy)).toThrow(
			expect.objectContaining({ code: 'INVALID_RESOLUTION' }) as Error,
		);
	});

	test('are answers to a proposal', () => {
		const proposing = simulatedPolicy(['crm', 'billing'], { note: { owner: 'crm', onForeignEdit: 'propose' } });
		const story = LinkStory.linked(proposing, { note: 'x' });
		story.edit('billing', { note: 'b' });
		story.decide();
		const { merged } = resolve(story.state, resolution(story, { kind: 'approve' }), proposing).state.fields['note'] ?? {};
		expect(merged).toMatchObject({ canon: 'b', from: 'human' });
	});
});

describe('the version token', () => {
	test('of an item that has changed since is refused', () => {
		const story = conflict();
		const late = resolution(story, { kind: 'apply', system: 'crm' });
		story.edit('billing', { note: 'c' });
		expect(() => resolve(story.state, late, policy)).toThrow(
			expect.objectContaining({ code: 'REVIEW_CHANGED' }) as Error,
		);
	});

	test('stays good while other fields change', () => {
		const story = conflict();
		const seen = resolution(story, { kind: 'apply', system: 'crm' });
		story.edit('billing', { phone: '777' });
		expect(() => resolve(story.state, seen, policy)).not.toThrow();
	});

	test('is of no use twice: the second answer comes too late', () => {
		const story = conflict();
		const seen = resolution(story, { kind: 'apply', system: 'crm' });
		const { state } = resolve(story.state, seen, policy);
		expect(() => resolve(state, seen, policy)).toThrow(
			expect.objectContaining({ code: 'REVIEW_CLOSED' }) as Error,
		);
	});
});

test('the error of a refused answer names no value', () => {
	const story = conflict();
	const late = resolution(story, { kind: 'apply', system: 'crm' }, { token: 'old' });
	expect(() => resolve(story.state, late, policy)).toThrow(
		/^The record has changed since review item \S+ was looked at$/,
	);
});

test('the journal keeps who decided what, under which policy', () => {
	const story = conflict();
	const choice: Choice = { kind: 'apply', system: 'crm' };
	const seen = resolution(story, choice);
	story.resolve(choice);
	expect(story.lastEntry('resolved')).toEqual({
		kind: 'resolved',
		policyHash: policy.hash,
		resolution: seen,
	});
});

const choices: fc.Arbitrary<Choice> = fc.constantFrom<Choice[]>(
	{ kind: 'dismiss' },
	{ kind: 'values', values: { note: 'z', phone: 'z', ref: 'z', [EXISTENCE]: true } },
);

test('a person’s decision has seen every version there is, and is one of its own', () => {
	fc.assert(
		fc.property(anyScript, choices, (script, choice) => {
			const story = tell(script);
			fc.pre(story.reviews.length === 1);
			const { fields } = story.onlyReview();
			const before = story.state;
			story.resolve(choice);
			for (const name of fields) {
				const { merged, views } = before.fields[name] ?? { merged: null, views: {} };
				const now = story.state.fields[name]?.merged;
				if (!now) continue;
				expect(counterOf(now.vector, 'human')).toBeGreaterThan(
					counterOf(merged?.vector ?? {}, 'human'),
				);
				for (const { vector } of Object.values(views))
					expect(compare(now.vector, vector)).toBe('after');
			}
			expect(story.reviews).toEqual([]);
		}),
		{ numRuns: 30 }, // Most stories have no open item and are left out.
	);
});
