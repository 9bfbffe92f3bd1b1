import type { JournalEntry, StoredJournalEntry } from '../../src/core/journal';
import { tellHistory } from '../../src/core/tell-history';
import type { Part } from '../../src/core/told';
import { sampleCustomer, samplePolicyWith } from '../support/sample-policy';

const { customer } = sampleCustomer(samplePolicyWith('sensitive: [email, phone]', 'sensitive: [phone]'));

const stored = (entries: readonly JournalEntry[]): StoredJournalEntry[] => entries.map((entry, at) => ({ seq: String(at + 1), link: 'l', revision: at + 1, atMs: 1_000 * (at + 1), entry }));

function text(parts: readonly Part[]): string {
	return parts.map((part) => (typeof part === 'string' ? part : 'value' in part ? `«${JSON.stringify(part.value)}»` : 'atMs' in part ? `@${part.atMs}` : String(Object.values(part)[0]))).join('');
}

const told = (...entries: JournalEntry[]): string[] => tellHistory(stored(entries), customer).map(({ parts }) => text(parts));

/** A row of the CRM or of billing as it came. */
function observed(system: string, columns: Record<string, string>, more: object = {}): JournalEntry {
	const change = { system, entity: 'customer', position: '', firstPosition: '', tsMs: 0, key: {}, previousKey: null, exists: true, columns, unchanged: [], marker: null, forged: false, snapshot: false, ...more };
	return { kind: 'observed', policyHash: '', change };
}

test('a change is told with what was there before, in the words of the policy', () => {
	expect(told(observed('crm', { email: 'a@x', note: 'n' }), observed('crm', { email: 'b@x', note: 'n' }))).toEqual(['crm has it: email is «"a@x"»; note is «"n"»', 'crm changed email from «"a@x"» to «"b@x"»']);
});

test('a row that says what was known already is not told', () => {
	expect(told(observed('crm', { email: 'a@x' }), observed('crm', { email: 'a@x' })).slice(1)).toEqual([]);
});

test('values of sensitive fields are masked wherever they are told', () => {
	const lines = told(
		observed('crm', { phone: '+1 111' }),
		observed('crm', { phone: '+1 222' }),
		{ kind: 'conflict', field: 'phone', system: 'crm', detail: { rule: 'review', kept: 'billing', view: '+1 222', merged: '+1 333', from: 'billing' } },
		{ kind: 'residual', field: 'phone', system: 'crm', detail: { wrote: '+1 444', found: '+1 555' } },
		{ kind: 'resolved', policyHash: '', resolution: { review: 'l.1', token: '', by: 'anna', choice: { kind: 'values', values: { phone: '+1 666' } } } },
	);
	expect(lines).toHaveLength(5);
	expect(lines.join(' ')).not.toMatch(/\+1/);
});

test('a conflict says who had not seen whose change of when, by which rule, and what was kept', () => {
	const lines = told(observed('billing', { contact_email: 'new@x' }), { kind: 'conflict', field: 'email', system: 'crm', detail: { rule: 'prefer(billing)', kept: 'billing', view: 'old@x', merged: 'new@x', from: 'billing' } });
	expect(lines[1]).toBe('crm sent «"old@x"» for email without having seen the change of billing at @1000; rule prefer(billing); kept «"new@x"»');
});

test('where the one who sent it wins, their value is what was kept', () => {
	const detail = { rule: 'prefer(crm)', kept: 'crm', view: 'old@x', merged: 'new@x', from: 'human' };
	expect(told({ kind: 'conflict', field: 'email', system: 'crm', detail })).toEqual(['crm sent «"old@x"» for email without having seen what a person had decided; rule prefer(crm); kept «"old@x"»']);
});

test('writes, their outcomes and deletes are told', () => {
	expect(
		told(
			{ kind: 'op', system: 'billing', detail: { op: 'l:billing:1', kind: 'update', fields: ['email', 'note'] } },
			{ kind: 'outcome', system: 'billing', detail: { op: 'l:billing:1', outcome: 'stale' } },
			observed('crm', {}, { exists: false }),
		),
	).toEqual(['Sent a write (update) to billing: email, note', 'billing had another value by then, so our write changed nothing; it is decided again', 'crm deleted the record']);
});

test('people are told by name', () => {
	expect(
		told(
			{ kind: 'resolved', policyHash: '', resolution: { review: 'l.1', token: '', by: 'anna', choice: { kind: 'apply', system: 'crm' } } },
			{ kind: 'held', policyHash: '', hold: { action: 'freeze', by: 'bob', fields: ['email'], reason: 'audit' } as never },
		),
	).toEqual(['anna decided that the value of crm holds everywhere', 'bob froze email: audit']);
});
