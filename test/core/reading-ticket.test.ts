import fc from 'fast-check';
import { attemptOf, withAttempt, type Attempt } from '../../src/core/api-record';
import { emptyLink, type LinkState, type Operation } from '../../src/core/link';
import { positionOf } from '../../src/core/position';
import { judgeTicket, readingTicket } from '../../src/core/reading-ticket';

const SYSTEM = 'crm';
const op: Operation = { id: 'l:crm:1', link: 'l', system: SYSTEM, entity: 'customer', number: 1, kind: 'update', key: { id: '1' }, fields: {}, guards: {}, existence: null };

const attempt: fc.Arbitrary<Attempt> = fc.record({
	op: fc.constantFrom('l:crm:1', 'l:crm:0'),
	count: fc.integer({ min: 1, max: 3 }),
	state: fc.constantFrom('reading' as const, 'running' as const, 'over' as const),
	seen: fc.constant(null),
});

/** What may be known of a record: how far it has been observed, and the request for its operation. */
const link: fc.Arbitrary<LinkState> = fc
	.record({ seen: fc.option(fc.bigInt({ min: 1n, max: 4n })), isUnderWay: fc.boolean(), attempt: fc.option(attempt) })
	.map(({ seen, isUnderWay, attempt: known }) => {
		const state = { ...emptyLink('l', 'customer', 1), ...(seen === null ? {} : { seen: { [SYSTEM]: positionOf(seen, 0) } }), inFlight: isUnderWay ? { [SYSTEM]: op } : {} };
		return known === null ? state : withAttempt(state, SYSTEM, known);
	});

test('a ticket is current as long as nothing has been observed of the record', () => {
	fc.assert(
		fc.property(link, link, (before, after) => {
			const { isCurrent } = judgeTicket(readingTicket(before, SYSTEM), after, SYSTEM);
			expect(isCurrent).toBe(before.seen[SYSTEM] === after.seen[SYSTEM]);
		}),
	);
});

test('it says that the last request has ended only if that was so when it was taken, and none has been begun since', () => {
	fc.assert(
		fc.property(link, link, (before, after) => {
			const { isCurrent, ended } = judgeTicket(readingTicket(before, SYSTEM), after, SYSTEM);
			if (!ended) return;
			const [was, is] = [before, after].map((state) => attemptOf(state, SYSTEM));
			expect(isCurrent).toBe(true);
			expect(was).toMatchObject({ op: is?.op, count: is?.count });
			expect([was?.state, is?.state]).not.toContain('running');
		}),
	);
	const over = withAttempt({ ...emptyLink('l', 'customer', 1), inFlight: { [SYSTEM]: op } }, SYSTEM, { op: op.id, count: 1, state: 'over', last: 'stale', seen: null });
	expect(judgeTicket(readingTicket(over, SYSTEM), over, SYSTEM)).toEqual({ isCurrent: true, ended: true });
});

test('of a record that nobody knows it is current until somebody does', () => {
	const ticket = readingTicket(null, SYSTEM);
	expect(judgeTicket(ticket, null, SYSTEM)).toEqual({ isCurrent: true, ended: false });
	const known = { ...emptyLink('l', 'customer', 1), seen: { [SYSTEM]: positionOf(1n, 0) } };
	expect(judgeTicket(ticket, known, SYSTEM).isCurrent).toBe(false);
	expect(judgeTicket('anything else', known, SYSTEM)).toEqual({ isCurrent: false, ended: false });
});
