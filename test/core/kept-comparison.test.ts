import { countOf, oneBucket } from '../../src/core/hashed-bucket';
import { isOfUse, isWorthKeeping, type KeptComparison, STORE } from '../../src/core/kept-comparison';

const DAY_MS = 24 * 60 * 60 * 1_000;
const KEPT: KeptComparison = {
	seen: { [STORE]: { identity: 's', horizon: '7' }, crm: { identity: 'c', horizon: '9' } },
	suspects: { crm: [] },
	wholeAtMs: 100 * DAY_MS,
};
const IDENTITIES = { [STORE]: 's', crm: 'c' };

test.each([
	['the next day', IDENTITIES, 1, true],
	['after a week', IDENTITIES, 7, false],
	['another store', { ...IDENTITIES, [STORE]: 't' }, 1, false],
	['another table', { ...IDENTITIES, crm: 'd' }, 1, false],
	['a system more', { ...IDENTITIES, billing: 'b' }, 1, false],
	['a system less', { [STORE]: 's' }, 1, false],
])('%s: what was kept is of use or not', (_, identities, days, expected) => {
	expect(isOfUse(KEPT, { identities, ms: (100 + days) * DAY_MS })).toBe(expected);
});

test('many keys that differ are not kept', () => {
	const keys = Array.from({ length: 20_001 }, (_, id) => ({ id: String(id) }));
	expect([isWorthKeeping({ suspects: { crm: keys.slice(1), billing: [] } }), isWorthKeeping({ suspects: { crm: keys } })]).toEqual([true, false]);
});

test('counts the rows of buckets, and no rows are no bucket', () => {
	expect([countOf([]), countOf(oneBucket([])), countOf([...oneBucket([['1 2', 'a'], ['3 4', 'b']]), ...oneBucket([['5 6', 'c']])])]).toEqual([0, 0, 3]);
});
