import fc from 'fast-check';
import { canonicalJson, type Json } from '../../src/core/canonical-json';
import { concurrentFields, decide, isDue } from '../../src/core/decide';
import { emptyLink, EXISTENCE, type LinkState } from '../../src/core/link';
import { compare } from '../../src/core/version-vector';
import { LinkStory, opTo } from '../support/link-story';
import { simulatedPolicy, type FieldRules } from '../support/simulated-policy';
import { anyScript, tell } from '../support/story-acts';

const PREFER_CRM = { owner: 'shared', resolve: 'prefer(crm)' };
const REVIEW = { owner: 'shared', resolve: 'review' };

/** A record that crm and billing (and shop, if asked for) hold with note x and phone 555. */
function synced(
	note: FieldRules[string],
	phone: FieldRules[string] = REVIEW,
	third: string[] = [],
): LinkStory {
	const policy = simulatedPolicy(['crm', 'billing', ...third], { note, phone });
	return LinkStory.linked(policy, { note: 'x', phone: '555' });
}

function notes(story: LinkStory): unknown[] {
	return Object.values(story.rows).map(({ note }) => note);
}

describe('one side changed', () => {
	test('a newer value goes to the other system, with one write', () => {
		const story = synced(PREFER_CRM);
		story.edit('billing', { note: 'b' });
		expect(story.pump()).toMatchObject([
			{ system: 'crm', fields: { note: { expected: 'x', next: 'b' } } },
		]);
		expect(notes(story)).toEqual(['b', 'b']);
	});

	test('a newer value wins over the preferred system’s older one: preference is for concurrent ones only', () => {
		const story = synced(PREFER_CRM);
		story.edit('crm', { note: 'a' });
		story.pump();
		story.edit('billing', { note: 'b' });
		story.pump();
		expect(notes(story)).toEqual(['b', 'b']);
		expect(story.lastEntry('conflict')).toBeUndefined();
	});

	test('two edits of different fields are no conflict', () => {
		const story = synced(REVIEW, REVIEW);
		story.edit('crm', { note: 'a' });
		story.edit('billing', { phone: '777' });
		const ops = story.pump();
		expect(ops.map(({ system, fields }) => [system, Object.keys(fields)])).toEqual([
			['crm', ['phone']],
			['billing', ['note']],
		]);
		expect(story.reviews).toEqual([]);
		expect(story.rows).toMatchObject({
			crm: { note: 'a', phone: '777' },
			billing: { note: 'a', phone: '777' },
		});
	});

	test('nothing is written once all are equal', () => {
		const story = synced(PREFER_CRM);
		expect(story.decide()).toEqual([]);
		expect(isDue(story.state, story.policy, 'live')).toBe(false);
	});
});

describe('both sides changed', () => {
	test('the preferred system’s value stands, and the other one is named in the journal', () => {
		const story = synced(PREFER_CRM);
		story.edit('crm', { note: 'a' });
		story.edit('billing', { note: 'b' });
		expect(concurrentFields(story.state)).toEqual(['note']);
		expect(story.pump()).toMatchObject([
			{ system: 'billing', fields: { note: { expected: 'b', next: 'a' } } },
		]);
		expect(notes(story)).toEqual(['a', 'a']);
		expect(story.lastEntry('conflict')).toMatchObject({
			field: 'note',
			detail: { rule: 'prefer(crm)', kept: 'crm', view: 'b', merged: 'a' },
		});
	});

	test.each(['crm', 'billing', 'shop'])(
		'with three systems %s is preferred, whoever is heard first',
		(best) => {
			const rules = { owner: 'shared', resolve: `prefer(${best})` };
			const systems = ['crm', 'billing', 'shop'];
			for (const order of [systems, [...systems].reverse()]) {
				const story = synced(rules, REVIEW, ['shop']);
				for (const system of order) story.edit(system, { note: `by ${system}` });
				story.pump();
				expect(notes(story)).toEqual([`by ${best}`, `by ${best}`, `by ${best}`]);
			}
		},
	);

	test('to the same value is agreement: the vectors join, nothing is written', () => {
		const story = synced(REVIEW);
		story.edit('crm', { note: 'same' });
		story.edit('billing', { note: 'same' });
		expect(concurrentFields(story.state)).toEqual([]);
		expect(story.pump()).toEqual([]);
		expect(story.reviews).toEqual([]);
		const [crm, billing] = [story.view('note', 'crm'), story.view('note', 'billing')];
		expect(compare(crm?.vector ?? {}, billing?.vector ?? {})).toBe('equal');
	});

	test('under "review" a person decides; until then that field is still and the others flow', () => {
		const story = synced(REVIEW, PREFER_CRM);
		story.edit('crm', { note: 'a', phone: '777' });
		story.edit('billing', { note: 'b' });
		expect(Object.keys(opTo(story.pump(), 'billing').fields)).toEqual(['phone']);
		expect(story.onlyReview()).toMatchObject({ kind: 'conflict', fields: ['note'] });
		expect(story.rows).toMatchObject({ crm: { note: 'a' }, billing: { note: 'b' } });
	});

	test('once a person is asked, nothing more is decided about the field', () => {
		const story = synced(REVIEW, REVIEW, ['shop']);
		story.edit('crm', { note: 'a' });
		story.edit('billing', { note: 'b' });
		story.edit('shop', { note: 'a' });
		const before = story.view('note', 'shop');
		expect(story.decide()).toEqual([]);
		expect(story.onlyReview().fields).toEqual(['note']);
		expect(story.view('note', 'shop')).toEqual(before);
	});

	test('a conflict whose sides became equal needs no person any more', () => {
		const story = synced(REVIEW);
		story.edit('crm', { note: 'a' });
		story.edit('billing', { note: 'b' });
		story.pump();
		story.edit('billing', { note: 'a' });
		expect(story.pump()).toEqual([]);
		expect(story.reviews).toEqual([]);
	});
});

describe('a field with an owner', () => {
	test('a stranger’s edit is reverted, and the journal says so', () => {
		const story = synced({ owner: 'crm' });
		story.edit('billing', { note: 'hack' });
		expect(story.pump()).toMatchObject([
			{ system: 'billing', fields: { note: { expected: 'hack', next: 'x' } } },
		]);
		expect(story.lastEntry('revert')).toMatchObject({ field: 'note', system: 'billing' });
		expect(notes(story)).toEqual(['x', 'x']);
	});

	test('the owner’s edit wins over a stranger’s of the same time', () => {
		const story = synced({ owner: 'billing' });
		story.edit('crm', { note: 'a' });
		story.edit('billing', { note: 'b' });
		story.pump();
		expect(notes(story)).toEqual(['b', 'b']);
	});

	test('with "ignore" the stranger’s value stays where it is, until the owner has a new one', () => {
		const story = synced({ owner: 'crm', onForeignEdit: 'ignore' });
		story.edit('billing', { note: 'their own' });
		expect(story.pump()).toEqual([]);
		expect(story.view('note', 'billing')).toMatchObject({ accepted: true });
		expect(story.lastEntry('ignored')).toMatchObject({ field: 'note', system: 'billing' });
		story.edit('crm', { note: 'a' });
		story.pump();
		expect(notes(story)).toEqual(['a', 'a']);
	});

	test('with "review" a person sees the stranger’s edit', () => {
		const story = synced({ owner: 'crm', onForeignEdit: 'review' });
		story.edit('billing', { note: 'b' });
		expect(story.pump()).toEqual([]);
		expect(story.onlyReview()).toMatchObject({
			fields: ['note'],
			reason: 'billing changed note, which crm owns',
		});
	});

	test('whose value a target’s trigger rewrites takes one write and one review', () => {
		const story = synced({ owner: 'crm' });
		story.edit('crm', { note: 'ann' });
		const op = opTo(story.decide(), 'billing');
		story.apply(op, (row) => ({ ...row, note: 'ANN' }));
		expect(story.pump()).toEqual([]);
		expect(story.onlyReview()).toMatchObject({ fields: ['note'] });
		expect(story.decide()).toEqual([]);
	});
});

test('a trigger that rewrites a shared field’s value has the last word, and there is no echo of it', () => {
	const story = synced(PREFER_CRM);
	story.edit('crm', { note: 'ann' });
	story.apply(opTo(story.decide(), 'billing'), (row) => ({ ...row, note: 'ANN' }));
	expect(story.pump()).toMatchObject([{ system: 'crm', fields: { note: { next: 'ANN' } } }]);
	expect(notes(story)).toEqual(['ANN', 'ANN']);
});

test('two triggers that answer each other are stopped, and a person is told', () => {
	const story = synced(PREFER_CRM);
	story.edit('crm', { note: '0' });
	for (let turn = 1, ops = story.decide(); ops.length > 0; ops = story.decide(), turn += 1) {
		if (turn > 10) throw new Error('they go on for ever');
		for (const op of ops) story.apply(op, (row) => ({ ...row, note: String(turn) }));
	}
	expect(story.onlyReview().reason).toContain('are fighting');
});

describe('an operation in flight', () => {
	test('is handed out again, and nothing else for that system', () => {
		const story = synced(PREFER_CRM);
		story.edit('crm', { note: 'a' });
		const [op] = story.decide();
		story.edit('crm', { note: 'a2', phone: '777' });
		expect(story.decide()).toEqual([op]);
		story.apply(opTo(story.decide(), 'billing'));
		expect(opTo(story.decide(), 'billing')).toMatchObject({
			fields: { note: { next: 'a2' }, phone: { next: '777' } },
		});
	});

	test('keeps its system’s view where it is, even if that shows the merged value again', () => {
		const story = synced(PREFER_CRM);
		story.edit('crm', { note: 'a' });
		const op = opTo(story.decide(), 'billing');
		story.edit('crm', { note: 'x' });
		story.decide();
		expect(story.view('note', 'billing')).toMatchObject({ canon: 'x', vector: { crm: 1 } });
		story.apply(op);
		story.pump();
		expect(notes(story)).toEqual(['x', 'x']);
	});

	test('keeps no other system waiting', () => {
		const story = synced(PREFER_CRM, REVIEW, ['shop']);
		story.edit('crm', { note: 'a' });
		const toShop = opTo(story.decide(), 'shop');
		story.apply(toShop);
		story.edit('crm', { note: 'a2' });
		const ops = story.decide();
		expect(opTo(ops, 'billing').fields['note']).toMatchObject({ next: 'a' });
		expect(opTo(ops, 'shop').fields['note']).toMatchObject({ next: 'a2' });
	});

	test('keeps its link due', () => {
		const story = synced(PREFER_CRM);
		story.edit('crm', { note: 'a' });
		story.decide();
		expect(decide(story.state, story.policy, 'live').changed).toBe(false);
		expect(isDue(story.state, story.policy, 'live')).toBe(true);
	});
});

describe('a delete', () => {
	test('that has seen everything goes to the other side, and asks nobody', () => {
		const story = synced(PREFER_CRM);
		story.delete('crm');
		expect(story.pump()).toMatchObject([{ system: 'billing', kind: 'delete' }]);
		expect(story.reviews).toEqual([]);
		expect(story.rows).toEqual({});
		expect(isDue(story.state, story.policy, 'live')).toBe(false);
	});

	test('that has not seen an edit is one review, and nothing is written', () => {
		const story = synced(PREFER_CRM);
		story.edit('billing', { note: 'b' });
		story.delete('crm');
		expect(story.pump()).toEqual([]);
		expect(story.onlyReview()).toMatchObject({ kind: 'conflict', fields: [EXISTENCE] });
		expect(story.rows).toHaveProperty('billing');
	});

	test('of all sides needs nobody', () => {
		const story = synced(PREFER_CRM);
		story.delete('crm');
		story.delete('billing');
		expect(story.pump()).toEqual([]);
		expect(story.reviews).toEqual([]);
	});
});

describe('first contact of two populated systems', () => {
	function meeting(rules: FieldRules[string]): LinkStory {
		const story = new LinkStory(simulatedPolicy(['crm', 'billing'], { note: rules }));
		story.insert('billing', { ref: 'r1', note: 'in billing' });
		story.insert('crm', { ref: 'r1', note: 'in crm' });
		return story;
	}

	test.each([
		['the owner’s value', { owner: 'billing' }, 'in billing'],
		['the preferred system’s value', PREFER_CRM, 'in crm'],
	])('writes %s over the other one', (_, rules, expected) => {
		const story = meeting(rules);
		expect(story.pump()).toHaveLength(1);
		expect(notes(story)).toEqual([expected, expected]);
	});

	test('asks about a shared field that a person decides', () => {
		const story = meeting(REVIEW);
		expect(story.pump()).toEqual([]);
		expect(story.onlyReview()).toMatchObject({ kind: 'conflict', fields: ['note'] });
	});

	test('is neither decided nor written before it is approved', () => {
		const story = meeting(PREFER_CRM);
		expect(story.decide('first-contact')).toEqual([]);
		expect(isDue(story.state, story.policy, 'first-contact')).toBe(true);
		expect(story.state.fields['note']?.merged).toBeNull();
	});
});

test('while stopped, not even an operation in flight is handed out', () => {
	const story = synced(PREFER_CRM);
	story.edit('crm', { note: 'a' });
	story.decide();
	expect(story.decide('stopped')).toEqual([]);
	expect(story.decide()).toHaveLength(1);
});

test('nothing is decided about an entity that the policy does not name', () => {
	const state = emptyLink('link-1', 'invoice', 1);
	const { policy } = synced(PREFER_CRM);
	expect(decide(state, policy, 'live')).toEqual({ state, ops: [], journal: [], waits: [], changed: false });
});

/** The same JSON with the members of every object turned round. */
function turnedRound(json: Json): Json {
	if (Array.isArray(json)) return json.map(turnedRound);
	if (json === null || typeof json !== 'object') return json;
	return Object.fromEntries(
		Object.entries(json)
			.reverse()
			.map(([name, member]) => [name, turnedRound(member)]),
	);
}

const asJson = (state: LinkState) => JSON.parse(JSON.stringify(state)) as Json;

describe('whatever happened before', () => {
	test('deciding twice is deciding once', () => {
		fc.assert(
			fc.property(anyScript, (script) => {
				const story = tell(script);
				const once = decide(story.state, story.policy, 'live');
				const twice = decide(once.state, story.policy, 'live');
				expect(twice).toEqual({ state: once.state, ops: once.ops, journal: [], waits: [], changed: false });
			}),
		);
	});

	test('the order in which a store returns an object’s members decides nothing', () => {
		fc.assert(
			fc.property(anyScript, (script) => {
				const { state, policy } = tell(script);
				const other = turnedRound(asJson(state)) as unknown as LinkState;
				const [one, two] = [decide(state, policy, 'live'), decide(other, policy, 'live')];
				expect(canonicalJson(two.state)).toBe(canonicalJson(one.state));
				expect(two.journal).toEqual(one.journal);
				const byId = (a: { id: string }, b: { id: string }) => (a.id < b.id ? -1 : 1);
				expect([...two.ops].sort(byId)).toEqual([...one.ops].sort(byId));
			}),
		);
	});

	test('the state that was given stays as it was', () => {
		fc.assert(
			fc.property(anyScript, (script) => {
				const { state, policy } = tell(script);
				const before = canonicalJson(state);
				decide(state, policy, 'live');
				expect(canonicalJson(state)).toBe(before);
			}),
		);
	});

	test('a link that is not due has nothing to be decided and nothing to be written', () => {
		fc.assert(
			fc.property(anyScript, (script) => {
				const { state, policy } = tell(script);
				const { ops, changed } = decide(state, policy, 'live');
				expect(isDue(state, policy, 'live')).toBe(changed || ops.length > 0);
			}),
		);
	});

	test('at most one operation is in flight to a system, and never one for a frozen field', () => {
		fc.assert(
			fc.property(anyScript, (script) => {
				const story = tell(script);
				const old = new Set(Object.values(story.state.inFlight).map(({ id }) => id));
				const ops = story.decide();
				expect(new Set(ops.map(({ system }) => system)).size).toBe(ops.length);
				const frozen = story.reviews.flatMap(({ fields }) => fields);
				for (const op of ops.filter(({ id, kind }) => kind === 'update' && !old.has(id))) {
					expect(frozen.filter((name) => Object.hasOwn(op.fields, name))).toEqual([]);
				}
			}),
		);
	});

	test('shadow mode decides the same as live mode, and hands out nothing', () => {
		fc.assert(
			fc.property(anyScript, (script) => {
				const { state, policy } = tell(script);
				const [shadow, real] = [decide(state, policy, 'shadow'), decide(state, policy, 'live')];
				expect(shadow.ops).toEqual([]);
				expect(shadow.state.fields).toEqual(real.state.fields);
				expect(shadow.state.inFlight).toEqual(state.inFlight);
			}),
		);
	});
});
