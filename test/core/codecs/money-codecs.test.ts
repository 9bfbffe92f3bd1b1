import { CURRENCIES } from '../../../src/core/codecs/currency-table';
import { currency, currencyDigits, money } from '../../../src/core/codecs/money-codecs';

const ok = (value: string) => ({ ok: true, value });
const euro = money('EUR');

test('a currency is its code in capitals, whatever was typed', () => {
	expect([' eur ', 'EUR', 'Eur'].map(currency.toCanon)).toEqual(Array(3).fill(ok('EUR')));
});

test.each(['', '€', 'EURO', 'ABC', 'eu r', 978, null])('%j is no currency', (value) => {
	expect(currency.toCanon(value)).toEqual({
		ok: false,
		reason: 'is not a currency code of ISO 4217',
	});
});

test('amounts have the digits of their currency', () => {
	expect(['EUR', 'JPY', 'KWD', 'CLF'].map(currencyDigits)).toEqual([2, 0, 3, 4]);
	expect(['XAU', 'ABC'].map(currencyDigits)).toEqual([undefined, undefined]);
	for (const code of CURRENCIES.keys()) expect(code).toMatch(/^[A-Z]{3}$/);
});

test('an amount with its currency is the amount alone', () => {
	for (const text of ['12.5 EUR', 'EUR 12.50', '12.50eur', '12.5', 'EUR12.5']) {
		expect(euro?.toCanon(text)).toEqual(ok('12.50'));
	}
	expect(euro?.toCanon(12.5)).toEqual(ok('12.50'));
	expect(euro?.toRaw('12.50')).toEqual(ok('12.50 EUR'));
	expect(euro?.toCanon('-0.05 EUR')).toEqual(ok('-0.05'));
});

test.each([
	['12.50 USD', 'is in another currency than EUR'],
	['EUR 12.50 EUR', 'is not an amount of money'],
	['1,250.00 EUR', 'is not an amount of money'],
	['€12', 'is not an amount of money'],
	['1.2.3 EUR', 'is not a decimal number'],
	['12.505 EUR', 'has more digits after the point than EUR'],
	['EUR', 'is not an amount of money'],
])('%j %s', (text, reason) => {
	expect(euro?.toCanon(text)).toEqual({ ok: false, reason });
});
