import { endsOf, leftOverOf } from '../../../nodes/PostgresCdcTrigger/known-records';
import { emptyLink, EXISTENCE, type LinkState, type Operation, operationId } from '../../../src/core/link';
import { isGenuine } from '../../../src/core/marker';
import type { LedgerEntry } from '../../../src/postgres/ledger-claims';

const MAC_KEY = 'secret';

function op(kind: Operation['kind'], { number = 5, epoch = 1 } = {}): Operation {
	return {
		id: operationId('l1', 'crm', { epoch, number }),
		link: 'l1',
		system: 'crm',
		entity: 'customer',
		number,
		...(epoch === 1 ? {} : { epoch }),
		kind,
		key: kind === 'insert' ? null : { id: '1' },
		fields: {},
		guards: {},
		existence: null,
	};
}

const entry = (epoch: number, number: number, outcome: LedgerEntry['outcome']): LedgerEntry => ({
	epoch,
	number,
	outcome,
	error: null,
	key: { id: '1' },
});

const endOf = (one: Operation, found: LedgerEntry | null) =>
	endsOf([one], new Map(found ? [[one.id, found]] : [])).get(one.id)?.outcome ?? 'open';

test('what became of a write is what the ledger says of this very operation', () => {
	const one = op('update');
	expect(endOf(one, entry(1, 5, 'applied'))).toBe('applied');
	expect(endOf(one, entry(1, 5, 'refused'))).toBe('refused');
});

test('a write that nobody has tried, or that came to no outcome, may still be made', () => {
	expect(endOf(op('update'), null)).toBe('open');
	expect(endOf(op('update'), entry(1, 4, 'applied'))).toBe('open');
	expect(endOf(op('update'), entry(1, 5, null))).toBe('open');
	expect(endOf(op('update', { number: 1, epoch: 2 }), entry(1, 9, 'applied'))).toBe('open');
});

test('a write that cannot be made any more is decided anew: a later one came, or nobody can tell', () => {
	const one = op('update');
	expect(endOf(one, entry(1, 6, 'applied'))).toBe('stale');
	expect(endOf(one, entry(2, 1, 'applied'))).toBe('stale');
	expect(endsOf([one], null).get(one.id)?.outcome).toBe('stale');
});

function linkWith(one: Operation, isThere: boolean): LinkState {
	const view = { raw: isThere, canon: isThere, vector: {} };
	return {
		...emptyLink('l1', 'customer', 1),
		keys: isThere ? { crm: { id: '1' } } : {},
		fields: { [EXISTENCE]: { merged: null, views: { crm: view }, frozen: null } },
		inFlight: { crm: one },
	};
}

function leftOver(one: Operation, { isThere, isSeen }: { isThere: boolean; isSeen: boolean }) {
	const ends = endsOf([one], new Map([[one.id, entry(1, 5, 'applied')]]));
	const seen = new Set(isSeen ? ['["customer",{"id":"1"}]'] : []);
	return leftOverOf(linkWith(one, isThere), 'crm', { seen, ends, macKey: MAC_KEY });
}

test('the end of a write comes before the news that its row has gone, for it was there then', () => {
	const kinds = leftOver(op('update'), { isThere: true, isSeen: false }).map(({ kind }) => kind);
	expect(kinds).toEqual(['marker', 'gone']);
});

test('of a new row of ours that has gone meanwhile, both are told', () => {
	expect(leftOver(op('insert'), { isThere: false, isSeen: false })).toEqual([
		expect.objectContaining({ kind: 'marker' }),
		{ kind: 'gone', entity: 'customer', key: { id: '1' } },
	]);
	expect(leftOver(op('insert'), { isThere: false, isSeen: true })).toHaveLength(1);
});

test('the marker that is made up for a write is signed, so that it is believed', () => {
	const [change] = leftOver(op('update'), { isThere: true, isSeen: true });
	expect(change?.kind === 'marker' && isGenuine(change.marker, MAC_KEY)).toBe(true);
});
