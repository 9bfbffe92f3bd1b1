import fc from 'fast-check';
import { equalJson } from '../../src/core/canonical-json';
import {
	entityOfTable,
	keyOf,
	rawFor,
	readFields,
	type Row,
} from '../../src/core/mapping';
import { sampleCustomer, samplePolicyWith } from '../support/sample-policy';

const { policy, customer } = sampleCustomer();

const CRM_ROW: Row = {
	id: 42,
	full_name: ' Ann Lee ',
	email: 'Ann@Example.com',
	billing_status: 'Past due',
	phone: null,
	credit: '12.50',
	note: '',
	unmapped: 'x',
};

describe('reading a row', () => {
	test('gives each carried field its raw and its canonical value', () => {
		expect(Object.fromEntries(readFields(customer, 'crm', CRM_ROW))).toEqual({
			ref: { state: 'value', raw: 42, canon: 42 },
			name: { state: 'value', raw: ' Ann Lee ', canon: 'Ann Lee' },
			email: { state: 'value', raw: 'Ann@Example.com', canon: 'ann@example.com' },
			status: { state: 'value', raw: 'Past due', canon: 'Past due' },
			phone: { state: 'value', raw: null, canon: null },
			credit: { state: 'value', raw: '12.50', canon: '12.50' },
			note: { state: 'value', raw: '', canon: '' },
		});
	});

	test('gives the same canonical values for the same record in another system', () => {
		const row = { contact_email: 'ANN@example.com ', status: 'past_due', credit_cents: '1250' };
		const readings = readFields(customer, 'billing', row);
		expect(readings.get('email')).toMatchObject({ canon: 'ann@example.com' });
		expect(readings.get('status')).toMatchObject({ canon: 'Past due' });
		expect(readings.get('credit')).toMatchObject({ canon: '12.50' });
	});

	test('tells absent, unchanged, null and empty apart', () => {
		const row = { email: null, note: '' };
		const readings = readFields(customer, 'crm', row, { unchanged: ['full_name'] });
		expect(readings.get('phone')).toEqual({ state: 'absent' });
		expect(readings.get('name')).toEqual({ state: 'unchanged' });
		expect(readings.get('email')).toEqual({ state: 'value', raw: null, canon: null });
		expect(readings.get('note')).toEqual({ state: 'value', raw: '', canon: '' });
	});

	test('never takes a placeholder for the value of an unchanged column', () => {
		const readings = readFields(customer, 'crm', { note: null }, { unchanged: ['note'] });
		expect(readings.get('note')).toEqual({ state: 'unchanged' });
	});

	test('keeps a value that cannot be read, with a reason that does not repeat it', () => {
		const readings = readFields(customer, 'crm', {
			...CRM_ROW,
			credit: '1.005',
			billing_status: 'Gone',
		});
		expect(readings.get('credit')).toEqual({
			state: 'unreadable',
			raw: '1.005',
			reason: 'has more than 2 digits after the point',
		});
		expect(readings.get('status')).toEqual({
			state: 'unreadable',
			raw: 'Gone',
			reason: 'is not one of Active, Cancelled, Past due',
		});
		expect(readings.get('name')).toMatchObject({ state: 'value' });
	});

	test('reads no column from the prototype of the row', () => {
		const text = samplePolicyWith('crm: full_name', 'crm: constructor');
		const readings = readFields(sampleCustomer(text).customer, 'crm', {});
		expect(readings.get('name')).toEqual({ state: 'absent' });
	});

	test('leaves out fields that the system does not carry', () => {
		const text = samplePolicyWith(
			'{ crm: phone, billing: phone, owner: shared, resolve: review }',
			'{ crm: phone, owner: crm }',
		);
		expect(readFields(sampleCustomer(text).customer, 'billing', {}).has('phone')).toBe(false);
	});
});

describe('the raw value for a column', () => {
	test('says the canonical value in the words of that system', () => {
		expect(rawFor(customer, 'billing', 'credit', '12.50')).toEqual({ ok: true, value: '1250' });
		expect(rawFor(customer, 'crm', 'credit', '12.50')).toEqual({ ok: true, value: '12.50' });
		expect(rawFor(customer, 'billing', 'status', 'Past due')).toEqual({
			ok: true,
			value: 'past_due',
		});
		expect(rawFor(customer, 'billing', 'email', null)).toEqual({ ok: true, value: null });
	});

	test('is refused when it would come back as another value', () => {
		expect(rawFor(customer, 'billing', 'name', ' Ann ')).toEqual({
			ok: false,
			reason: 'would not read back as itself from billing under trim',
		});
		expect(rawFor(customer, 'billing', 'credit', '12.5')).toEqual({
			ok: false,
			reason: 'would not read back as itself from billing under minor-units(2)',
		});
	});

	test('is refused for a value the codec cannot say and for a field without a column', () => {
		expect(rawFor(customer, 'billing', 'status', 'Gone')).toEqual({
			ok: false,
			reason: 'is not one of Active, Cancelled, Past due',
		});
		expect(rawFor(customer, 'erp', 'status', 'Active')).toEqual({
			ok: false,
			reason: 'has no column in erp',
		});
		expect(rawFor(customer, 'crm', 'constructor', 'x')).toEqual({
			ok: false,
			reason: 'has no column in crm',
		});
	});

	test('always reads back as the value it was made of', () => {
		const texts = fc.oneof(fc.string(), fc.constantFrom('Active', '12.50', '0.00', ' a '));
		fc.assert(
			fc.property(fc.constantFrom(...customer.fields.values()), texts, (field, canon) => {
				for (const [system, { column }] of field.columns) {
					const raw = rawFor(customer, system, field.name, canon);
					if (!raw.ok) continue;
					const reading = readFields(customer, system, { [column]: raw.value }).get(field.name);
					expect(reading?.state === 'value' && equalJson(reading.canon, canon)).toBe(true);
				}
			}),
		);
	});
});

describe('the key of a row', () => {
	test('is text, so that 42 and "42" are one key', () => {
		expect(keyOf(customer, 'crm', { id: 42, x: 1 })).toEqual({ id: '42' });
		expect(keyOf(customer, 'crm', { id: '42' })).toEqual({ id: '42' });
	});

	test('has its columns in the order of the policy', () => {
		const { customer: other } = sampleCustomer(samplePolicyWith('key: [id]', 'key: [tenant, id]'));
		expect(Object.keys(keyOf(other, 'crm', { id: 1, tenant: 'b' }))).toEqual(['tenant', 'id']);
	});

	test.each([
		['missing', {}, 'The key column "id" of a customer row of crm is missing'],
		['null', { id: null }, 'The key column "id" of a customer row of crm is null'],
	])('is refused when a part is %s', (_, row: Row, message) => {
		expect(() => keyOf(customer, 'crm', row)).toThrow(
			expect.objectContaining({ code: 'KEY_INCOMPLETE', message }),
		);
	});

	test('does not exist in a system without a table', () => {
		expect(() => keyOf(customer, 'erp', { id: 1 })).toThrow(
			'The entity "customer" has no table in erp',
		);
	});
});

test('a table leads to its entity in its own system only', () => {
	expect(entityOfTable(policy, 'crm', 'public', 'customers')).toBe(customer);
	expect(entityOfTable(policy, 'billing', 'public', 'customers')).toBeUndefined();
	expect(entityOfTable(policy, 'crm', 'other', 'customers')).toBeUndefined();
	expect(entityOfTable(policy, 'erp', 'public', 'customers')).toBeUndefined();
});
