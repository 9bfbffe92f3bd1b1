import fc from 'fast-check';
import { payloadOfRow, propertiesOf, rowOfPayload } from '../../src/core/payload';
import { sampleCustomer, samplePolicyWith } from '../support/sample-policy';

const PROPERTIES = ['id', 'name', 'address.city', 'a.b.c'];

test('nested properties are read by their paths, and what is not there stays away', () => {
	const payload = { id: 7, name: null, address: { city: 'Oslo', zip: '1' }, more: true };
	expect(rowOfPayload(payload, PROPERTIES)).toEqual({ id: 7, name: null, 'address.city': 'Oslo' });
});

test('a property with a dot in its name goes before the path', () => {
	expect(rowOfPayload({ 'address.city': 'Rome', address: { city: 'Oslo' } }, PROPERTIES)).toEqual({ 'address.city': 'Rome' });
});

test('an object that is null empties all that it would hold; one that was not sent empties nothing', () => {
	expect(rowOfPayload({ address: null, a: { b: null } }, PROPERTIES)).toEqual({ 'address.city': null, 'a.b.c': null });
	expect(rowOfPayload({ address: {}, a: { b: {} } }, PROPERTIES)).toEqual({});
});

test('nothing is known of what is inside of a list or of a text', () => {
	expect(rowOfPayload({ address: 'Oslo', a: [{ b: { c: 1 } }] }, PROPERTIES)).toEqual({});
});

test('names that every object has are properties only where they were sent', () => {
	expect(rowOfPayload({}, ['constructor', 'toString.name'])).toEqual({});
	expect(Object.keys(payloadOfRow({ ['__proto__']: 1, 'x.__proto__.y': 2 }))).toEqual(['__proto__', 'x']);
});

test('what is written is read back', () => {
	const name = fc.constantFrom('id', 'name', 'address.city', 'address.zip', 'a.b.c', 'a.b.d');
	const row = fc.dictionary(name, fc.constantFrom(null, '', 'x', 1, true), { noNullPrototype: true });
	fc.assert(
		fc.property(row, (given) => {
			expect(rowOfPayload(payloadOfRow(given), ['id', 'name', 'address.city', 'address.zip', 'a.b.c', 'a.b.d'])).toEqual(given);
		}),
	);
});

test('the properties of a system are its key, its fields, and what says which records count', () => {
	const text = samplePolicyWith('crm: { table: public.customers, key: [id] }', 'crm: { api: conditional, key: [id], where: { tenant: 7 } }');
	const { customer } = sampleCustomer(text);
	expect(propertiesOf(customer, 'crm')).toEqual(expect.arrayContaining(['id', 'email', 'tenant']));
});
