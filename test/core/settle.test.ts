import { EXISTENCE, type Operation } from '../../src/core/link';
import type { Marker } from '../../src/core/marker';
import { fieldsOf, staleCount } from '../../src/core/settle';
import { LinkStory, MAC_KEY, opTo } from '../support/link-story';
import { simulatedPolicy } from '../support/simulated-policy';

const policy = simulatedPolicy(['crm', 'billing'], {
	note: { owner: 'shared', resolve: 'prefer(crm)' },
	phone: { owner: 'shared', resolve: 'prefer(crm)' },
});

/** Both systems hold the record, and an edit of the note in crm is on its way to billing. */
function noteOnItsWay(inForce = policy): { story: LinkStory; op: Operation } {
	const story = LinkStory.linked(inForce, { note: 'x', phone: '555-0100' });
	story.edit('crm', { note: 'a' });
	return { story, op: opTo(story.decide(), 'billing') };
}

/** Nobody has the record but crm, and an insert is on its way to billing. */
function insertOnItsWay(): { story: LinkStory; op: Operation } {
	const story = new LinkStory(policy);
	story.insert('crm', { ref: 'r1', note: 'x', phone: null });
	return { story, op: opTo(story.decide(), 'billing') };
}

describe('applied', () => {
	test('settles the operation and ends the run of stale outcomes', () => {
		const { story, op } = noteOnItsWay();
		story.answer(op, 'stale');
		story.apply(opTo(story.decide(), 'billing'));
		expect(story.state.inFlight).toEqual({});
		expect(staleCount(story.state, 'billing')).toBe(0);
	});

	test('whose row the stream does not show is believed, and a person is asked', () => {
		const { story, op } = noteOnItsWay();
		story.observe(story.feed('billing').echo(op, MAC_KEY, { outcome: 'applied' }));
		expect(story.state.inFlight).toEqual({});
		expect(story.state.fields['note']?.views['billing']).toMatchObject({ raw: 'a', canon: 'a' });
		expect(story.onlyReview()).toMatchObject({ kind: 'failure', fields: ['note'] });
		expect(story.onlyReview().reason).toContain('does not show the row');
	});

	test('whose new row the stream does not show is not made a second time', () => {
		const { story, op } = insertOnItsWay();
		const shown = story.feed('billing').echo(op, MAC_KEY, { row: { id: '7' } });
		story.observe({ ...shown, op: 'm', key: {}, after: null });
		story.resolve({ kind: 'retry' });
		expect(story.decide()).toEqual([]);
		expect(story.state.keys['billing']).toEqual({ id: '7' });
	});
});

describe('stale', () => {
	test('settles the operation, leaves the view alone and decides nothing', () => {
		const { story, op } = noteOnItsWay();
		const before = story.state.fields;
		expect(story.answer(op, 'stale')).toBe('outcome');
		expect(story.state.inFlight).toEqual({});
		expect(story.state.fields).toEqual(before);
	});

	test('leads to the next operation, under a new number', () => {
		const { story, op } = noteOnItsWay();
		story.answer(op, 'stale');
		expect(opTo(story.decide(), 'billing')).toMatchObject({
			number: op.number + 1,
			fields: op.fields,
		});
	});

	test('twice with nothing observed in between is a refusal: something stands in the way', () => {
		const { story, op } = noteOnItsWay();
		story.answer(op, 'stale');
		story.answer(opTo(story.decide(), 'billing'), 'stale');
		expect(story.onlyReview()).toMatchObject({ kind: 'failure', fields: ['note'] });
		expect(story.onlyReview().reason).toContain('a trigger, row security or a comparison');
		expect(story.decide()).toEqual([]);
	});

	test('twice with an edit of the field in between is only bad luck', () => {
		const { story, op } = noteOnItsWay();
		story.edit('billing', { note: 'b' });
		story.answer(op, 'stale');
		const next = opTo(story.decide(), 'billing');
		story.edit('billing', { note: 'c' });
		story.answer(next, 'stale');
		expect(story.reviews).toEqual([]);
		expect(story.decide()).toHaveLength(1);
	});

	test('twice because what identifies the record was edited in between is only bad luck', () => {
		const ref = { owner: 'billing' };
		const note = { owner: 'shared', resolve: 'prefer(crm)' };
		const { story, op } = noteOnItsWay(simulatedPolicy(['crm', 'billing'], { ref, note, phone: note }));
		story.edit('billing', { ref: 'r2' });
		story.answer(op, 'stale');
		const next = opTo(story.decide(), 'billing');
		expect(next.guards).toEqual({ ref: 'r2' });
		story.edit('billing', { ref: 'r3' });
		story.answer(next, 'stale');
		expect(story.reviews).toEqual([]);
		expect(opTo(story.decide(), 'billing').guards).toEqual({ ref: 'r3' });
	});

	test('of a delete is caused by an edit of what was to go, about which the policy decides', () => {
		const story = LinkStory.linked(policy, { note: 'x', phone: null });
		story.delete('crm');
		const op = opTo(story.decide(), 'billing');
		expect(op.kind).toBe('delete');
		story.edit('billing', { note: 'b' });
		story.answer(op, 'stale');
		expect(story.reviews).toEqual([]);
		expect(story.decide()).toEqual([]);
		expect(story.onlyReview()).toMatchObject({ kind: 'conflict', fields: [EXISTENCE] });
	});

	test('of a delete twice with nothing observed in between is a refusal', () => {
		const story = LinkStory.linked(policy, { note: 'x', phone: null });
		story.delete('crm');
		story.answer(opTo(story.decide(), 'billing'), 'stale');
		story.answer(opTo(story.decide(), 'billing'), 'stale');
		expect(story.onlyReview()).toMatchObject({ kind: 'failure', fields: [EXISTENCE] });
		expect(story.decide()).toEqual([]);
	});
});

describe('refused', () => {
	test('freezes the fields of the operation, in the words of the database', () => {
		const { story, op } = noteOnItsWay();
		story.answer(op, 'refused', 'violates check constraint "accounts_note_check"');
		expect(story.onlyReview()).toMatchObject({
			kind: 'failure',
			fields: ['note'],
			reason: 'billing refuses the value: violates check constraint "accounts_note_check"',
		});
		expect(story.decide()).toEqual([]);
	});

	test('holds up no other field', () => {
		const { story, op } = noteOnItsWay();
		story.answer(op, 'refused', 'too long');
		story.edit('crm', { phone: '555-0199' });
		expect(Object.keys(opTo(story.decide(), 'billing').fields)).toEqual(['phone']);
	});

	test('is over when the value is changed', () => {
		const { story, op } = noteOnItsWay();
		story.answer(op, 'refused', 'too long');
		story.edit('crm', { note: 'b' });
		expect(story.reviews).toEqual([]);
		expect(opTo(story.decide(), 'billing').fields['note']).toMatchObject({ next: 'b' });
	});

	test('of an insert holds the record’s existence', () => {
		const { story, op } = insertOnItsWay();
		expect(fieldsOf(op)).toEqual([EXISTENCE]);
		story.answer(op, 'refused', 'null value in column "country"');
		expect(story.onlyReview()).toMatchObject({ kind: 'failure', fields: [EXISTENCE] });
	});
});

describe('exists', () => {
	test('of a record that no match key links is tried once more, and then a question of identity', () => {
		const { story, op } = insertOnItsWay();
		story.answer(op, 'exists');
		expect(story.reviews).toEqual([]);
		const again = opTo(story.decide(), 'billing');
		expect(again).toMatchObject({ kind: 'insert', number: op.number + 1 });
		story.answer(again, 'exists');
		expect(story.onlyReview()).toMatchObject({ kind: 'identity', fields: [EXISTENCE] });
		expect(story.decide()).toEqual([]);
	});

	test('of a record that was linked meanwhile needs nobody', () => {
		const { story, op } = insertOnItsWay();
		story.insert('billing', { ref: 'r1', note: 'b', phone: null });
		story.answer(op, 'exists');
		expect(story.reviews).toEqual([]);
		expect(opTo(story.decide(), 'billing')).toMatchObject({
			kind: 'update',
			fields: { note: { next: 'x' } },
		});
	});
});

test('an operation that a person gave up is settled, and its fields wait', () => {
	const { story, op } = noteOnItsWay();
	story.answer(op, 'void');
	expect(story.state.inFlight).toEqual({});
	expect(story.onlyReview()).toMatchObject({ kind: 'failure', fields: ['note'] });
});

describe('a marker that is not ours', () => {
	const edited = { note: 'hidden', phone: '555-0100' };

	test('with a wrong signature makes the change foreign, settles nothing and leaves a warning', () => {
		const { story, op } = noteOnItsWay();
		const row = { ...story.rows['billing'], ...edited };
		const event = story.feed('billing').echo(op, 'a guessed key', { row });
		expect(story.observe(event)).toBe('foreign');
		expect(story.state.inFlight['billing']).toEqual(op);
		expect(story.lastEntry('warning')).toMatchObject({ system: 'billing' });
	});

	test('copied to another row is foreign there, too', () => {
		const { story, op } = noteOnItsWay();
		const row = { ...story.rows['billing'], ...edited, id: 'billing-2' };
		const { marker } = story
			.feed('billing')
			.echo(op, MAC_KEY, { row: story.rows['billing'] ?? {} });
		story.observe({ ...story.feed('billing').update(row), marker });
		expect(story.state.inFlight['billing']).toEqual(op);
		expect(story.lastEntry('warning')?.kind).toBe('warning');
	});

	test('repeated after its operation settled hides nothing', () => {
		const { story, op } = noteOnItsWay();
		story.apply(op);
		const row = { ...story.rows['billing'], ...edited };
		const event = story.feed('billing').echo(op, MAC_KEY, { row });
		expect(story.observe(event)).toBe('foreign');
		expect(story.view('note', 'billing')).toMatchObject({ canon: 'hidden' });
		expect(story.lastEntry('warning')?.kind).toBe('warning');
	});

	test.each<[string, Partial<Marker>]>([
		['another operation', { op: 'link-1:billing:99' }],
		['another link', { link: 'link-2' }],
		['another system', { system: 'crm' }],
		['another entity', { entity: 'invoice' }],
	])('of %s settles nothing', (_, part) => {
		const { story, op } = noteOnItsWay();
		const { op: id = op.id, link = op.link, system = op.system, entity = op.entity } = part;
		const other = { ...op, id, link, system, entity };
		const { marker } = story
			.feed('billing')
			.echo(other, MAC_KEY, { row: story.rows['billing'] ?? {} });
		const row = { ...story.rows['billing'], note: 'a' };
		expect(story.observe({ ...story.feed('billing').update(row), marker })).toBe('foreign');
		expect(story.state.inFlight['billing']).toEqual(op);
	});
});
