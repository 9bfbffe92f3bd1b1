import fc from 'fast-check';
import { stringify } from 'yaml';
import type { Json } from '../../src/core/canonical-json';
import { parsePolicy, policyOf } from '../../src/core/parse-policy';
import { policyHash } from '../../src/core/policy';
import { SAMPLE_POLICY, sampleCustomer, samplePolicyWith } from '../support/sample-policy';

const SAMPLE = sampleCustomer().policy;
const hashOf = (text: string) => policyHash(parsePolicy(text));

/** The same document with every object's keys in an order drawn from `random`. */
function shuffled(value: Json, random: () => number): Json {
	if (value === null || typeof value !== 'object') return value;
	if (Array.isArray(value)) return value.map((part) => shuffled(part, random));
	const entries = Object.entries(value).map(([key, part]) => ({
		at: random(),
		entry: [key, shuffled(part, random)] as const,
	}));
	return Object.fromEntries(entries.sort((a, b) => a.at - b.at).map(({ entry }) => entry));
}

describe('the hash of a policy', () => {
	test('is the same for YAML, for JSON and for any order of keys', () => {
		fc.assert(
			fc.property(fc.infiniteStream(fc.nat()), (numbers) => {
				const document = shuffled(SAMPLE.document, () => Number(numbers.next().value));
				expect(hashOf(stringify(document))).toBe(policyHash(SAMPLE));
				expect(hashOf(JSON.stringify(document, null, '\t'))).toBe(policyHash(SAMPLE));
			}),
			{ numRuns: 20 },
		);
	});

	test('does not change when a default or another spelling is written out', () => {
		const edits: [string, string][] = [
			['owner: crm, codec: trim', 'owner: crm, onForeignEdit: revert, codec: [trim]'],
			['resolve: review }', 'resolve: review, codec: identity }'],
			['public.customers', 'customers'],
			['prefer(billing)', 'prefer( billing )'],
			['resolve: review }', 'resolve: review, nulls: clear }'],
			['decimal(2)', "' decimal( 2 ) '"],
			['[email, phone]', '[phone, email]'],
			['past_due', '"past_due"'],
		];
		for (const [before, after] of edits) {
			expect(hashOf(samplePolicyWith(before, after))).toBe(policyHash(SAMPLE));
		}
		expect(hashOf(`${SAMPLE_POLICY}    deletes: { massDelete: { rows: 50 } }\n`)).toBe(
			policyHash(SAMPLE),
		);
	});

	test('changes with everything that has a meaning', () => {
		const edits: [string, string][] = [
			['policy: crm-billing', 'policy: crm-billing-2'],
			['[crm, billing]', '[billing, crm]'],
			['[[ref], [email]]', '[[email], [ref]]'],
			['public.accounts', 'billing.accounts'],
			['owner: crm, codec: trim', 'owner: billing, codec: trim'],
			['codec: trim', 'codec: [trim, lower]'],
			['owner: crm, codec: email', 'owner: crm, onForeignEdit: ignore, codec: email'],
			['prefer(billing)', 'prefer(crm)'],
			['past_due', 'overdue'],
			['[email, phone]', '[email]'],
			['resolve: review', 'resolve: latest'],
			['resolve: review', 'resolve: latest(2s)'],
			['resolve: review', 'resolve: max'],
			['resolve: review', 'resolve: min'],
			['resolve: review', 'resolve: longest'],
			['resolve: review', 'resolve: union'],
			['resolve: review', 'resolve: delta'],
			['resolve: review', 'resolve: review, nulls: ignore'],
			['resolve: review', 'resolve: review, nulls: never-wins'],
			['resolve: review', 'resolve: review, valid: { pattern: "^5" }'],
			['resolve: review', 'resolve: review, valid: { oneOf: ["5"] }'],
			['resolve: review', 'resolve: review, valid: { transitions: { "5": [] } }'],
			['resolve: review', 'resolve: review, valid: { required: true }'],
			['owner: crm, codec: email', 'owner: crm, onForeignEdit: propose, codec: email'],
			['sensitive: [email, phone]', 'sensitive: [email, phone]\n    required: [phone]'],
			['sensitive: [email, phone]', 'sensitive: [email, phone]\n    deletes: { conflict: update-wins }'],
			['sensitive: [email, phone]', 'sensitive: [email, phone]\n    deletes: { conflict: delete-wins }'],
			['sensitive: [email, phone]', 'sensitive: [email, phone]\n    deletes: { massDelete: { rows: 51 } }'],
			['sensitive: [email, phone]', 'sensitive: [email, phone]\n    deletes: { massDelete: { percent: 51 } }'],
			['sensitive: [email, phone]', 'sensitive: [email, phone]\n    deletes: { as: { billing: { gone: true } } }'],
			['key: [id]', 'key: [id], insert: { plan: default }'],
			['key: [id]', 'key: [id], insert: { plan: free }'],
			['key: [id]', 'key: [id], stamp: { write_date: now }'],
		];
		const hashes = edits.map(([before, after]) => hashOf(samplePolicyWith(before, after)));
		expect(new Set([policyHash(SAMPLE), ...hashes]).size).toBe(edits.length + 1);
	});
});

test.each([
	['latest', 'latest(500ms)'],
	['latest(500)', 'latest(500ms)'],
	['latest( 500 ms )', 'latest(500ms)'],
	['latest(2s)', 'latest(2000ms)'],
	['latest(0)', 'latest(0ms)'],
])('%s is written out as %s', (given, written) => {
	const { policy } = sampleCustomer(samplePolicyWith('resolve: review', `resolve: ${given}`));
	expect(policy.document).toMatchObject({ entities: { customer: { fields: { phone: { resolve: written } } } } });
	expect(policyOf(policy.document).document).toEqual(policy.document);
});

test('names that need quotes survive the normal form', () => {
	const text = samplePolicyWith('public.accounts', `'"My.Schema"."odd ""table"""'`);
	const { policy } = sampleCustomer(text);
	expect(policyOf(policy.document).document).toEqual(policy.document);
	expect(policy.document).toMatchObject({
		entities: { customer: { billing: { table: '"My.Schema"."odd ""table"""' } } },
	});
});
