import fc from 'fast-check';
import type { Json } from '../../src/core/canonical-json';
import { likeness, likenessOf, type Likeness } from '../../src/core/likeness';
import { emptyLink, EXISTENCE, type LinkState } from '../../src/core/link';
import { simulatedEntity, simulatedPolicy } from '../support/simulated-policy';

const entity = simulatedEntity(
	simulatedPolicy(['crm', 'billing'], { name: { owner: 'crm' }, city: { owner: 'crm' } }, 'review', {
		similar: { fields: ['name', 'city'], above: 0.85 },
	}),
);

/** A record that only crm has. */
function lone(name: Json, city: Json = null): LinkState {
	const view = (canon: Json) => ({ merged: null, views: { crm: { raw: canon, canon, vector: { crm: 1 } } }, frozen: null });
	return { ...emptyLink('l1', entity.name, 1), fields: { [EXISTENCE]: view(true), name: view(name), city: view(city) } };
}

function of(name: Json, city: Json = null): Likeness {
	const found = likenessOf(lone(name, city), entity);
	if (found === null) throw new Error('nothing to go by');
	return found;
}

const percent = (a: Likeness, b: Likeness): number => Math.round(likeness(a.values, b.values) * 100);
const meet = (a: Likeness, b: Likeness): boolean => a.blocks.some((block) => b.blocks.includes(block));

test.each([
	['Acme Inc', 'ACME Incorporated', 91],
	['Müller & Söhne', 'Muller Sohne', 100],
	['John Smith', 'Smith, John', 100],
	['Zeta GmbH', 'Zetta GmbH', 98],
	['Meier', 'Meyer', 89],
	['Tom', 'Ann', 0],
])('%s and %s resemble each other by %d %, and find each other where that is much', (a, b, expected) => {
	expect(percent(of(a), of(b))).toBe(expected);
	expect(meet(of(a), of(b))).toBe(expected > 85);
});

test('of several fields the mean counts, of those that both have', () => {
	expect(percent(of('Acme', 'Ulm'), of('Acme', 'Ulm'))).toBe(100);
	expect(percent(of('Acme', 'Ulm'), of('Acme', 'Bonn'))).toBe(50);
	expect(percent(of('Acme', 'Ulm'), of('Acme'))).toBe(100);
});

test.each<[string, LinkState]>([
	['no text', lone(null, 'Ulm')],
	['nothing but punctuation', lone(' -/- ')],
	['a list', lone(['Acme'])],
])('a record with %s in the first field resembles nothing', (_, state) => {
	expect(likenessOf(state, entity)).toBeNull();
});

test('a record that all systems have, or none any more, resembles nothing', () => {
	const state = lone('Acme');
	const existence = state.fields[EXISTENCE];
	const view = { raw: true, canon: true, vector: { billing: 1 } };
	const complete = { merged: null, frozen: null, views: { ...existence?.views, billing: view } };
	const gone = { merged: { canon: false, vector: {}, from: 'crm' }, frozen: null, views: existence?.views ?? {} };
	for (const is of [complete, gone]) {
		expect(likenessOf({ ...state, fields: { ...state.fields, [EXISTENCE]: is } }, entity)).toBeNull();
	}
});

test('likeness is from 0 to 1, the same either way, and whole between texts that differ in case and punctuation only', () => {
	const text = fc.string({ minLength: 1, maxLength: 30, unit: 'grapheme' });
	fc.assert(
		fc.property(text, text, (a, b) => {
			const [one, other] = [likenessOf(lone(a), entity), likenessOf(lone(b), entity)];
			fc.pre(one !== null && other !== null);
			const score = likeness(one?.values ?? [], other?.values ?? []);
			expect(score).toBe(likeness(other?.values ?? [], one?.values ?? []));
			expect(score).toBeGreaterThanOrEqual(0);
			expect(score).toBeLessThanOrEqual(1);
			const [spelled, same] = [of(` ${a}!`), of(a)];
			expect([percent(spelled, same), spelled.blocks]).toEqual([100, same.blocks]);
		}),
	);
});
