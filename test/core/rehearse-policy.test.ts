import fc from 'fast-check';

import { rehearsalAsHtml } from '../../src/console/rehearsal-page';
import type { Json } from '../../src/core/canonical-json';
import { equalJson } from '../../src/core/canonical-json';
import { EXISTENCE } from '../../src/core/link';
import { parsePolicy, policyOf } from '../../src/core/parse-policy';
import type { EntityPolicy, FieldPolicy, Policy } from '../../src/core/policy';
import { type PolicyRehearsal, type RehearsedCase, rehearsePolicy } from '../../src/core/rehearse-policy';
import { rehearsalAsMarkdown, rehearsalTable } from '../../src/core/rehearse-table';
import { arbitraryPolicy } from '../support/arbitrary-policy';
import { LinkStory } from '../support/link-story';
import { samplePolicyWith } from '../support/sample-policy';
import { FIELD_RULES, MERGING_RULES, simulatedPolicy, SIMULATED_ENTITY } from '../support/simulated-policy';

const RUNS = { numRuns: Number(process.env['PROPERTY_RUNS'] ?? 8) };
const rehearsedOf = (policy: Policy) => rehearsePolicy(policy).cases.filter(({ cannot }) => cannot === null);

/** The policy of two systems with one field under these rules. */
function withField(rules: Readonly<Record<string, Json>>, deletes: 'review' | 'update-wins' | 'delete-wins' = 'review'): PolicyRehearsal {
	return rehearsePolicy(simulatedPolicy(['crm', 'billing'], { note: rules }, deletes).policy);
}

function find({ cases }: PolicyRehearsal, happens: string, field = 'note'): RehearsedCase {
	const found = cases.find((one) => one.field === field && one.happens === happens);
	if (found === undefined) throw new Error(`No case "${happens}"; there are:\n${cases.map((one) => `${one.field}: ${one.happens}`).join('\n')}`);
	return found;
}

const ends = (given: PolicyRehearsal, happens: string) => find(given, happens).ends;

const outcomesOf = (one: RehearsedCase, field: FieldPolicy) => Object.entries(one.ends).filter(([system]) => field.columns.has(system)).map(([, end]) => end);

/** The owner's, or the preferred system's value; the owner keeps its own where a person is asked about the other edit. */
function expectWinner(one: RehearsedCase, field: FieldPolicy): void {
	const { authority } = field;
	if (authority.kind === 'owned') {
		const isAsked = authority.onForeignEdit === 'review';
		const ofOwner = `${authority.owner}'s value`;
		expect(one.asks?.kind).toBe(isAsked ? 'conflict' : undefined);
		expect(isAsked ? one.ends[authority.owner]?.startsWith(ofOwner) : outcomesOf(one, field).every((end) => end.startsWith(ofOwner))).toBe(true);
	} else if (authority.resolve.kind === 'prefer') {
		const ofPreferred = `${authority.resolve.system}'s value`;
		expect([outcomesOf(one, field).every((end) => end.startsWith(ofPreferred)), one.asks]).toEqual([true, null]);
	}
}

/** An edit that its owner would have had put back anyway holds no delete up. */
function expectDeletes(one: RehearsedCase, { deletes: { conflict }, fields }: EntityPolicy): void {
	const gone = Object.values(one.ends).map((end) => end === 'deleted');
	const authority = fields.get(one.field)?.authority;
	if (authority?.kind === 'owned' && ['revert', 'ignore'].includes(authority.onForeignEdit) && one.writes[authority.owner] === undefined) {
		expect([one.asks, gone.includes(false)]).toEqual([null, false]);
		return;
	}
	expect(one.asks?.kind === 'conflict').toBe(conflict === 'review');
	if (conflict === 'delete-wins') expect(gone).not.toContain(false);
	if (conflict === 'update-wins') expect(gone).not.toContain(true);
}

describe('of any policy', () => {
	test('each field is rehearsed or named with the reason, the same each time, and nothing throws', () => {
		fc.assert(
			fc.property(arbitraryPolicy(), (document) => {
				const policy = policyOf(document);
				const rehearsal = rehearsePolicy(policy);
				expect(JSON.stringify(rehearsePolicy(policyOf(policy.document)))).toBe(JSON.stringify(rehearsal));
				for (const entity of policy.entities.values()) {
					for (const name of [EXISTENCE, ...entity.fields.keys()]) {
						const ofField = rehearsal.cases.filter((one) => one.entity === entity.name && one.field === name);
						expect(ofField.length).toBeGreaterThan(0);
						expect(ofField.length).toBeLessThanOrEqual(2 * policy.systems.length + 13 * (policy.systems.length - 1) + 1);
						expect(ofField.every((one) => Object.keys(one.ends).length > 0 === (one.cannot === null))).toBe(true);
					}
				}
			}),
			RUNS,
		);
	});

	test('the rules that say who wins are seen in what it ends with', () => {
		fc.assert(
			fc.property(arbitraryPolicy(), (document) => {
				const policy = policyOf(document);
				for (const one of rehearsedOf(policy)) {
					const entity = policy.entities.get(one.entity);
					const field = entity?.fields.get(one.field);
					if (entity === undefined || field === undefined) continue;
					if (one.kind === 'both-change') expectWinner(one, field);
					if (one.kind === 'deletes-and-changes') expectDeletes(one, entity);
				}
			}),
			RUNS,
		);
	});

	test('names that are trouble stay in their cells', () => {
		fc.assert(
			fc.property(arbitraryPolicy(), (document) => {
				const rehearsal = rehearsePolicy(policyOf(document));
				const tables = [...new Set(rehearsal.cases.map((one) => one.entity))].map((entity) => rehearsalTable(rehearsal, entity));
				const signing = [rehearsal.systems.length + 1, 4] as const;
				const widths = [...tables.flatMap((lines) => [lines[0] ?? [], ...lines].map((cells) => cells.length)), ...Array.from({ length: signing[0] + 1 }, () => signing[1])];
				const shown = rehearsalAsMarkdown(rehearsal).split('\n').filter((line) => line.startsWith('|'));
				expect(shown.map((line) => line.replaceAll(/\\./g, '').split('|').length - 2)).toEqual(widths);
				const cells = tables.flatMap(([, ...lines]) => lines.flat()).length + (signing[0] - 1) * signing[1];
				const tags = rehearsalAsHtml(rehearsal).match(/<\/?[a-z]+/g) ?? [];
				expect(tags.filter((tag) => tag === '<td').length).toBe(cells);
			}),
			{ numRuns: 3 },
		);
	});
});

describe('what is played is what happens', () => {
	/** The same told by `LinkStory`, whose changes go through folding, markers and signatures. */
	function told(one: RehearsedCase, rules: Readonly<Record<string, Json>>): LinkStory {
		const story = LinkStory.linked(simulatedPolicy(['crm', 'billing'], { note: rules }), { note: one.before });
		const [first = ''] = Object.keys(one.writes);
		if (one.kind === 'deletes-and-changes') story.delete(first === 'crm' ? 'billing' : 'crm');
		const later = /, (crm|billing) later$/.exec(one.happens)?.[1];
		for (const [system, value] of Object.entries(one.writes)) story.edit(system, { note: value }, 60_000 + (system === later ? 3_600_000 : 0));
		story.pump();
		return story;
	}

	test.each([...FIELD_RULES, ...MERGING_RULES].map((rules) => [JSON.stringify(rules), rules] as const))('%s', (_, rules) => {
		const played = withField(rules).cases.filter(({ field, kind, cannot }) => field === 'note' && cannot === null && kind !== 'too-late');
		expect(played.length).toBeGreaterThan(8);
		for (const one of played) {
			const story = told(one, rules);
			for (const [system, end] of Object.entries(one.ends)) {
				const row = story.rows[system];
				const value = row === undefined ? 'deleted' : row['note'] === null ? 'empty' : JSON.stringify(row['note']);
				expect([one.happens, system, end.replace(/^.*?, (?=["\d[{])/, '')]).toEqual([one.happens, system, value]);
			}
			expect([one.happens, story.reviews.map(({ kind }) => kind)]).toEqual([one.happens, one.asks === null ? [] : [one.asks.kind]]);
		}
	});
});

describe('what people read', () => {
	test('names the author of each value, and says when a person is asked', () => {
		const owned = withField({ owner: 'crm' });
		expect(ends(owned, 'billing, which does not own it, changes it')).toEqual({ crm: 'the value before, "Ann"', billing: 'the value before, "Ann"' });
		expect(ends(owned, 'crm and billing change it differently')).toEqual({ crm: `crm's value, "Bob"`, billing: `crm's value, "Bob"` });
		const asked = find(withField({ owner: 'shared', resolve: 'review' }), 'crm and billing change it differently');
		expect(asked.ends).toEqual({ crm: `crm's value, "Bob"`, billing: `billing's value, "Christine"` });
		expect(asked.asks).toMatchObject({ kind: 'conflict' });
	});

	test('values are of a kind that the rule is made for', () => {
		expect(ends(withField({ owner: 'shared', resolve: 'delta' }), 'crm and billing change it differently')).toEqual({ crm: 'a merged value, "17"', billing: 'a merged value, "17"' });
		expect(ends(withField({ owner: 'shared', resolve: 'union' }), 'crm and billing change it differently')['crm']).toBe('a merged value, ["a","b","c"]');
		const largest = withField({ owner: 'shared', resolve: 'max' });
		expect(ends(largest, 'crm and billing change it differently')['crm']).toBe(`billing's value, "15"`);
		expect(ends(largest, 'crm and billing change it differently, the values exchanged')['billing']).toBe(`crm's value, "15"`);
	});

	test('the later change wins only where clocks can tell', () => {
		const latest = withField({ owner: 'shared', resolve: 'latest' });
		expect(ends(latest, 'crm and billing change it differently, crm later')['billing']).toBe(`crm's value, "Bob"`);
		expect(ends(latest, 'crm and billing change it differently, billing later')['crm']).toBe(`billing's value, "Christine"`);
		expect(find(latest, 'crm and billing change it differently, at the same moment').asks?.kind).toBe('conflict');
	});

	test('a write that comes too late does not replace what a user wrote meanwhile', () => {
		const happens = 'crm changes it; before that is written to billing, billing changes it too';
		expect(ends(withField({ owner: 'shared', resolve: 'prefer(billing)' }), happens)).toEqual({ crm: `billing's value, "Christine"`, billing: `billing's value, "Christine"` });
		expect(find(withField({ owner: 'shared', resolve: 'review' }), happens).asks?.kind).toBe('conflict');
		expect(find(withField({ owner: 'billing' }), happens).cannot).toContain('nothing is written to billing');
	});

	test('a deleted record that comes back says so', () => {
		expect(ends(withField({ owner: 'shared', resolve: 'review' }, 'update-wins'), 'crm deletes the record while billing changes the field')).toEqual({
			crm: `made again, billing's value, "Bob"`,
			billing: `billing's value, "Bob"`,
		});
		const both = find(withField({ owner: 'crm' }), 'crm and billing delete the record', EXISTENCE);
		expect(both).toMatchObject({ ends: { crm: 'deleted', billing: 'deleted' }, asks: null });
	});

	test('what cannot be rehearsed is listed with the reason', () => {
		const strict = parsePolicy(samplePolicyWith('resolve: review', 'resolve: review, valid: { pattern: "^[A-Z]{9}-\\\\d{4}$" }'));
		expect(rehearsePolicy(strict).cases.filter(({ field }) => field === 'phone')).toMatchObject([{ kind: 'none', cannot: expect.stringContaining('no two values are known') }]);
		const two = withField({ owner: 'shared', resolve: 'review', codec: 'boolean' });
		expect(two.cases.some(({ cannot }) => cannot?.includes('need three values'))).toBe(true);
		expect(find(two, 'crm changes it').cannot).toBeNull();
		expect(rehearsalTable(two, SIMULATED_ENTITY).flat().some((cell) => cell.startsWith('cannot be rehearsed: two different changes'))).toBe(true);
	});

	test('values follow what the policy allows, and only what it allows', () => {
		const steps = withField({ owner: 'shared', resolve: 'prefer(crm)', valid: { transitions: { open: ['won', 'lost'], won: ['open'] }, oneOf: ['open', 'won', 'lost'] } });
		expect(find(steps, 'crm changes it')).toMatchObject({ before: 'open', writes: { crm: 'won' } });
		const narrow = withField({ owner: 'shared', resolve: 'prefer(crm)', valid: { oneOf: ['x', 'bo', 'ba'], pattern: '^b' } });
		expect(find(narrow, 'crm changes it')).toMatchObject({ before: 'bo', writes: { crm: 'ba' } });
		for (const { before, writes } of steps.cases) expect(Object.values(writes).every((value) => value === null || !equalJson(value, before))).toBe(true);
	});
});
