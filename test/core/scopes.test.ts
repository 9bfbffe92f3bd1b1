import { parsePolicy } from '../../src/core/parse-policy';
import { NO_SCOPES,
	newScopes,
	parseScope,
	readHash,
	scopesIn,
	scopeText,
	stillRead,
	unreadScopes,
} from '../../src/core/scopes';
import { SAMPLE_POLICY, samplePolicyWith } from '../support/sample-policy';

const SAMPLE = parsePolicy(SAMPLE_POLICY);
const changed = (before: string, after: string) => parsePolicy(samplePolicyWith(before, after));
const NOTE = '      note: ';
const noteLine = SAMPLE_POLICY.split('\n').find((line) => line.startsWith(NOTE)) ?? '';
const WITHOUT_NOTE = parsePolicy(SAMPLE_POLICY.replace(`${noteLine}\n`, ''));

test('a scope is written as a text and read back', () => {
	const scope = { entity: 'order-line', field: '∃', system: 'crm' };
	expect(parseScope(scopeText(scope))).toEqual(scope);
});

test('everything is new in the first version, the records themselves included', () => {
	const scopes = newScopes(null, SAMPLE);
	expect(scopes).toContain('customer.∃.crm');
	expect(scopes).toContain('customer.name.billing');
	expect(newScopes(SAMPLE, SAMPLE)).toEqual([]);
});

test('a new field is new in each system that carries it', () => {
	expect(newScopes(WITHOUT_NOTE, SAMPLE)).toEqual(['customer.note.billing', 'customer.note.crm']);
	expect(newScopes(SAMPLE, WITHOUT_NOTE)).toEqual([]);
	expect(scopesIn(WITHOUT_NOTE, ['customer.note.crm', 'customer.name.crm'])).toEqual([
		'customer.name.crm',
	]);
});

test('another column or codec is new in its system, another owner or strategy is not', () => {
	expect(newScopes(SAMPLE, changed('crm: note', 'crm: remark'))).toEqual(['customer.note.crm']);
	expect(newScopes(SAMPLE, changed('owner: crm, codec: trim', 'owner: crm, codec: lower'))).toEqual(
		['customer.name.billing', 'customer.name.crm'],
	);
	expect(newScopes(SAMPLE, changed('resolve: prefer(crm)', 'resolve: prefer(billing)'))).toEqual(
		[],
	);
	expect(
		newScopes(SAMPLE, changed('owner: crm, codec: trim', 'owner: billing, codec: trim')),
	).toEqual([]);
});

test('another table or key is new with all its fields', () => {
	const scopes = newScopes(SAMPLE, changed('key: [account_no]', 'key: [external_id]'));
	expect(scopes).toContain('customer.∃.billing');
	expect(scopes).toContain('customer.name.billing');
	expect(scopes.some((scope) => scope.endsWith('.crm'))).toBe(false);
});

test('what a stream has read is told by its hash, per system, and what is missing by name', () => {
	const hash = readHash(WITHOUT_NOTE, 'crm');
	expect(unreadScopes(WITHOUT_NOTE, 'crm', hash)).toEqual([]);
	expect(unreadScopes(SAMPLE, 'crm', hash)).toMatchObject([
		{ entity: 'customer', field: 'note', system: 'crm' },
	]);
	expect(unreadScopes(SAMPLE, 'crm', '')).toHaveLength(readHash(SAMPLE, 'crm').split('.').length);
	expect(hash).not.toContain('note');
});

test('what leaves the policy is no longer read, so that it is unread when it comes back', () => {
	const hash = stillRead(WITHOUT_NOTE, 'crm', { hash: readHash(SAMPLE, 'crm'), without: NO_SCOPES });
	expect(hash).toBe(readHash(WITHOUT_NOTE, 'crm'));
	expect(unreadScopes(SAMPLE, 'crm', hash)).toHaveLength(1);
});

test('what cannot be read, for its column is gone, is unread', () => {
	const without = new Set(['customer.note.crm']);
	const hash = readHash(SAMPLE, 'crm', without);
	expect(hash).toBe(readHash(WITHOUT_NOTE, 'crm'));
	expect(stillRead(SAMPLE, 'crm', { hash: readHash(SAMPLE, 'crm'), without })).toBe(hash);
	expect(unreadScopes(SAMPLE, 'crm', hash)).toMatchObject([{ entity: 'customer', field: 'note', system: 'crm' }]);
});
