import fc from 'fast-check';

import { formKey, openFormKey } from '../../src/console/form-key';

const GRANT = { person: 'anna', review: 'l.1', token: 't1', nonce: 'n'.repeat(24), untilMs: 10_000 };
const AT = { secret: 'secret', nowMs: 9_000 };

test('a key opens for what it was made for', () => {
	expect(openFormKey(formKey(GRANT, 'secret'), GRANT, AT)).toBe(GRANT.nonce);
});

test.each([
	['another person', { person: 'bob' }, AT],
	['another item', { review: 'l.2' }, AT],
	['another version of the item', { token: 't2' }, AT],
	['another store', {}, { ...AT, secret: 'other' }],
	['too late', {}, { ...AT, nowMs: 10_001 }],
])('not for %s', (_, changed, at) => {
	expect(openFormKey(formKey(GRANT, 'secret'), { ...GRANT, ...changed }, at)).toBeNull();
});

test('a longer life cannot be written into a key', () => {
	expect(openFormKey(formKey(GRANT, 'secret').replace('10000.', '99999.'), GRANT, AT)).toBeNull();
});

test('texts that are joined differently are different grants', () => {
	expect(openFormKey(formKey({ ...GRANT, person: 'a', review: 'bc' }, 'secret'), { ...GRANT, person: 'ab', review: 'c' }, AT)).toBeNull();
});

test('nonsense opens nothing', () => {
	fc.assert(fc.property(fc.string(), (key) => expect(openFormKey(key, GRANT, AT)).toBeNull()));
});
