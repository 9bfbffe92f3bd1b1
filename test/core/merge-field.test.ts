import type { Json } from '../../src/core/canonical-json';
import { decide } from '../../src/core/decide';
import { LinkStory, opTo } from '../support/link-story';
import { simulatedPolicy, type DeleteRule, type FieldRules } from '../support/simulated-policy';

const TWO = ['crm', 'billing'];
const THREE = ['crm', 'billing', 'shop'];
const PREFER_CRM = { owner: 'shared', resolve: 'prefer(crm)' };

/** All systems hold the record, its note under the rule. */
function linked(rule: FieldRules[string], { systems = TWO, note = 'x', deletes }: { systems?: string[]; note?: Json; deletes?: DeleteRule } = {}): LinkStory {
	return LinkStory.linked(simulatedPolicy(systems, { note: rule, phone: PREFER_CRM }, deletes), { note, phone: '5' });
}

const notes = ({ rows }: LinkStory): Json[] => Object.values(rows).map(({ note = null }) => note);

describe('a value that was seen and replaced', () => {
	/**
	 * Billing holds crm's value, and replaces it while its view cannot be raised; in the meantime
	 * shop's value, which nobody has seen, has lost to crm's.
	 */
	function replaced(rule: FieldRules[string], systems = THREE): LinkStory {
		const story = linked(rule, { systems });
		story.edit('crm', { note: '9' }, 60_000);
		const ops = story.decide();
		story.apply(opTo(ops, 'billing'));
		story.edit('crm', { phone: 'p2' });
		const onItsWay = opTo(story.decide(), 'billing');
		story.edit('shop', { note: '7' }, 10_000);
		story.answer(opTo(ops, 'shop'), 'stale');
		story.decide();
		expect(story.state.fields['note']?.merged?.canon).toBe('9');
		story.edit('billing', { note: '3' }, 20_000);
		story.apply(onItsWay);
		return story;
	}

	test('is no rival of what replaced it, though a third one had lost to it meanwhile', () => {
		const story = replaced(PREFER_CRM);
		const conflicts = story.journal.filter(({ entry }) => entry.kind === 'conflict').length;
		story.pump();
		expect(notes(story)).toEqual(['3', '3', '3']);
		expect(story.journal.filter(({ entry }) => entry.kind === 'conflict')).toHaveLength(conflicts);
	});

	test('is withdrawn: what had lost to it is preferred to who replaced it, if the policy says so', () => {
		const story = replaced(PREFER_CRM, ['crm', 'shop', 'billing']);
		story.pump();
		expect(notes(story)).toEqual(['7', '7', '7']);
		expect(story.lastEntry('conflict')).toMatchObject({ system: 'billing', detail: { rule: 'prefer(crm)', kept: 'shop' } });
	});

	test('is not later than what replaced it, by whatever clock: only that of the third one counts', () => {
		const story = replaced({ owner: 'shared', resolve: 'latest' });
		story.pump();
		expect(notes(story)).toEqual(['3', '3', '3']);
	});

	test('is what a proposal is about, though another stranger’s edit has been reverted meanwhile', () => {
		const story = replaced({ owner: 'crm', onForeignEdit: 'propose' });
		story.decide();
		expect(story.onlyReview()).toMatchObject({ kind: 'approval', reason: 'billing proposes a new value for note, which crm owns' });
	});

	test('stands against who has not seen it', () => {
		const story = replaced(PREFER_CRM);
		story.edit('crm', { note: '10' });
		story.pump();
		expect(notes(story)).toEqual(['10', '10', '10']);
	});

	test('leaves no trace once all systems hold what followed it', () => {
		const story = replaced(PREFER_CRM);
		story.pump();
		expect(story.state.fields['note']?.merged).not.toHaveProperty('own');
	});
});

describe('an emptied field', () => {
	test.each(['ignore', 'never-wins'])('that says nothing (%s) does not beat another system’s new value', (nulls) => {
		const story = linked({ ...PREFER_CRM, nulls });
		story.edit('crm', { note: null });
		story.edit('billing', { note: 'b' });
		story.pump();
		expect(story.rows['billing']).toMatchObject({ note: 'b' });
	});
});

describe('under max', () => {
	test('the higher value wins, though a system has taken back a still higher one before that was heard', () => {
		const story = linked({ owner: 'shared', resolve: 'max' }, { note: '4' });
		story.edit('billing', { note: '7' });
		const [toCrm] = story.decide();
		story.edit('crm', { note: '5' });
		story.edit('billing', { note: '1' });
		if (toCrm) story.answer(toCrm, 'stale');
		story.pump();
		expect(notes(story)).toEqual(['5', '5']);
	});
});

describe('a value that the policy allows', () => {
	test('is not kept out by an older empty one of a system that only has the column’s default', () => {
		const story = new LinkStory(simulatedPolicy(['billing', 'crm'], { note: { ...PREFER_CRM, valid: { required: true } } }));
		story.insert('crm', { ref: 'r1', note: null });
		for (const op of story.decide()) story.apply(op, (row) => ({ ...row, note: null }));
		story.edit('crm', { note: 'a' });
		story.pump();
		expect(story.rows['billing']).toMatchObject({ note: 'a' });
	});

	test('is not kept out by a forbidden one that loses', () => {
		const story = linked({ owner: 'shared', resolve: 'prefer(billing)', valid: { oneOf: ['x', 'y'] } });
		story.edit('crm', { note: 'bad' });
		story.decide();
		story.edit('billing', { note: 'y' });
		story.pump();
		expect(story.reviews).toEqual([]);
		expect(notes(story)).toEqual(['y', 'y']);
	});
});

test('a question is one for its field, however often either side edits it again, and asks about what stands', () => {
	const story = linked({ owner: 'shared', resolve: 'review' });
	story.edit('crm', { note: 'a' });
	story.edit('billing', { note: 'b' });
	story.decide();
	const { id } = story.onlyReview();
	for (const note of ['c', 'd', 'e']) {
		for (const system of TWO) story.edit(system, { note: `${note} of ${system}` });
		story.decide();
		expect(story.onlyReview().id).toBe(id);
	}
	story.resolve({ kind: 'apply', system: 'billing' });
	story.pump();
	expect(notes(story)).toEqual(['e of billing', 'e of billing']);
	expect(story.reviews).toEqual([]);
});

test('an owner’s change does not wait behind a stranger’s proposal', () => {
	const story = linked({ owner: 'crm', onForeignEdit: 'propose' }, { systems: THREE });
	story.edit('billing', { note: 'b' });
	story.decide();
	story.edit('crm', { note: 'c' });
	story.pump();
	expect(notes(story)).toEqual(['c', 'c', 'c']);
	expect(story.reviews).toEqual([]);
});

test('the order of an object’s members decides nothing: questions of a deleted record close in one order', () => {
	const review = { owner: 'shared', resolve: 'review' };
	const policy = simulatedPolicy(TWO, { note: review, phone: review }, 'delete-wins');
	const story = LinkStory.linked(policy, { note: 'x', phone: '5' });
	story.edit('crm', { note: 'a', phone: 'a' });
	story.edit('billing', { note: 'b', phone: 'b' });
	story.decide();
	story.delete('crm');
	story.delete('billing');
	const turned = { ...story.state, fields: Object.fromEntries(Object.entries(story.state.fields).reverse()) };
	expect(decide(turned, policy, 'live').journal).toEqual(decide(story.state, policy, 'live').journal);
});

test('who edits a row that we made anew has not replaced what the row before it said: it is a conflict, and told', () => {
	const rules = { note: { owner: 'shared', resolve: 'prefer(billing)' } };
	const story = new LinkStory(simulatedPolicy(['crm', 'billing'], rules));
	story.insert('crm', { ref: 'r1', note: 'x' });
	const made = opTo(story.decide(), 'billing');
	story.edit('crm', { note: 'y' });
	// Meanwhile billing has a row of its own, with the same edit; it goes before ours comes.
	story.insert('billing', { ref: 'r1', note: 'x' });
	story.edit('billing', { note: 'y' });
	story.decide();
	story.delete('billing');
	story.apply(made);
	story.edit('billing', { note: '' });
	story.decide();
	expect(story.lastEntry('conflict')).toMatchObject({ field: 'note' });
});
