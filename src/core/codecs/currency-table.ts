/**
 * The currencies of ISO 4217, by the number of digits that an amount has after the point. Those
 * withdrawn since 2015 are among them, because records outlive currencies. Not taken from Intl:
 * its list and digits change with the version of Node, and deviate from the standard.
 */
const WITHOUT_DIGITS = `
	BIF BYR CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF
`;
const WITH_TWO = `
	AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN
	BZD CAD CDF CHE CHF CHW CNY COP COU CRC CUC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP
	GBP GEL GHS GIP GMD GTQ GYD HKD HNL HRK HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT
	LAK LBP LKR LRD LSL LTL MAD MDL MGA MKD MMK MNT MOP MRO MRU MUR MVR MWK MXN MXV MYR MZN NAD
	NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE
	SLL SOS SRD SSP STD STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED
	VEF VES WST XAD XCD XCG YER ZAR ZMW ZWG ZWL
`;
const WITH_THREE = 'BHD IQD JOD KWD LYD OMR TND';
const WITH_FOUR = 'CLF UYW';
/** Metals, units of account and codes for tests, which have no minor unit. */
const UNITS = 'XAG XAU XBA XBB XBC XBD XDR XPD XPT XSU XTS XUA XXX';

const codes = (list: string): string[] => list.split(/\s+/).filter((code) => code !== '');
const withDigits = (list: string, digits: number | null): [string, number | null][] =>
	codes(list).map((code) => [code, digits]);

/** Code → digits after the point; null where amounts have no fixed number of them. */
export const CURRENCIES: ReadonlyMap<string, number | null> = new Map([
	...withDigits(WITHOUT_DIGITS, 0),
	...withDigits(WITH_TWO, 2),
	...withDigits(WITH_THREE, 3),
	...withDigits(WITH_FOUR, 4),
	...withDigits(UNITS, null),
]);
