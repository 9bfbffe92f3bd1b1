import { isDue } from '../../src/core/decide';
import { EXISTENCE, type Operation } from '../../src/core/link';
import { inForce } from '../../src/core/observe';
import { staleCount } from '../../src/core/settle';
import { parsePolicy } from '../../src/core/parse-policy';
import { LinkStory, opTo } from '../support/link-story';
import { SIMULATED_POLICY, simulatedPolicy } from '../support/simulated-policy';

const PREFER_CRM = { owner: 'shared', resolve: 'prefer(crm)' };
const policy = simulatedPolicy(['crm', 'billing'], { note: PREFER_CRM, phone: PREFER_CRM });

function synced(): LinkStory {
	return LinkStory.linked(policy, { note: 'x', phone: '555' });
}

describe('an update', () => {
	test('writes what the system lacks, and expects what was last read there', () => {
		const story = synced();
		story.edit('crm', { note: 'a' });
		const op = opTo(story.decide(), 'billing');
		expect(op).toEqual({
			id: 'link-1:billing:2',
			link: 'link-1',
			system: 'billing',
			entity: 'customer',
			number: 2,
			kind: 'update',
			key: { id: 'billing-1' },
			fields: { note: { expected: 'x', next: 'a', canon: 'a', vector: { crm: 2 } } },
			guards: { ref: 'r1' },
			existence: null,
		});
	});

	test('expects what identifies the record too, once: the key may be another record’s by then', () => {
		const story = synced();
		story.edit('crm', { ref: 'r2', note: 'a' });
		const op = opTo(story.decide(), 'billing');
		expect(op.fields['ref']).toMatchObject({ expected: 'r1', next: 'r2' });
		expect(op.guards).toEqual({});
	});

	test('speaks each system’s own spelling', () => {
		const spelled = simulatedPolicy(['crm', 'billing'], {
			credit: { ...PREFER_CRM, codec: { crm: 'decimal(2)', billing: 'minor-units(2)' } },
		});
		const story = new LinkStory(spelled);
		story.insert('crm', { ref: 'r1', credit: '12.50' });
		expect(opTo(story.pump(), 'billing').fields['credit']).toMatchObject({
			next: '1250',
			canon: '12.50',
		});
		story.edit('crm', { credit: '13' });
		expect(opTo(story.decide(), 'billing').fields['credit']).toMatchObject({
			expected: '1250',
			next: '1300',
		});
	});

	test('goes to the key that the row has now', () => {
		const story = synced();
		const row = { ...story.rows['billing'], id: '777' };
		story.observe({ ...story.feed('billing').update(row), before: { id: 'billing-1' } });
		story.edit('crm', { note: 'a' });
		expect(opTo(story.decide(), 'billing').key).toEqual({ id: '777' });
	});

	test('leaves a value that the target cannot hold to a person, and writes the others', () => {
		const narrow = simulatedPolicy(['crm', 'billing'], {
			note: PREFER_CRM,
			count: { ...PREFER_CRM, codec: { crm: [], billing: 'integer' } },
		});
		const story = LinkStory.linked(narrow, { note: 'x', count: '1' });
		story.edit('crm', { note: 'a', count: 'many' });
		expect(Object.keys(opTo(story.decide(), 'billing').fields)).toEqual(['note']);
		expect(story.onlyReview()).toMatchObject({ kind: 'failure', fields: ['count'] });
		expect(story.onlyReview().reason).not.toContain('many');
	});

	test('has a number of its own each time: numbers are used once', () => {
		const story = synced();
		story.edit('crm', { note: 'a' });
		const first = opTo(story.decide(), 'billing');
		story.answer(first, 'stale');
		expect(opTo(story.decide(), 'billing').number).toBe(first.number + 1);
	});

	test('writes no null where a value is, unless somebody wrote the null', () => {
		const story = synced();
		story.edit('crm', { phone: null });
		expect(opTo(story.decide(), 'billing').fields['phone']).toMatchObject({
			expected: '555',
			next: null,
		});
	});
});

describe('after three stale outcomes in a row', () => {
	/** The note changes in billing each time before our write comes, so the whole operation is stale. */
	function restless(): { story: LinkStory; op: Operation } {
		const story = synced();
		story.edit('crm', { note: 'a', phone: '777' });
		for (let turn = 1; turn <= 3; turn += 1) {
			const op = opTo(story.decide(), 'billing');
			expect(Object.keys(op.fields)).toEqual(['note', 'phone']);
			story.edit('billing', { note: `b${turn}` });
			story.edit('crm', { note: `a${turn}` });
			story.answer(op, 'stale');
		}
		expect(staleCount(story.state, 'billing')).toBe(3);
		return { story, op: opTo(story.decide(), 'billing') };
	}

	test('fields travel one by one, so that a restless one holds up nothing else', () => {
		const { story, op } = restless();
		expect(Object.keys(op.fields)).toHaveLength(1);
		story.edit('billing', { note: 'b4' });
		if (Object.hasOwn(op.fields, 'note')) story.answer(op, 'stale');
		else story.apply(op);
		for (const next of story.decide()) story.apply(next);
		expect(story.rows['billing']).toMatchObject({ phone: '777' });
	});

	test('an applied one ends the matter', () => {
		const { story, op } = restless();
		story.apply(op);
		story.edit('crm', { note: 'c', phone: '888' });
		expect(Object.keys(opTo(story.decide(), 'billing').fields)).toEqual(['note', 'phone']);
	});
});

describe('an insert', () => {
	test('carries every field that has a value, expects no row and names no key', () => {
		const story = new LinkStory(policy);
		story.insert('crm', { ref: 'r1', note: 'x', phone: null });
		const op = opTo(story.decide(), 'billing');
		expect(op).toMatchObject({ kind: 'insert', key: null, existence: { crm: 1 } });
		expect(op.fields).toMatchObject({
			ref: { next: 'r1' },
			note: { next: 'x' },
			phone: { next: null },
		});
		expect(Object.values(op.fields).some((field) => Object.hasOwn(field, 'expected'))).toBe(false);
	});

	test('leaves out what the row did not send', () => {
		const story = new LinkStory(policy);
		story.insert('crm', { ref: 'r1', note: 'x' });
		expect(Object.keys(opTo(story.decide(), 'billing').fields).sort()).toEqual(['note', 'ref']);
	});

	test('leaves a null in a field of the target’s own to the column’s default', () => {
		const owned = simulatedPolicy(['crm', 'billing'], {
			status: { owner: 'billing' },
			note: PREFER_CRM,
		});
		const story = new LinkStory(owned);
		story.insert('crm', { ref: 'r1', status: null, note: 'x' });
		const op = opTo(story.decide(), 'billing');
		expect(op.fields['status']).not.toHaveProperty('next');
		story.apply(op, (row) => ({ ...row, status: 'active' }));
		expect(story.pump()).toMatchObject([
			{ system: 'crm', fields: { status: { expected: null, next: 'active' } } },
		]);
	});

	test('is not repeated while it is in flight, nor followed by an update before it is there', () => {
		const story = new LinkStory(policy);
		story.insert('crm', { ref: 'r1', note: 'x', phone: null });
		const ops = story.decide();
		story.edit('crm', { note: 'a' });
		expect(story.decide()).toEqual(ops);
	});

	test('goes to each system that lacks the record', () => {
		const three = simulatedPolicy(['crm', 'billing', 'shop'], { note: PREFER_CRM });
		const story = new LinkStory(three);
		story.insert('crm', { ref: 'r1', note: 'x' });
		expect(story.decide().map(({ system, kind }) => [system, kind])).toEqual([
			['billing', 'insert'],
			['shop', 'insert'],
		]);
	});
});

describe('a delete', () => {
	/** Somebody edited the record that crm deleted, and a person has said that it goes all the same. */
	function agreedDelete(): LinkStory {
		const story = synced();
		story.edit('billing', { note: 'x2' });
		story.delete('crm');
		story.decide();
		expect(story.state.inFlight).toEqual({});
		story.resolve({ kind: 'apply', system: 'crm' });
		return story;
	}

	test('that is in doubt is made on a person’s word only, and expects every mapped field as it is now', () => {
		const op = opTo(agreedDelete().decide(), 'billing');
		expect(op).toMatchObject({ kind: 'delete', key: { id: 'billing-1' }, fields: { note: { expected: 'x2' } } });
	});

	test('that has seen everything expects every mapped field as it was seen', () => {
		const story = synced();
		story.delete('crm');
		const op = opTo(story.decide(), 'billing');
		expect(op).toMatchObject({ kind: 'delete', key: { id: 'billing-1' } });
		expect(op.fields).toMatchObject({
			ref: { expected: 'r1' },
			note: { expected: 'x' },
			phone: { expected: '555' },
		});
		expect(Object.values(op.fields).some((field) => Object.hasOwn(field, 'next'))).toBe(false);
	});

	test('that is applied leaves nothing to do', () => {
		const story = agreedDelete();
		story.pump();
		expect(story.rows).toEqual({});
		expect(story.state.fields[EXISTENCE]?.merged).toMatchObject({ canon: false });
		expect(story.decide()).toEqual([]);
	});
});

test('shadow mode says in the journal what would be written, and writes nothing', () => {
	const story = synced();
	story.edit('crm', { note: 'a' });
	expect(story.decide('shadow')).toEqual([]);
	expect(story.lastEntry('would-write')).toMatchObject({
		system: 'billing',
		detail: { kind: 'update', fields: ['note'] },
	});
	expect(story.state.inFlight).toEqual({});
	expect(story.decide()).toHaveLength(1);
});

describe('in shadow mode each intended write is journaled', () => {
	const said = (story: LinkStory) => story.journal.flatMap(({ entry }) => (entry.kind === 'would-write' ? [entry.system] : []));

	test('once, however often it is decided', () => {
		const story = synced();
		story.edit('crm', { note: 'a' });
		for (let turn = 0; turn < 3; turn += 1) story.decide('shadow');
		expect(said(story)).toEqual(['billing']);
		expect(isDue(story.state, story.policy, 'shadow')).toBe(false);
	});

	test('though nothing is left to merge: a write that came to nothing, or what a person decided', () => {
		const story = synced();
		story.edit('crm', { note: 'a' });
		const [op] = story.decide();
		if (op) story.answer(op, 'stale');
		expect(isDue(story.state, story.policy, 'shadow')).toBe(true);
		story.decide('shadow');
		expect(said(story)).toEqual(['billing']);
		expect(story.lastEntry('would-write')).toMatchObject({ detail: { kind: 'update', fields: ['note'] } });
	});

	test('again when writes were on for a while, and this one came to nothing', () => {
		const story = synced();
		story.edit('crm', { note: 'a' });
		story.decide('shadow');
		const [op] = story.decide();
		if (op) story.answer(op, 'stale');
		story.decide('shadow');
		expect(said(story)).toEqual(['billing', 'billing']);
	});

	test('again when it is another one, even to the same values, or was made meanwhile', () => {
		const story = synced();
		for (const note of ['a', 'b', 'a']) {
			story.edit('crm', { note });
			story.decide('shadow');
		}
		expect(said(story)).toHaveLength(3);
		story.pump();
		story.edit('crm', { note: 'c' });
		story.decide('shadow');
		expect(said(story)).toHaveLength(4);
	});

	test('for a first contact that was due when the mode became shadow', () => {
		const story = new LinkStory(synced().policy);
		story.insert('crm', { ref: 'r1', note: 'x', phone: '5' });
		story.decide('first-contact');
		expect(isDue(story.state, story.policy, 'first-contact')).toBe(true);
		story.decide('shadow');
		story.decide('shadow');
		expect(said(story)).toEqual(['billing']);
		expect(story.lastEntry('would-write')).toMatchObject({ detail: { kind: 'insert' } });
	});
});

test('a system that does not carry the entity is never written to', () => {
	const document = {
		policy: SIMULATED_POLICY,
		systems: ['crm', 'billing', 'shop'],
		entities: {
			customer: {
				crm: { table: 'public.customers', key: ['id'] },
				billing: { table: 'public.accounts', key: ['id'] },
				match: [['ref']],
				fields: { ref: { crm: 'ref', billing: 'ref', owner: 'crm' } },
			},
		},
	};
	const story = new LinkStory(inForce(parsePolicy(JSON.stringify(document))));
	story.insert('crm', { ref: 'r1' });
	expect(story.decide().map(({ system }) => system)).toEqual(['billing']);
});
