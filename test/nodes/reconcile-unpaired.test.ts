import fc from 'fast-check';

import { unpaired } from '../../nodes/ReconcileDiff/by-hash';
import type { StoredDigest } from '../../src/store/store-digests';

const hash = fc.tuple(fc.integer({ min: -3, max: 3 }), fc.constantFrom('1', '2', '-')).map(([key, row]) => `${key} ${row}`);
const stored = (hashes: readonly string[]): StoredDigest[] => hashes.map((text, at) => ({ link: `link ${at}`, hash: text }));
const keyOf = (text: string): string => text.split(' ')[0] ?? '';

/** What is left of the list once each of the others has taken one that equals it. */
function without(list: readonly string[], others: readonly string[]): string[] {
	const left = [...list];
	for (const other of others) if (left.includes(other)) left.splice(left.indexOf(other), 1);
	return left.sort();
}

test('rows that no link has so, and links that no row has so', () => {
	fc.assert(
		fc.property(fc.array(hash), fc.array(hash), (mine, theirs) => {
			const { places, links } = unpaired(mine, stored(theirs));
			const rows = places.map((place) => mine[place] ?? '');
			expect([...rows].sort()).toEqual(without(mine, theirs));
			const known = new Set(rows.map(keyOf));
			const lost = without(theirs, mine).filter((text) => !known.has(keyOf(text)));
			expect(links.map((link) => theirs[Number(link.split(' ')[1])] ?? '').sort()).toEqual(lost);
		}),
	);
});

test('a row that has changed is looked at by its key alone, a row that is gone by its link', () => {
	expect(unpaired(['1 5', '2 5'], stored(['1 4', '2 5', '3 5']))).toEqual({ places: [0], links: ['link 2'] });
});

test('equal lists leave nothing, also where a hash stands in them twice', () => {
	expect(unpaired(['1 5', '1 5', '2 6'], stored(['2 6', '1 5', '1 5']))).toEqual({ places: [], links: [] });
});
