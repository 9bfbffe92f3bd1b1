import fc from 'fast-check';
import { parseChangeEvent } from '../../src/core/change-event';
import { emptyLink } from '../../src/core/link';
import { wakeItem, wokenLink } from '../../src/core/wake-item';
import { EventFeed } from '../support/event-feed';

const ANN = {
	...emptyLink('a1b2', 'customer', 1),
	keys: { crm: { id: '42' }, billing: { account_no: '501' } },
};

test('a wake item is a change event that stands in no stream and carries no row', () => {
	const item = wakeItem(ANN, 'crm');
	expect(parseChangeEvent(item)).toEqual(item);
	expect(item).toMatchObject({
		op: 'w',
		key: { id: '42' },
		before: null,
		after: null,
		marker: null,
	});
	expect(item.source).toMatchObject({ position: null, prev: null });
});

test('a link that has no record in the system is woken all the same', () => {
	expect(wakeItem(ANN, 'shop').key).toEqual({});
	expect(wokenLink(wakeItem(ANN, 'shop'))).toBe('a1b2');
});

test('waking the same link twice gives the same item', () => {
	expect(wakeItem(ANN, 'crm')).toEqual(wakeItem(ANN, 'crm'));
});

test('the link can be read back, also after the item has been JSON', () => {
	fc.assert(
		fc.property(fc.string({ minLength: 1 }), (id) => {
			const item = wakeItem(emptyLink(id, 'customer', 1), 'crm');
			expect(wokenLink(parseChangeEvent(JSON.parse(JSON.stringify(item))))).toBe(id);
		}),
	);
});

test('no other item wakes a link, whatever it says', () => {
	const update = new EventFeed('crm', 'id').update({ id: '42' });
	expect(wokenLink(update)).toBeNull();
	expect(wokenLink({ ...update, bisync: { wake: { link: 'a1b2' } } })).toBeNull();
});

test.each([
	[{}],
	[{ wake: null }],
	[{ wake: 'a1b2' }],
	[{ wake: ['a1b2'] }],
	[{ wake: { link: 7 } }],
])('a wake item that was edited to %j names no link', (bisync) => {
	expect(wokenLink({ ...wakeItem(ANN, 'crm'), bisync })).toBeNull();
});
