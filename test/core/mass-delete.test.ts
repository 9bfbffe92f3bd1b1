import { asksForShare, isMassDelete, massDeleteReview, type DeleteRun } from '../../src/core/mass-delete';
import type { DeletePolicy } from '../../src/core/policy';
import { simulatedPolicy } from '../support/simulated-policy';

const RUN: DeleteRun = { system: 'crm', entity: 'customer', commit: '0000000100000020', deletes: 10 };
const limits = (rows: number | null, percent: number | null): DeletePolicy => ({ conflict: 'review', massDelete: { rows, percent }, as: new Map() });
const run = (deletes: number): DeleteRun => ({ ...RUN, deletes });

describe('a run of deletes is a mass', () => {
	test.each<[string, number, DeletePolicy, number, boolean]>([
		['beyond the rows', 11, limits(10, null), 1_000, true],
		['not at the rows', 10, limits(10, null), 10, false],
		['beyond the share', 11, limits(null, 10), 100, true],
		['not at the share', 10, limits(null, 10), 100, false],
		['beyond a share of a fraction', 3, limits(null, 2.5), 100, true],
		['not at a share of a fraction', 5, limits(null, 2.5), 200, false],
		['when one of two limits is passed', 11, limits(10, 50), 1_000, true],
		['never as a single delete', 1, limits(null, 10), 1, false],
		['unless even one is more than the rows', 1, limits(null, 1), 0, false],
		['as two of a table of which nothing is known', 2, limits(null, 90), 0, true],
		['never without a limit', 1_000_000, limits(null, null), 1, false],
	])('%s', (_, ...[deletes, policy, records, expected]) => {
		expect(isMassDelete(run(deletes), policy, records)).toBe(expected);
	});

	test('of a whole table under any share below all of it', () => {
		for (let records = 2; records < 200; records += 1) {
			expect(isMassDelete(run(records), limits(null, 99), records)).toBe(true);
			expect(isMassDelete(run(records), limits(null, 100), records)).toBe(false);
		}
	});
});

test('how many records there are is asked only where it decides', () => {
	expect(asksForShare(run(2), limits(null, 10))).toBe(true);
	expect(asksForShare(run(2), limits(5, 10))).toBe(true);
	expect(asksForShare(run(1), limits(null, 10))).toBe(false);
	expect(asksForShare(run(6), limits(5, 10))).toBe(false);
	expect(asksForShare(run(6), limits(5, null))).toBe(false);
});

test('the item is the same for the same transaction, and another one for each other', () => {
	const { policy } = simulatedPolicy(['crm', 'billing'], {});
	const idOf = (changes: Partial<DeleteRun>) => massDeleteReview(policy, { ...RUN, ...changes }).id;
	expect(idOf({})).toBe(idOf({}));
	const others = [idOf({}), idOf({ system: 'billing' }), idOf({ entity: 'invoice' }), idOf({ commit: '0000000100000030' })];
	expect(new Set(others).size).toBe(others.length);
});

test('the item does not change when a second look counts otherwise: the token is the transaction', () => {
	const { policy } = simulatedPolicy(['crm', 'billing'], {});
	expect(massDeleteReview(policy, run(11)).token).toBe(massDeleteReview(policy, run(12)).token);
});
