import { decide } from '../../src/core/decide';
import { EXISTENCE, type LinkState } from '../../src/core/link';
import { isFreshlyRefused, obstaclesOf, obstacleTells, obstacleWaits } from '../../src/core/obstacles';
import type { Known } from '../../src/core/references';
import { LinkStory, opTo } from '../support/link-story';
import { simulatedPolicy } from '../support/simulated-policy';

const policy = simulatedPolicy(['crm', 'billing'], { note: { owner: 'shared', resolve: 'prefer(crm)' } });
const TAKEN = 'duplicate key value violates unique constraint (SQLSTATE 23505)';
const WOKEN: Known = { freed: true };

function settled(): LinkStory {
	const story = new LinkStory(policy);
	story.insert('crm', { ref: 'r1', note: 'x' });
	story.pump();
	return story;
}

/** An edit whose value billing refuses. */
function refused(error = TAKEN): { story: LinkStory; before: LinkState } {
	const story = settled();
	story.edit('crm', { note: 'y' });
	const op = opTo(story.decide(), 'billing');
	const before = story.state;
	story.answer(op, 'refused', error);
	return { story, before };
}

const valueOf = (system: string, name: string, value: string): string => `value ["customer","${system}","${name}","${value}"]`;

test('a value that another row has is waited for, and the row that gives it up says so', () => {
	const { story } = refused();
	expect(obstaclesOf(story.state)).toMatchObject([{ field: 'note', system: 'billing' }]);
	expect(obstacleWaits(story.state, policy.policy)).toEqual([valueOf('billing', 'note', 'y')]);
	const other = settled();
	const before = other.state;
	other.edit('billing', { note: 'z' });
	expect(obstacleTells(before, other.state)).toEqual([valueOf('billing', 'note', 'x')]);
	const edited = other.state;
	other.delete('billing');
	expect(obstacleTells(edited, other.state).sort()).toEqual([valueOf('billing', 'note', 'z'), valueOf('billing', 'ref', 'r1')]);
});

test('a refusal that is about the value alone waits for nobody', () => {
	for (const error of ['violates check constraint (SQLSTATE 23514)', 'value too long (SQLSTATE 22001)']) {
		const { story } = refused(error);
		expect(obstaclesOf(story.state)).toEqual([]);
	}
});

test('the question stands until somebody wakes the link: then the write is tried again, under a new number', () => {
	const { story } = refused();
	expect(decide(story.state, policy, 'live')).toMatchObject({ changed: false, ops: [] });
	const { ops, state, journal } = decide(story.state, policy, 'live', WOKEN);
	expect(ops).toMatchObject([{ system: 'billing', number: 3, fields: { note: { expected: 'x', next: 'y' } } }]);
	expect(obstaclesOf(state)).toEqual([]);
	// Replayed from the journal, for nothing else says why.
	expect(journal[0]).toMatchObject({ kind: 'decided', known: WOKEN });
});

test('a new record that a row keeps out waits for each of its values, and its question closes when it has a row there', () => {
	const story = new LinkStory(policy);
	story.insert('crm', { ref: 'r1', note: 'x' });
	for (let time = 0; time < 2; time += 1) story.answer(opTo(story.decide(), 'billing'), 'exists');
	expect(story.onlyReview()).toMatchObject({ kind: 'identity', fields: [EXISTENCE] });
	expect(obstacleWaits(story.state, policy.policy).sort()).toEqual([valueOf('billing', 'note', 'x'), valueOf('billing', 'ref', 'r1')]);
	expect(story.decide()).toEqual([]);
	story.insert('billing', { ref: 'r1', note: 'x' });
	story.decide();
	expect(story.reviews).toEqual([]);
});

test('without a reference nothing is to be looked up after a refused foreign key', () => {
	const { story, before } = refused('violates foreign key constraint (SQLSTATE 23503)');
	expect(isFreshlyRefused(before, story.state)).toBe(false);
	expect(obstaclesOf(story.state)).toHaveLength(1);
});
