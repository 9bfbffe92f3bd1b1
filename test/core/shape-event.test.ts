import fc from 'fast-check';

import type { Json } from '../../src/core/canonical-json';
import { MASK } from '../../src/core/mask';
import { type MaskKind, shapeEvent, type Shaped } from '../../src/core/shape-event';

const KEY = 'a key of more than 16 characters';

const event: Shaped = {
	key: { id: '7' },
	before: { id: '7', email: 'a@x', note: null, city: 'Bern' },
	after: { id: '7', email: 'b@x', note: { a: 1 }, city: 'Bern' },
	unchanged: ['photo', 'cv'],
	marker: null,
};

const shaped = (columns: readonly string[] | null, masks: Record<string, MaskKind>, of: Shaped = event): Shaped =>
	shapeEvent(of, { columns: columns && new Set(columns), masks: new Map(Object.entries(masks)) }, KEY);

test('columns that are not wanted are left out of both images and of what did not change, the key stays', () => {
	expect(shaped(['city', 'cv'], {})).toEqual({
		key: { id: '7' },
		before: { id: '7', city: 'Bern' },
		after: { id: '7', city: 'Bern' },
		unchanged: ['cv'],
		marker: null,
	});
});

test('a hash is the same for the same value, wherever it stands, and another one with another key', () => {
	const { before, after } = shaped(null, { email: 'hash', city: 'hash', note: 'hash' });
	expect(before?.['city']).toBe(after?.['city']);
	expect(before?.['email']).not.toBe(after?.['email']);
	expect(before?.['email']).toMatch(/^[0-9a-f]{64}$/);
	expect([before?.['note'], after?.['note']]).toEqual([null, expect.stringMatching(/^[0-9a-f]{64}$/)]);
	const other = shapeEvent(event, { columns: null, masks: new Map([['city', 'hash']]) }, `${KEY}!`);
	expect(other.after?.['city']).not.toBe(after?.['city']);
});

test('a dropped column is nowhere, not even among those that did not change', () => {
	const { before, after, unchanged } = shaped(null, { email: 'drop', photo: 'drop', note: 'redact' });
	expect([before, after, unchanged]).toEqual([
		{ id: '7', note: null, city: 'Bern' },
		{ id: '7', note: MASK, city: 'Bern' },
		['cv'],
	]);
});

test("a sync's marker is masked like the row that it names, with the words of the database", () => {
	const marker = { op: 'o', link: 'l', system: 's', entity: 'e', outcome: 'refused', key: { id: '7' }, error: 'Key (id)=(7) is there', mac: 'm' } as const;
	const { marker: masked, key } = shaped(null, { id: 'hash' }, { ...event, marker });
	expect(masked?.key).toEqual(key);
	expect(masked?.error).toBe(MASK);
	expect(JSON.stringify(masked)).not.toContain('7)');
});

const secret = fc.uuid().map((id) => `secret-${id}`);
const value: fc.Arbitrary<(text: string) => Json> = fc.constantFrom<(text: string) => Json>(
	(text) => text,
	(text) => `before ${text} after`,
	(text) => [1, [text]],
	(text) => ({ [text]: { deep: text } }),
);

test('the text of a masked value is nowhere in the event, in whatever column, image, marker or nested value it stood', () => {
	const masks = fc.record({ id: fc.constantFrom<MaskKind>('hash'), a: fc.constantFrom<MaskKind>('hash', 'redact', 'drop') });
	const row = fc.record({ id: secret, a: fc.tuple(secret, value), b: fc.string() });
	fc.assert(
		fc.property(masks, row, row, fc.boolean(), (masked, old, now, hasMarker) => {
			const image = ({ id, a: [text, make], b }: typeof old): Record<string, Json> => ({ id, a: make(text), b });
			const marker = { op: 'o', link: 'l', system: 's', entity: 'e', outcome: 'refused', key: { id: now.id }, error: `no ${now.id}`, mac: 'm' } as const;
			const whole: Shaped = { key: { id: now.id }, before: image(old), after: image(now), unchanged: [], marker: hasMarker ? marker : null };
			const text = JSON.stringify(shaped(null, masked, whole));
			for (const hidden of [old.id, now.id, old.a[0], now.a[0]]) expect(text).not.toContain(hidden);
		}),
	);
});
