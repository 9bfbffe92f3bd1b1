import fc from 'fast-check';

import { Acknowledgements } from '../../src/postgres/acknowledgements';

test('a position is acknowledged exactly as it was handed out', () => {
	const acks = new Acknowledgements(10n, 0n);
	acks.receive(20n);
	acks.handOut(20n);
	expect(acks.acknowledge(20n)).toBe(true);
	expect(acks.acknowledged).toBe(20n);
	expect(() => acks.acknowledge(21n)).toThrow(
		expect.objectContaining({ code: 'ACK_OUT_OF_RANGE' }),
	);
});

test('an older position changes nothing', () => {
	const acks = new Acknowledgements(10n, 0n);
	expect(acks.acknowledge(10n)).toBe(false);
	expect(acks.acknowledge(3n)).toBe(false);
	expect(acks.acknowledged).toBe(10n);
});

test('what was received but not handed out cannot be acknowledged', () => {
	const acks = new Acknowledgements(10n, 0n);
	acks.receive(20n);
	expect(() => acks.acknowledge(20n)).toThrow(
		expect.objectContaining({ code: 'ACK_OUT_OF_RANGE' }),
	);
});

test('the place where the stream starts can be acknowledged at once', () => {
	expect(new Acknowledgements(10n, 30n).acknowledge(30n)).toBe(true);
});

test('the stream is not idle while a received transaction is unacknowledged', () => {
	const acks = new Acknowledgements(10n, 0n);
	expect(acks.reachIdle(15n)).toBe(true);
	acks.receive(20n);
	expect(acks.reachIdle(25n)).toBe(false);
	acks.handOut(20n);
	expect(acks.reachIdle(25n)).toBe(false);
	acks.acknowledge(20n);
	expect(acks.reachIdle(20n)).toBe(false);
	expect(acks.reachIdle(25n)).toBe(true);
	expect(acks.acknowledge(25n)).toBe(true);
});

test('whatever the order of events, no unacknowledged transaction is passed over', () => {
	const event = fc.constantFrom('receive', 'handOut', 'keepalive', 'acknowledge');
	fc.assert(
		fc.property(fc.array(event, { maxLength: 40 }), (events) => {
			const acks = new Acknowledgements(0n, 0n);
			const waiting: bigint[] = [];
			const open: bigint[] = [];
			let lsn = 0n;
			for (const kind of events) {
				lsn += 10n;
				if (kind === 'receive') {
					acks.receive(lsn);
					waiting.push(lsn);
				} else if (kind === 'handOut' && waiting.length > 0) {
					const next = waiting.shift()!;
					acks.handOut(next);
					open.push(next);
				} else if (kind === 'keepalive' && acks.reachIdle(lsn)) {
					acks.acknowledge(lsn);
				} else if (kind === 'acknowledge' && open.length > 0) {
					acks.acknowledge(open.shift()!);
				}
				const unsafe = [...open, ...waiting];
				expect(unsafe.every((end) => end > acks.acknowledged)).toBe(true);
			}
		}),
	);
});
