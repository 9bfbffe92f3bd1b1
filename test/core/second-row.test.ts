import { isDue } from '../../src/core/decide';
import { EXISTENCE, type Operation } from '../../src/core/link';
import type { Row } from '../../src/core/mapping';
import { LinkStory, MAC_KEY, opTo } from '../support/link-story';
import { simulatedPolicy } from '../support/simulated-policy';

const policy = simulatedPolicy(['crm', 'billing'], { note: { owner: 'shared', resolve: 'prefer(crm)' } });
const OURS = { id: '999' };

/** Our insert lands beside a row that users made meanwhile; then R2 has its turn. */
function withTwoRows(trigger: (row: Row) => Row = (row) => row): { story: LinkStory; ops: readonly Operation[] } {
	const story = new LinkStory(policy);
	story.insert('crm', { ref: 'r1', note: 'a' });
	const op = opTo(story.decide(), 'billing');
	story.insert('billing', { ref: 'r1', note: 'b' });
	const theirs = { ...story.rows['billing'] };
	story.apply(op, (row) => trigger({ ...row, ...OURS }));
	story.rows['billing'] = theirs;
	return { story, ops: story.decide() };
}

/** What the target says of the removal of our row. */
function removed(story: LinkStory, op: Operation): void {
	const row = { ...OURS, ref: 'r1', note: 'a' };
	const { marker } = story.feed('billing').echo(op, MAC_KEY, { row });
	story.observe({ ...story.feed('billing').delete(row), marker });
}

test('of two rows the one that users made stays linked, and ours is removed if it still is exactly as we wrote it', () => {
	const { story, ops } = withTwoRows();
	expect(story.state.keys['billing']).toEqual({ id: 'billing-1' });
	expect(story.reviews).toEqual([]);
	const removal = opTo(ops, 'billing');
	expect(removal).toMatchObject({ kind: 'delete', key: OURS, existence: null, fields: { ref: { expected: 'r1' }, note: { expected: 'a' } } });
	removed(story, removal);
	expect(story.state).not.toHaveProperty('surplus');
	expect(story.state.keys['billing']).toEqual({ id: 'billing-1' });
	// What the two sides disagreed about is decided as if there had been one row all the time.
	expect(opTo(story.decide(), 'billing')).toMatchObject({ kind: 'update', key: { id: 'billing-1' }, fields: { note: { next: 'a' } } });
	expect(story.reviews).toEqual([]);
});

test('while our row is to be removed the link is due, whatever else is at rest', () => {
	const { story } = withTwoRows();
	expect(isDue({ ...story.state, inFlight: {} }, policy, 'live')).toBe(true);
});

test('a row that a trigger has made something else of is not removed: a person is asked', () => {
	const { story, ops } = withTwoRows((row) => ({ ...row, note: 'A' }));
	expect(story.reviews).toMatchObject([{ kind: 'identity', fields: [EXISTENCE] }]);
	expect(ops.filter(({ kind }) => kind === 'delete')).toEqual([]);
});

test.each(['stale', 'refused', 'void'] as const)('where the removal is %s, a person is asked, once, and the link goes on', (outcome) => {
	const { story, ops } = withTwoRows();
	story.answer(opTo(ops, 'billing'), outcome, outcome === 'refused' ? 'is still referenced' : undefined);
	expect(story.reviews).toMatchObject([{ kind: 'identity', fields: [EXISTENCE] }]);
	expect(opTo(story.decide(), 'billing')).toMatchObject({ kind: 'update', key: { id: 'billing-1' } });
});
