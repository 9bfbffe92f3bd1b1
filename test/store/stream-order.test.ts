import fc from 'fast-check';
import type { ChangeEvent } from '../../src/core/change-event';
import { emptyLink } from '../../src/core/link';
import { STREAM_START, type Position } from '../../src/core/position';
import { wakeItem } from '../../src/core/wake-item';
import { positionOfEvent, sortOut } from '../../src/store/stream-order';
import { EventFeed } from '../support/event-feed';

/** So many edits of one customer, each naming the one before it. */
function stream(length: number): ChangeEvent[] {
	const feed = new EventFeed('crm', 'id');
	return Array.from({ length }, (_, index) => feed.update({ id: '42', name: `version ${index}` }));
}

/** The position after the first `count` events. */
function after(events: readonly ChangeEvent[], count: number): Position {
	return events[count - 1]?.source.position ?? STREAM_START;
}

test('a batch that follows on the position is fresh as it is', () => {
	const events = stream(3);
	expect(sortOut(events, STREAM_START)).toEqual({ fresh: events, from: STREAM_START, gap: null });
});

test('what a node before this one has turned round is put in order', () => {
	const events = stream(3);
	expect(sortOut([...events].reverse(), STREAM_START).fresh).toEqual(events);
});

test('what was observed before, and what is there twice, is left out', () => {
	const events = stream(3);
	const { fresh, from, gap } = sortOut([...events, ...events], after(events, 1));
	expect(fresh).toEqual(events.slice(1));
	expect([from, gap]).toEqual([after(events, 1), null]);
});

test('a batch of duplicates alone leaves the position where it is', () => {
	const events = stream(2);
	expect(sortOut(events, after(events, 2))).toEqual({
		fresh: [],
		from: after(events, 2),
		gap: null,
	});
});

test('an event whose predecessor was not observed is refused with all that follows, naming the range', () => {
	const events = stream(4);
	const [first, second, third, fourth] = events;
	if (!first || !second || !third || !fourth) throw new Error('too short');
	const { fresh, gap } = sortOut([first, third, fourth], STREAM_START);
	expect(fresh).toEqual([first]);
	expect(gap).toMatchObject({
		code: 'STREAM_GAP',
		details: { system: 'crm', after: first.source.position, upTo: second.source.position },
	});
	expect(gap?.message).toContain(third.source.position);
	expect(gap?.message).not.toContain('version');
});

test('a gap before the first event refuses the whole batch', () => {
	const events = stream(3);
	const { fresh, from, gap } = sortOut(events.slice(1), STREAM_START);
	expect([fresh, from, gap?.code]).toEqual([[], STREAM_START, 'STREAM_GAP']);
});

test('an event that names no predecessor is refused: its trigger has no sync store', () => {
	const [event] = stream(1);
	if (!event) throw new Error('no event');
	const unchained = { ...event, source: { ...event.source, prev: null } };
	expect(sortOut([unchained], STREAM_START)).toMatchObject({
		fresh: [],
		gap: { code: 'STREAM_UNKNOWN' },
	});
});

test('after a restart of the trigger an event may name a predecessor before the position', () => {
	const events = stream(3);
	const third = events[2];
	if (!third) throw new Error('too short');
	const restarted = { ...third, source: { ...third.source, prev: STREAM_START } };
	expect(sortOut([restarted], after(events, 2))).toMatchObject({
		fresh: [restarted],
		from: STREAM_START,
		gap: null,
	});
});

test('a wake item has no place in a stream', () => {
	expect(() => positionOfEvent(wakeItem(emptyLink('a1b2', 'customer', 1), 'crm'))).toThrow(
		TypeError,
	);
});

/** A stream, how much of it was observed, and a batch of it in any order, with repetitions and holes. */
const delivery = fc
	.record({
		length: fc.integer({ min: 1, max: 8 }),
		observed: fc.nat({ max: 8 }),
		picks: fc.array(fc.nat({ max: 7 }), { maxLength: 16 }),
	})
	.map(({ length, observed, picks }) => {
		const events = stream(length);
		const batch = picks.flatMap((pick) => events[pick] ?? []);
		return { events, observed: Math.min(observed, length), batch };
	});

test('whatever is delivered, in whatever order, what is fresh continues the stream without a hole', () => {
	fc.assert(
		fc.property(delivery, ({ events, observed, batch }) => {
			const there = new Set(batch.map(positionOfEvent));
			const next = events.slice(observed);
			const hole = next.findIndex((event) => !there.has(positionOfEvent(event)));
			const { fresh } = sortOut(batch, after(events, observed));
			expect(fresh).toEqual(hole === -1 ? next : next.slice(0, hole));
		}),
	);
});

test('something is refused exactly when something that was not observed is not fresh', () => {
	fc.assert(
		fc.property(delivery, ({ events, observed, batch }) => {
			const position = after(events, observed);
			const { fresh, gap } = sortOut(batch, position);
			const isNew = (event: ChangeEvent) => positionOfEvent(event) > position;
			expect(gap !== null).toBe(batch.some((event) => isNew(event) && !fresh.includes(event)));
		}),
	);
});

test('delivering the rest later loses nothing and repeats nothing', () => {
	fc.assert(
		fc.property(delivery, ({ events, observed, batch }) => {
			const position = after(events, observed);
			const first = sortOut(batch, position).fresh;
			const then = sortOut(events, first.at(-1)?.source.position ?? position).fresh;
			expect([...first, ...then]).toEqual(events.slice(observed));
		}),
	);
});
