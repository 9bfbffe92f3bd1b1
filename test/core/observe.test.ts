import fc from 'fast-check';
import { canonicalJson } from '../../src/core/canonical-json';
import { EXISTENCE, existsIn } from '../../src/core/link';
import { observe } from '../../src/core/observe';
import { foldEvents } from '../../src/core/fold-events';
import { compare, counterOf, increment } from '../../src/core/version-vector';
import { arbitraryJson } from '../support/arbitrary-json';
import { LinkStory, MAC_KEY, opTo } from '../support/link-story';
import { simulatedPolicy } from '../support/simulated-policy';
import { anyScript, STORY_SYSTEMS, tell } from '../support/story-acts';

const policy = simulatedPolicy(['crm', 'billing'], {
	note: { owner: 'shared', resolve: 'prefer(crm)' },
	phone: { owner: 'shared', resolve: 'review', codec: 'trim' },
	credit: { owner: 'crm', codec: 'integer' },
});

function annInBoth(): LinkStory {
	return LinkStory.linked(policy, { note: 'calls on Mondays', phone: '555-0100', credit: '10' });
}

describe('a foreign change', () => {
	test('counts for its system in the fields that changed, and in no other', () => {
		const story = annInBoth();
		const before = story.state.fields;
		expect(story.edit('billing', { note: 'calls on Fridays' })).toBe('foreign');
		const { note, phone } = story.state.fields;
		expect(note?.views['billing']).toMatchObject({
			raw: 'calls on Fridays',
			vector: increment(before['note']?.views['billing']?.vector ?? {}, 'billing'),
			base: 'calls on Mondays',
		});
		expect(phone).toEqual(before['phone']);
		expect(note?.views['crm']).toEqual(before['note']?.views['crm']);
	});

	test('has seen what its system was shown, and is concurrent with the rest', () => {
		const story = annInBoth();
		story.edit('crm', { note: 'a' });
		story.edit('billing', { note: 'b' });
		const [crm, billing] = [story.view('note', 'crm'), story.view('note', 'billing')];
		expect(counterOf(crm?.vector ?? {}, 'billing')).toBe(0);
		expect(counterOf(billing?.vector ?? {}, 'crm')).toBe(1);
	});

	test('in another spelling refreshes what is stored and counts for nothing', () => {
		const story = annInBoth();
		const { vector } = story.view('phone', 'billing') ?? {};
		expect(story.edit('billing', { phone: ' 555-0100 ' })).toBe('unchanged');
		expect(story.view('phone', 'billing')).toMatchObject({
			raw: ' 555-0100 ',
			canon: '555-0100',
			vector,
		});
	});

	test('of a column that nobody mapped is none', () => {
		const story = annInBoth();
		expect(story.edit('billing', { updated_at: '2031-02-03' })).toBe('unchanged');
	});

	test('tells null and an empty text apart', () => {
		const story = annInBoth();
		expect(story.edit('crm', { note: '' })).toBe('foreign');
		expect(story.edit('crm', { note: null })).toBe('foreign');
		expect(story.view('note', 'crm')).toMatchObject({ raw: null, canon: null });
	});

	test('that leaves a column out says nothing about it', () => {
		const story = annInBoth();
		const event = story.feed('billing').update({ id: 'billing-1', phone: '555-0199' });
		expect(story.observe(event)).toBe('foreign');
		expect(story.view('note', 'billing')).toMatchObject({ canon: 'calls on Mondays' });
	});

	test('that does not send an unchanged TOAST column leaves its value standing', () => {
		const story = annInBoth();
		const event = story.feed('billing').update({ id: 'billing-1', phone: '555-0199' });
		story.observe({ ...event, unchanged: ['note'] });
		expect(story.view('note', 'billing')).toMatchObject({ canon: 'calls on Mondays' });
		expect(story.decide().map(({ fields }) => Object.keys(fields))).toEqual([['phone']]);
	});

	test('that deletes the row is a change of its existence alone', () => {
		const story = annInBoth();
		expect(story.delete('billing')).toBe('foreign');
		expect(story.view(EXISTENCE, 'billing')).toMatchObject({ canon: false });
		expect(story.view('note', 'billing')).toMatchObject({ canon: 'calls on Mondays' });
	});

	test('of a record that is deleted elsewhere insists that it exists', () => {
		const story = annInBoth();
		story.delete('crm');
		const before = story.view(EXISTENCE, 'billing')?.vector ?? {};
		story.edit('billing', { note: 'still a customer' });
		expect(story.view(EXISTENCE, 'billing')).toMatchObject({
			canon: true,
			vector: increment(before, 'billing'),
		});
	});

	test('of the key moves the link along', () => {
		const story = annInBoth();
		const { id, ...rest } = story.rows['billing'] ?? {};
		story.observe({
			...story.feed('billing').update({ ...rest, id: '777' }),
			before: { id: id ?? '' },
		});
		expect(story.state.keys).toEqual({ crm: { id: 'crm-1' }, billing: { id: '777' } });
	});

	test('at a position that was folded in before is a duplicate, and changes nothing', () => {
		const story = annInBoth();
		const event = story.feed('crm').update({ ...story.rows['crm'], note: 'a' });
		story.observe(event);
		const { state } = story;
		expect(story.observe(event)).toBe('duplicate');
		expect(story.state).toBe(state);
	});
});

describe('an echo', () => {
	test('gives the view what the operation conferred, and its outcome is noted', () => {
		const story = annInBoth();
		story.edit('crm', { note: 'a' });
		const op = opTo(story.decide(), 'billing');
		expect(story.apply(op)).toBe('echo');
		expect(story.view('note', 'billing')).toMatchObject({
			canon: 'a',
			vector: op.fields['note']?.vector,
			base: 'a',
		});
		expect(story.state.inFlight).toEqual({});
		expect(story.lastEntry('outcome')).toMatchObject({ detail: { op: op.id, outcome: 'applied' } });
	});

	test('of an insert adopts the key that the target gave', () => {
		const story = new LinkStory(policy);
		story.insert('crm', { ref: 'r1', note: 'a', phone: null, credit: '0' });
		const op = opTo(story.decide(), 'billing');
		story.apply(op, (row) => ({ ...row, id: '501' }));
		expect(story.state.keys['billing']).toEqual({ id: '501' });
		expect(story.view(EXISTENCE, 'billing')).toMatchObject({ canon: true });
	});

	test('that shows another value than was written is a residual: a change that has seen ours', () => {
		const story = annInBoth();
		story.edit('crm', { note: 'a' });
		const op = opTo(story.decide(), 'billing');
		expect(story.apply(op, (row) => ({ ...row, note: 'A' }))).toBe('residual');
		expect(story.view('note', 'billing')).toMatchObject({
			canon: 'A',
			base: 'a',
			residual: true,
			vector: increment(op.fields['note']?.vector ?? {}, 'billing'),
		});
	});

	test('with other columns changed beside it carries a foreign change, too', () => {
		const story = annInBoth();
		story.edit('crm', { note: 'a' });
		const op = opTo(story.decide(), 'billing');
		expect(story.apply(op, (row) => ({ ...row, phone: '555-0999' }))).toBe('foreign');
		expect(story.view('note', 'billing')).toMatchObject({ canon: 'a' });
		expect(story.view('phone', 'billing')).toMatchObject({ canon: '555-0999' });
	});

	test('over a value that was changed and set back is noted as net-zero', () => {
		const story = annInBoth();
		story.edit('crm', { note: 'a' });
		const op = opTo(story.decide(), 'billing');
		story.edit('billing', { note: 'b' });
		story.edit('billing', { note: 'calls on Mondays' });
		story.apply(op);
		expect(story.view('note', 'billing')?.vector).toEqual({ crm: 2, billing: 2 });
		expect(story.lastEntry('net-zero')).toMatchObject({ field: 'note', system: 'billing' });
	});
});

describe('a value that cannot be read', () => {
	test('is kept as it is and freezes its field alone', () => {
		const story = annInBoth();
		expect(story.edit('billing', { credit: 'a lot', note: 'b' })).toBe('foreign');
		expect(story.view('credit', 'billing')).toMatchObject({
			raw: 'a lot',
			canon: '10',
			unreadable: expect.any(String) as string,
		});
		expect(story.onlyReview()).toMatchObject({ kind: 'failure', fields: ['credit'] });
		expect(story.onlyReview().reason).not.toContain('a lot');
		expect(story.decide().map(({ system, fields }) => [system, Object.keys(fields)])).toEqual([
			['crm', ['note']],
		]);
	});

	test('lets go of the field when a readable one follows', () => {
		const story = annInBoth();
		story.edit('billing', { credit: 'a lot' });
		story.edit('billing', { credit: '12' });
		expect(story.reviews).toEqual([]);
		expect(story.view('credit', 'billing')).toMatchObject({ canon: '12' });
	});

	test('holds on to the field when another system changes it: nobody knows what it says', () => {
		const story = annInBoth();
		story.edit('billing', { credit: 'a lot' });
		story.edit('crm', { credit: '99' });
		expect(story.onlyReview().fields).toEqual(['credit']);
		expect(story.decide()).toEqual([]);
	});

	test('opens no second item when it is sent again', () => {
		const story = annInBoth();
		story.edit('billing', { credit: 'a lot' });
		story.edit('billing', { credit: 'a lot', note: 'b' });
		expect(story.reviews).toHaveLength(1);
	});
});

test('observing is total: any JSON in any column gives a state, and no other system’s view moves', () => {
	fc.assert(
		fc.property(arbitraryJson, arbitraryJson, (note, credit) => {
			const story = annInBoth();
			const { crm } = story.state.fields['note']?.views ?? {};
			story.edit('billing', { note, credit });
			expect(story.view('note', 'billing')?.raw).toEqual(note);
			expect(story.view('credit', 'billing')?.raw).toEqual(credit);
			expect(story.view('note', 'crm')).toEqual(crm);
		}),
	);
});

test('observing a position twice is observing it once, wherever a story stands', () => {
	fc.assert(
		fc.property(anyScript, fc.constantFrom(...STORY_SYSTEMS), (script, system) => {
			const story = tell(script);
			story.observe(
				story
					.feed(system)
					.update({ ...story.rows[system], id: `${system}-1`, ref: 'r1', note: '3' }),
			);
			const { state } = story;
			for (const { entry } of story.journal) {
				if (entry.kind === 'observed')
					expect(observe(state, entry.change, story.policy).state).toBe(state);
			}
		}),
	);
});

test('observing leaves the state that it was given as it was', () => {
	fc.assert(
		fc.property(anyScript, fc.constantFrom(...STORY_SYSTEMS), (script, system) => {
			const story = tell(script);
			const { state } = story;
			const before = canonicalJson(state);
			story.edit(system, { note: '3', phone: 'x', id: `${system}-1` });
			expect(canonicalJson(state)).toBe(before);
			expect(story.state).not.toBe(state);
		}),
	);
});

test('while a row is there, the vector of its view only ever grows', () => {
	fc.assert(
		fc.property(anyScript, fc.constantFrom(...STORY_SYSTEMS), (script, system) => {
			const story = tell(script);
			fc.pre(existsIn(story.state, system));
			const before = story.view('note', system)?.vector ?? {};
			story.edit(system, { note: '3' });
			expect(['after', 'equal']).toContain(
				compare(story.view('note', system)?.vector ?? {}, before),
			);
		}),
	);
});

test('a change of an entity that the policy does not name is of no consequence', () => {
	const story = annInBoth();
	const [change] = foldEvents([story.feed('crm').update({ id: 'crm-1', note: 'a' })], MAC_KEY);
	if (!change) throw new Error('no change');
	const state = { ...story.state, entity: 'invoice' };
	expect(observe(state, change, policy)).toEqual({ state, disposition: 'duplicate', journal: [] });
});
