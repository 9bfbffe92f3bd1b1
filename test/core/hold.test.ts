import fc from 'fast-check';
import { isDue } from '../../src/core/decide';
import { EXISTENCE } from '../../src/core/link';
import { inForce } from '../../src/core/observe';
import { parsePolicy } from '../../src/core/parse-policy';
import { replay } from '../../src/core/replay';
import { compare } from '../../src/core/version-vector';
import { LinkStory, opTo } from '../support/link-story';
import { simulatedPolicy } from '../support/simulated-policy';
import { anyScript, STORY_SYSTEMS, tell } from '../support/story-acts';

const policy = simulatedPolicy(['crm', 'billing'], {
	note: { owner: 'shared', resolve: 'prefer(crm)' },
	phone: { owner: 'shared', resolve: 'review' },
});

const linked = (): LinkStory => LinkStory.linked(policy, { note: 'x', phone: '555' });

describe('a frozen field', () => {
	test('is neither decided nor written, and its siblings flow', () => {
		const story = linked();
		story.hold('freeze', ['note']);
		story.edit('crm', { note: 'a', phone: '777' });
		expect(story.pump()).toMatchObject([{ fields: { phone: { next: '777' } } }]);
		expect(story.rows['billing']).toMatchObject({ note: 'x', phone: '777' });
		expect(isDue(story.state, story.policy, 'live')).toBe(false);
	});

	test('goes on being observed, and flows when it is unfrozen', () => {
		const story = linked();
		story.hold('freeze', ['note']);
		story.edit('crm', { note: 'a' });
		story.edit('crm', { note: 'b' });
		expect(story.pump()).toEqual([]);
		story.hold('unfreeze', ['note']);
		expect(isDue(story.state, story.policy, 'live')).toBe(true);
		expect(story.pump()).toMatchObject([{ system: 'billing', fields: { note: { expected: 'x', next: 'b' } } }]);
	});

	test('takes the write that is on its way already, and none after it', () => {
		const story = linked();
		story.edit('crm', { note: 'a' });
		const op = opTo(story.decide(), 'billing');
		story.hold('freeze', ['note']);
		story.edit('crm', { note: 'b' });
		expect(story.decide()).toEqual([op]);
		expect(story.apply(op)).toBe('echo');
		expect(story.decide()).toEqual([]);
		expect(story.rows['billing']).toMatchObject({ note: 'a' });
		story.hold('unfreeze', ['note']);
		story.pump();
		expect(story.rows['billing']).toMatchObject({ note: 'b' });
	});

	test('is left out of a new row, and comes after it when it is unfrozen', () => {
		const story = new LinkStory(policy);
		story.insert('crm', { ref: 'r1', note: 'x', phone: '555' });
		story.hold('freeze', ['note']);
		const op = opTo(story.decide(), 'billing');
		expect(op.kind).toBe('insert');
		expect(op.fields).not.toHaveProperty('note');
		story.apply(op, (row) => ({ ...row, note: null }));
		expect(story.pump()).toEqual([]);
		story.hold('unfreeze', ['note']);
		expect(story.pump()).toMatchObject([{ system: 'billing', fields: { note: { next: 'x' } } }]);
	});

	test('whose column’s default comes with a row that is made again empties it nowhere', () => {
		const updateWins = simulatedPolicy(['crm', 'billing'], { note: { owner: 'shared', resolve: 'prefer(crm)' }, phone: { owner: 'shared', resolve: 'review' } }, 'update-wins');
		for (const edited of ['a', null]) {
			const story = LinkStory.linked(updateWins, { note: 'x', phone: '555' });
			story.hold('freeze', ['note']);
			story.edit('crm', { note: edited });
			story.decide();
			story.edit('billing', { phone: '777' });
			story.delete('crm');
			const op = opTo(story.decide(), 'crm');
			expect(op).toMatchObject({ kind: 'insert', fields: expect.not.objectContaining({ note: expect.anything() }) as unknown });
			story.apply(op, (row) => ({ ...row, note: null }));
			story.pump();
			story.hold('unfreeze', ['note']);
			story.pump();
			expect(Object.values(story.rows).map(({ note }) => note)).toEqual(['x', 'x']);
			expect(story.view('note', 'crm')).not.toHaveProperty('defaulted');
			expect(isDue(story.state, updateWins, 'live')).toBe(false);
		}
	});

	test('whose default is by chance what the others hold forgets nothing of what was seen', () => {
		const updateWins = simulatedPolicy(['crm', 'billing'], { note: { owner: 'shared', resolve: 'prefer(crm)' }, phone: { owner: 'shared', resolve: 'review' } }, 'update-wins');
		const story = LinkStory.linked(updateWins, { note: 'x', phone: '555' });
		story.hold('freeze', ['note']);
		story.edit('crm', { note: 'a' });
		story.edit('billing', { phone: '777' });
		story.delete('crm');
		story.apply(opTo(story.decide(), 'crm'), (row) => ({ ...row, note: 'x' }));
		const { vector: seen = {} } = story.view('note', 'crm') ?? {};
		story.hold('unfreeze', ['note']);
		story.pump();
		expect(['after', 'equal']).toContain(compare(story.view('note', 'crm')?.vector ?? {}, seen));
		expect(story.state.fields['note']?.merged).toMatchObject({ canon: 'x', vector: story.view('note', 'billing')?.vector });
	});

	test('that was filled in the row which we made without it keeps that value', () => {
		const story = LinkStory.linked(policy, { note: 'x', phone: '555' });
		story.hold('freeze', ['note']);
		story.edit('billing', { phone: '777' });
		story.delete('crm');
		story.decide();
		story.resolve({ kind: 'values', values: { [EXISTENCE]: true } });
		for (const op of story.decide()) story.apply(op, (row) => ({ ...row, note: null }));
		story.edit('crm', { note: 'new' });
		story.hold('unfreeze', ['note']);
		story.pump();
		expect(Object.values(story.rows).map(({ note }) => note)).toEqual(['new', 'new']);
	});

	test('that a new record waits for lets it be made when it is unfrozen', () => {
		const { document } = policy.policy;
		const { entities, ...rest } = document as { entities: { customer: object } };
		const customer = { ...entities.customer, required: ['note'] };
		const story = new LinkStory(inForce(parsePolicy(JSON.stringify({ ...rest, entities: { customer } }))));
		story.insert('crm', { ref: 'r1', note: 'x', phone: '1' });
		story.hold('freeze', ['note']);
		story.decide();
		story.hold('unfreeze', ['note']);
		expect(story.decide()).toMatchObject([{ kind: 'insert' }]);
	});

	test('is deleted with its record', () => {
		const story = linked();
		story.hold('freeze', ['note']);
		story.delete('crm');
		expect(story.pump()).toMatchObject([{ system: 'billing', kind: 'delete' }]);
	});

	test('with an edit that a delete has not seen keeps the record', () => {
		const story = linked();
		story.hold('freeze', ['note']);
		story.edit('billing', { note: 'b' });
		story.decide();
		story.delete('crm');
		expect(story.pump()).toEqual([]);
		expect(story.onlyReview().fields).toEqual([EXISTENCE]);
	});

	test('that a review holds as well needs both to end', () => {
		const story = linked();
		story.edit('crm', { phone: '1' });
		story.edit('billing', { phone: '2' });
		story.decide();
		story.hold('freeze', ['phone']);
		story.resolve({ kind: 'apply', system: 'crm' });
		expect(story.pump()).toEqual([]);
		story.hold('unfreeze', ['phone']);
		expect(story.pump()).toMatchObject([{ system: 'billing', fields: { phone: { next: '1' } } }]);
	});

	test('may be frozen twice and unfrozen once', () => {
		const story = linked();
		story.hold('freeze', ['note']);
		story.hold('freeze', ['note']);
		story.edit('crm', { note: 'a' });
		story.hold('unfreeze', ['note']);
		expect(story.pump()).toHaveLength(1);
		const before = story.state;
		story.hold('unfreeze', ['note']);
		expect(story.state).toEqual(before);
	});
});

describe('a frozen record', () => {
	test('gets no write at all, nor is it made or deleted anywhere', () => {
		const story = linked();
		story.hold('freeze', 'record');
		story.edit('crm', { ref: 'r2', note: 'a', phone: '777' });
		story.delete('billing');
		expect(story.pump()).toEqual([]);
		expect(story.reviews).toEqual([]);
		expect(story.rows).toMatchObject({ crm: { note: 'a' } });
	});

	test('flows as a whole when it is unfrozen', () => {
		const story = linked();
		story.hold('freeze', 'record');
		story.edit('crm', { note: 'a', phone: '777' });
		story.hold('unfreeze', 'record');
		expect(story.pump()).toMatchObject([{ fields: { note: { next: 'a' }, phone: { next: '777' } } }]);
	});

	test('can be unfrozen field by field', () => {
		const story = linked();
		story.hold('freeze', 'record');
		story.edit('crm', { note: 'a', phone: '777' });
		story.hold('unfreeze', ['phone']);
		expect(Object.keys(opTo(story.pump(), 'billing').fields)).toEqual(['phone']);
	});
});

test('the journal says who froze what and why, and unfreezing too', () => {
	const story = linked();
	story.hold('freeze', ['note']);
	expect(story.lastEntry('frozen')).toMatchObject({ detail: { fields: ['note'], by: 'maria', reason: 'being looked at' } });
	story.hold('unfreeze', 'record');
	const all = expect.arrayContaining([EXISTENCE, 'ref', 'note', 'phone']) as string[];
	expect(story.lastEntry('unfrozen')).toMatchObject({ detail: { by: 'maria', fields: all } });
});

test('whatever happened, freezing and going on gives the same state when the journal is replayed', () => {
	const fields = fc.constantFrom<readonly string[] | 'record'>(['note'], ['phone', 'note'], 'record', [EXISTENCE]);
	const action = fc.constantFrom('freeze' as const, 'unfreeze' as const);
	fc.assert(
		fc.property(anyScript, fc.array(fc.tuple(action, fields), { maxLength: 4 }), (script, holds) => {
			const story = tell(script);
			for (const [what, which] of holds) {
				story.hold(what, which);
				for (const system of STORY_SYSTEMS) if (story.rows[system]) story.edit(system, { note: '3' });
				story.decide();
			}
			const byHash = (hash: string) => (hash === story.policy.hash ? story.policy : undefined);
			expect(replay(story.journal, byHash)).toEqual(story.state);
		}),
	);
});

test('whatever happened, a frozen record gets no new operation', () => {
	fc.assert(
		fc.property(anyScript, (script) => {
			const story = tell(script);
			const old = new Set(Object.values(story.state.inFlight).map(({ id }) => id));
			story.hold('freeze', 'record');
			expect(story.decide().filter(({ id }) => !old.has(id))).toEqual([]);
		}),
	);
});
