import fc from 'fast-check';

import { type HashedBucket, unpaired } from '../../src/core/hashed-bucket';

const BUCKETS = 3;
const hash = fc.tuple(fc.integer({ min: -3, max: 3 }), fc.constantFrom('1', '2', '-')).map(([key, row]) => `${key} ${row}`);
const keyOf = (text: string): string => text.split(' ')[0] ?? '';
const bucketOf = (text: string): number => Math.abs(Number(keyOf(text))) % BUCKETS;

/** Whose ids are the places in the list. */
function bucketsOf(hashes: readonly string[]): HashedBucket[] {
	return Array.from({ length: BUCKETS }, (_, bucket) => {
		const rows = hashes.flatMap((text, at) => (bucketOf(text) === bucket ? [{ text, at }] : []));
		return { bucket, hashes: rows.map(({ text }) => text).join(','), ids: rows.map(({ at }) => at).join(' ') };
	}).filter(({ ids }) => ids !== '');
}

/** What is left of the list once each of the others has taken one that equals it. */
function without(list: readonly string[], others: readonly string[]): string[] {
	const left = [...list];
	for (const other of others) if (left.includes(other)) left.splice(left.indexOf(other), 1);
	return left.sort();
}

const at = (list: readonly string[], ids: readonly string[]): string[] => ids.map((id) => list[Number(id)] ?? '').sort();

test('rows that the other side has not so', () => {
	fc.assert(
		fc.property(fc.array(hash), fc.array(hash), (mine, theirs) => {
			const found = unpaired(bucketsOf(mine), bucketsOf(theirs));
			const rows = at(mine, found.mine);
			expect(rows).toEqual(without(mine, theirs));
			const known = new Set(rows.map(keyOf));
			expect(at(theirs, found.theirs)).toEqual(without(theirs, mine).filter((text) => !known.has(keyOf(text))));
		}),
	);
});

test('a row that has changed is looked at by its key alone, one that the other side alone has as well', () => {
	expect(unpaired(bucketsOf(['1 5', '2 5']), bucketsOf(['1 4', '2 5', '3 5']))).toEqual({ mine: ['0'], theirs: ['2'] });
});

test('equal lists leave nothing, also where a hash stands in them twice', () => {
	expect(unpaired(bucketsOf(['1 5', '1 5', '2 6']), bucketsOf(['2 6', '1 5', '1 5']))).toEqual({ mine: [], theirs: [] });
});
