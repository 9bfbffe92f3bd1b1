import fc from 'fast-check';
import { decide } from '../../src/core/decide';
import type { Row } from '../../src/core/mapping';
import { isForeignDelete } from '../../src/core/mass-delete';
import { type Position, STREAM_START } from '../../src/core/position';
import { foldEvents } from '../../src/core/fold-events';
import { asApproved } from '../../src/core/pending';
import { replay } from '../../src/core/replay';
import { LinkStory, MAC_KEY } from '../support/link-story';
import { simulatedPolicy } from '../support/simulated-policy';
import { anyScript, comeToRest, tell } from '../support/story-acts';

const SHARED = simulatedPolicy(['crm', 'billing'], {
	note: { owner: 'shared', resolve: 'prefer(billing)' },
	phone: { owner: 'billing' },
});

/** The system is put back to a copy, and its row is read; null: the copy has none. */
function putBack(story: LinkStory, system: string, row: Row | null, restoredTo: Position = STREAM_START): void {
	const feed = story.feed(system);
	const event = row ? feed.update(row) : feed.delete(story.rows[system] ?? {});
	if (row) story.rows[system] = row;
	else delete story.rows[system];
	story.observe({ ...event, op: row ? 'r' : 'd', source: { ...event.source, snapshot: true, restoredTo } });
}

const copyOf = (story: LinkStory, system: string): Row => ({ ...story.rows[system] });
const conflicts = ({ journal }: LinkStory): number => journal.filter(({ entry }) => entry.kind === 'conflict').length;

test('values of a copy undo nothing elsewhere: the system gets back what it lost, whoever owns it', () => {
	const story = LinkStory.linked(SHARED, { note: 'n', phone: '0' });
	const copy = copyOf(story, 'billing');
	story.edit('crm', { note: 'of today' });
	story.edit('billing', { phone: '1' });
	story.pump();
	putBack(story, 'billing', copy);
	expect(story.lastEntry('restored')).toMatchObject({ system: 'billing', detail: { had: '1', has: '0' } });
	expect(story.pump()).toMatchObject([{ system: 'billing', kind: 'update' }]);
	expect(story.rows).toMatchObject({ crm: { note: 'of today', phone: '1' }, billing: { note: 'of today', phone: '1' } });
	expect([conflicts(story), story.reviews]).toEqual([0, []]);
});

test('a record that is younger than the copy is made again, and is no delete that anybody approves', () => {
	const story = LinkStory.linked(SHARED, { note: 'n', phone: '0' });
	const before = story.state;
	putBack(story, 'billing', null);
	const event = story.feed('billing').delete({ id: 'billing-1' });
	const [gone] = foldEvents([{ ...event, source: { ...event.source, restoredTo: STREAM_START } }], MAC_KEY);
	expect(isForeignDelete(gone!, before, SHARED.policy)).toBe(false);
	expect(story.pump()).toMatchObject([{ system: 'billing', kind: 'insert' }]);
	expect(story.rows).toMatchObject({ crm: { note: 'n' }, billing: { note: 'n', phone: '0' } });
});

test('a record that was deleted since the copy is deleted again', () => {
	const story = LinkStory.linked(SHARED, { note: 'n', phone: '0' });
	const copy = copyOf(story, 'billing');
	story.delete('crm');
	story.pump();
	putBack(story, 'billing', copy);
	expect(story.pump()).toMatchObject([{ system: 'billing', kind: 'delete' }]);
	expect(story.rows).toEqual({});
	expect(story.reviews).toEqual([]);
});

test('numbers that were added up are not added up again', () => {
	const policy = simulatedPolicy(['crm', 'billing'], { note: { owner: 'shared', resolve: 'delta', codec: 'integer' } });
	const story = LinkStory.linked(policy, { note: '10' });
	const copy = copyOf(story, 'billing');
	story.edit('crm', { note: '7' });
	story.pump();
	putBack(story, 'billing', copy);
	story.edit('billing', { note: '9' });
	story.pump();
	expect(story.rows).toMatchObject({ crm: { note: '6' }, billing: { note: '6' } });
});

test('an edit that comes after the copy was read has not seen what was lost: the rule decides', () => {
	const story = LinkStory.linked(SHARED, { note: 'n', phone: '0' });
	const copy = copyOf(story, 'billing');
	story.edit('crm', { note: 'of today' });
	story.pump();
	putBack(story, 'billing', copy);
	story.edit('billing', { note: 'new' });
	story.pump();
	expect(conflicts(story)).toBe(1);
	expect(story.rows).toMatchObject({ crm: { note: 'new' }, billing: { note: 'new' } });
});

test('a value that the system had never shown is an edit, made on the copy: the rule decides, and nothing is lost in silence', () => {
	const story = LinkStory.linked(SHARED, { note: 'n', phone: '0' });
	const copy = copyOf(story, 'billing');
	story.edit('crm', { note: 'of today' });
	story.edit('billing', { phone: '1' });
	story.pump();
	putBack(story, 'billing', { ...copy, note: 'of the copy' });
	story.pump();
	expect(conflicts(story)).toBe(1);
	expect(story.rows).toMatchObject({ crm: { note: 'of the copy', phone: '1' }, billing: { note: 'of the copy', phone: '1' } });
});

test('what the copy holds already is a row like any other: a difference is an edit', () => {
	const story = LinkStory.linked(SHARED, { note: 'n', phone: '0' });
	putBack(story, 'billing', { ...copyOf(story, 'billing'), note: 'edited' }, story.state.seen['billing']);
	story.pump();
	expect(story.rows['crm']).toMatchObject({ note: 'edited' });
});

test('whatever came before, a copy changes nothing in the other systems, and the journal replays', () => {
	fc.assert(
		fc.property(anyScript, fc.nat(), (script, at) => {
			const half = tell({ ...script, acts: script.acts.slice(0, at % (script.acts.length + 1)) });
			const old = half.rows['billing'];
			const story = tell(script);
			comeToRest(story);
			// What somebody tolerates, or nobody can read, is no value of all, and goes with the copy.
			const views = Object.values(story.state.fields).flatMap((field) => Object.values(field.views));
			if (story.reviews.length > 0 || views.some(({ accepted, unreadable }) => accepted || unreadable !== undefined)) return;
			const [crm, shop] = [copyOf(story, 'crm'), copyOf(story, 'shop')];
			const billing = story.rows['billing'];
			putBack(story, 'billing', old ? { note: null, phone: null, ...old } : null);
			expect(decide(story.state, story.policy, 'live').waits).toEqual([]);
			comeToRest(story);
			expect([copyOf(story, 'crm'), copyOf(story, 'shop')]).toEqual([crm, shop]);
			if (story.reviews.length === 0) expect(story.rows['billing']).toEqual(billing && expect.objectContaining(billing));
			expect(replay(story.journal, () => asApproved(story.policy))).toEqual(story.state);
		}),
	);
});
