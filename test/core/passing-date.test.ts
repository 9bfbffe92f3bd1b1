import { decide } from '../../src/core/decide';
import { emptyLink, EXISTENCE, type LinkState } from '../../src/core/link';
import { inForce, observe } from '../../src/core/observe';
import { parsePolicy, policyOf } from '../../src/core/parse-policy';
import { passesAt } from '../../src/core/passing-date';
import { positionOf } from '../../src/core/position';
import { replay, type ReplayedEntry } from '../../src/core/replay';
import type { RecordChange } from '../../src/core/record-change';
import { samplePolicyWith, policyProblems } from '../support/sample-policy';

const TEXT = `
policy: dated
systems: [crm, billing]
entities:
  customer:
    crm: { table: customers, key: [id] }
    billing: { table: accounts, key: [no] }
    match: [[ref]]
    fields:
      ref: { crm: ref, billing: ref, owner: shared, resolve: review }
    deletes: { as: { billing: { until: { passed: true } } } }
`;
const POLICY = inForce(parsePolicy(TEXT));
const AT = Date.parse('2026-05-01T00:00:00Z');

test.each([
	['a time with a zone', '2026-05-01T02:00:00+02', AT],
	['a time without one, which is UTC', '2026-05-01T00:00:00', AT],
	['a fraction of a millisecond, of which nothing is waited for', '2026-05-01T00:00:00.0005Z', AT],
	['a day, when it is over', '2026-04-30', AT],
	['minus infinity, long ago', '-infinity', Number.NEGATIVE_INFINITY],
	['a year far ahead', '10000-01-01T00:00:00Z', Date.UTC(10_000, 0, 1)],
])('%s passes', (_, value, at) => {
	expect(passesAt(value)).toBe(at);
});

test.each([null, 'infinity', '', 'soon', 12, true])('%s never passes', (value) => {
	expect(passesAt(value)).toBeNull();
});

class Story {
	state: LinkState = emptyLink('l', 'customer', 1);
	readonly journal: ReplayedEntry[] = [{ link: 'l', entry: { kind: 'created', generation: 1, entity: 'customer', by: 'crm', ambiguous: false } }];
	#lsn = 0n;

	see(system: string, tsMs: number, change: Partial<RecordChange>): string {
		this.#lsn += 16n;
		const position = positionOf(this.#lsn, 0);
		const whole: RecordChange = {
			system, entity: 'customer', position, firstPosition: position, tsMs, key: system === 'crm' ? { id: '1' } : { no: '9' },
			previousKey: null, exists: true, columns: {}, unchanged: [], marker: null, forged: false, snapshot: false, ...change,
		};
		const { state, disposition, journal } = observe(this.state, whole, POLICY);
		this.state = state;
		this.journal.push(...journal.map((entry) => ({ link: 'l', entry })));
		return disposition;
	}

	row(tsMs: number, until: string | null): string {
		return this.see('billing', tsMs, { columns: { ref: 'A', until } });
	}

	passes(tsMs: number): string {
		return this.see('billing', tsMs, { rowStays: true });
	}

	decide() {
		const { state, ops, journal } = decide(this.state, POLICY, 'live');
		this.state = state;
		this.journal.push(...journal.map((entry) => ({ link: 'l', entry })));
		return ops;
	}

	get isThere(): boolean | undefined {
		return this.state.fields[EXISTENCE]?.views['billing']?.canon as boolean | undefined;
	}
}

function linked(until: string | null): Story {
	const story = new Story();
	story.see('crm', AT - 100, { columns: { ref: 'A' } });
	story.row(AT - 100, until);
	expect(story.decide()).toEqual([]);
	return story;
}

describe('a row with a date', () => {
	test('is a record until the date has passed, and deleted from then on', () => {
		const story = linked('2026-05-01T00:00:00Z');
		expect(story.state.dates).toEqual({ billing: { raw: '2026-05-01T00:00:00Z', atMs: AT } });
		expect(story.passes(AT - 1)).toBe('unchanged');
		expect(story.isThere).toBe(true);
		expect(story.passes(AT)).toBe('foreign');
		expect(story.isThere).toBe(false);
		expect(story.state.dates).toEqual({ billing: { raw: '2026-05-01T00:00:00Z' } });
		expect(story.decide()).toMatchObject([{ system: 'crm', kind: 'delete' }]);
	});

	test('replays, for the time is in the journal', () => {
		const story = linked('2026-05-01T00:00:00Z');
		story.passes(AT);
		story.decide();
		expect(replay(story.journal, () => POLICY)).toEqual(story.state);
	});

	test('that is moved in time stays a record', () => {
		const story = linked('2026-05-01T00:00:00Z');
		expect(story.row(AT - 1, '2026-06-01T00:00:00Z')).toBe('unchanged');
		expect(story.passes(AT)).toBe('unchanged');
		expect(story.isThere).toBe(true);
	});

	test('stays deleted when a clock is set back, and comes back with another date, or none', () => {
		for (const next of [null, '2027-01-01T00:00:00Z']) {
			const story = linked('2026-05-01T00:00:00Z');
			story.passes(AT);
			expect(story.row(AT - 3_600_000, '2026-05-01T00:00:00Z')).toBe('unchanged');
			expect(story.row(AT + 1, next)).toBe('foreign');
			expect(story.isThere).toBe(true);
		}
	});

	test('that passed before anybody heard of it is no record', () => {
		const story = new Story();
		story.row(AT, '2020-01-01');
		expect(story.isThere).toBe(false);
	});

	test('forgets it with the row', () => {
		const story = linked('2026-05-01T00:00:00Z');
		story.see('billing', AT - 1, { exists: false });
		expect(story.state.dates).toEqual({});
		expect(story.passes(AT)).toBe('unchanged');
	});
});

test('whoever writes to the row expects the date that was seen', () => {
	const story = linked('2026-06-01T00:00:00Z');
	story.see('crm', AT, { exists: false });
	expect(story.decide()).toMatchObject([{ system: 'billing', kind: 'delete', guards: { [EXISTENCE]: '2026-06-01T00:00:00Z' } }]);
});

describe('the policy', () => {
	const as = (says: string) => parsePolicy(TEXT.replace('{ passed: true }', says)).entities.get('customer')?.deletes.as.get('billing');

	test('says that a date deletes, and what brings the row back', () => {
		expect(as('{ passed: true }')).toEqual({ column: 'until', passed: true, live: null });
		expect(as("{ passed: true, live: '9999-12-31' }")).toEqual({ column: 'until', passed: true, live: '9999-12-31' });
		expect(policyOf(POLICY.policy.document).entities.get('customer')?.deletes).toEqual(POLICY.policy.entities.get('customer')?.deletes);
	});

	test.each([
		['{ passed: false }', 'entities.customer.deletes.as.billing.until.passed: must be true'],
		['{ passed: true, deleted: 1 }', 'entities.customer.deletes.as.billing.until.deleted: is not a known key'],
		['5', 'entities.customer.deletes.as.billing.until: must be true, false, { deleted: …, live: … } with the values of a deleted row and of one that is brought back, or { passed: true } where it holds a date'],
	])('refuses %s', (says, problem) => {
		expect(policyProblems(samplePolicyWith('{ passed: true }', says, TEXT))).toContain(problem);
	});
});
