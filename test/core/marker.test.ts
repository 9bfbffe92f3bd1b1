import fc from 'fast-check';
import {
	formatMarker,
	isGenuine,
	isOutcome,
	markerPrefix,
	OUTCOMES,
	parseMarker,
	type Marker,
} from '../../src/core/marker';

const MAC_KEY = 'the secret of the store';
const WRITE: Omit<Marker, 'mac'> = {
	op: 'a1b2:billing:7',
	link: 'a1b2',
	system: 'billing',
	entity: 'customer',
	outcome: 'applied',
	key: { account_no: '501' },
};

function read(marker: Omit<Marker, 'mac'>): Marker {
	const parsed = parseMarker(formatMarker(marker, MAC_KEY));
	if (parsed === null) throw new Error('the marker does not parse');
	return parsed;
}

test('what was formatted is read back, and is genuine', () => {
	expect(read(WRITE)).toEqual({ ...WRITE, mac: expect.any(String) as string });
	expect(isGenuine(read(WRITE), MAC_KEY)).toBe(true);
});

test('any names and outcome survive the way through the log', () => {
	const text = fc.string({ unit: 'grapheme' });
	const names = { op: text, link: text, system: text, entity: text, error: text };
	const key = fc.option(fc.dictionary(text, text, { maxKeys: 2, noNullPrototype: true }));
	const any = fc.record({ ...names, key, outcome: fc.constantFrom(...OUTCOMES) });
	fc.assert(
		fc.property(any, (marker) => {
			const { mac, ...rest } = read(marker);
			expect(rest).toEqual(marker);
			expect(isGenuine({ ...rest, mac }, MAC_KEY)).toBe(true);
		}),
	);
});

test('a key keeps a column of any name: without it, it would be the key of another row', () => {
	const key = JSON.parse('{"__proto__":"7","id":"1"}') as Record<string, string>;
	expect(Object.entries(read({ ...WRITE, key }).key ?? {}).sort()).toEqual(Object.entries(key).sort());
});

test.each(['op', 'link', 'system', 'entity'] as const)(
	'a marker whose %s was exchanged is forged',
	(part) => {
		expect(isGenuine({ ...read(WRITE), [part]: 'another' }, MAC_KEY)).toBe(false);
	},
);

test('a marker that claims another outcome is forged', () => {
	for (const outcome of OUTCOMES) {
		expect(isGenuine({ ...read(WRITE), outcome }, MAC_KEY)).toBe(outcome === 'applied');
	}
});

test('a marker made with another store’s secret is forged, whatever the length of its MAC', () => {
	expect(isGenuine(read(WRITE), 'another secret')).toBe(false);
	expect(isGenuine({ ...read(WRITE), mac: '' }, MAC_KEY)).toBe(false);
	expect(isGenuine({ ...read(WRITE), mac: 'é'.repeat(22) }, MAC_KEY)).toBe(false);
});

test('names that run together do not give the same MAC', () => {
	const shifted = { ...WRITE, op: 'a1b2:billing:', link: '7a1b2' };
	expect(read(shifted).mac).not.toBe(read(WRITE).mac);
});

test('the key is outside the MAC: of a new row only the database knows it', () => {
	expect(read({ ...WRITE, key: null }).mac).toBe(read(WRITE).mac);
});

test.each([
	'',
	'hello',
	'null',
	'[]',
	'{"op":"a1b2:billing:7"}',
	formatMarker(WRITE, MAC_KEY).replace('"v":1', '"v":2'),
	formatMarker(WRITE, MAC_KEY).replace('applied', 'perhaps'),
])('a message that says %s is not one of ours', (content) => {
	expect(parseMarker(content)).toBeNull();
});

test('reading any message neither throws nor takes it for ours', () => {
	fc.assert(
		fc.property(fc.oneof(fc.string(), fc.json()), (content) =>
			expect(parseMarker(content)).toBeNull(),
		),
	);
});

test('two stores and two policies that share a database do not read each other’s messages', () => {
	const prefixes = [
		markerPrefix('store-1', 'crm-billing'),
		markerPrefix('store-2', 'crm-billing'),
		markerPrefix('store-1', 'crm-shop'),
	];
	expect(new Set(prefixes).size).toBe(3);
});

test('only the five outcomes are outcomes', () => {
	expect(OUTCOMES.every(isOutcome)).toBe(true);
	expect(['done', '', null, 1].some(isOutcome)).toBe(false);
});
