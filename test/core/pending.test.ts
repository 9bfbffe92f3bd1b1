import fc from 'fast-check';
import { decide, isDue } from '../../src/core/decide';
import { addToReport, emptyReport } from '../../src/core/first-contact';
import type { PolicyInForce } from '../../src/core/observe';
import { approvedPart, asApproved } from '../../src/core/pending';
import { replay } from '../../src/core/replay';
import { LinkStory } from '../support/link-story';
import { simulatedPolicy } from '../support/simulated-policy';
import { anyScript, tell } from '../support/story-acts';

const FIELDS = {
	note: { owner: 'shared', resolve: 'prefer(crm)' },
	phone: { owner: 'shared', resolve: 'prefer(crm)' },
};
const LIVE = simulatedPolicy(['crm', 'billing'], { note: FIELDS.note });
const withPending = (policy: PolicyInForce, ...scopes: string[]): PolicyInForce => ({
	...policy,
	pending: new Set(scopes),
});
const NEW_PHONE = withPending(
	simulatedPolicy(['crm', 'billing'], FIELDS),
	'customer.phone.crm',
	'customer.phone.billing',
);

/** The story goes on under another policy. */
function under(policy: PolicyInForce, story: LinkStory): LinkStory {
	const next = new LinkStory(policy);
	next.state = story.state;
	next.journal.splice(0, next.journal.length, ...story.journal);
	Object.assign(next.rows, story.rows);
	for (const system of policy.policy.systems) next.follow(system, story);
	return next;
}

/** A record that is live with its note, whose phone came with a later version. */
function withNewPhone(): LinkStory {
	return under(NEW_PHONE, LinkStory.linked(LIVE, { note: 'n' }));
}

test('a pending field is observed, and neither written nor due', () => {
	const story = withNewPhone();
	story.edit('crm', { phone: '1' });
	story.edit('billing', { phone: '2' });
	expect(story.decide()).toEqual([]);
	expect(isDue(story.state, NEW_PHONE, 'live')).toBe(false);
	expect(story.view('phone', 'crm')).toMatchObject({ canon: '1', vector: { crm: 1 } });
	expect(story.state.fields['phone']?.merged).toBeNull();
});

test('its siblings go on', () => {
	const story = withNewPhone();
	story.edit('crm', { phone: '1', note: 'm' });
	expect(story.pump()).toMatchObject([{ system: 'billing', fields: { note: { next: 'm' } } }]);
	expect(story.rows['billing']).not.toHaveProperty('phone', '1');
});

test('once it is approved its rule decides, as at any first contact', () => {
	const story = withNewPhone();
	story.edit('crm', { phone: '1' });
	story.edit('billing', { phone: '2' });
	story.decide();
	const approved = under(asApproved(NEW_PHONE), story);
	expect(approved.pump()).toMatchObject([
		{ system: 'billing', fields: { phone: { expected: '2', next: '1' } } },
	]);
	expect(isDue(approved.state, asApproved(NEW_PHONE), 'live')).toBe(false);
});

test('a system that joins a field changes nothing in it, and gets nothing, before it is approved', () => {
	const systems = ['crm', 'billing', 'erp'];
	const whole = simulatedPolicy(systems, { note: FIELDS.note });
	const joining = withPending(whole, 'customer.∃.erp', 'customer.ref.erp', 'customer.note.erp');
	const story = under(joining, LinkStory.linked(LIVE, { note: 'n' }));
	story.insert('erp', { ref: 'r1', note: 'erp' });
	story.edit('crm', { note: 'crm' });
	expect(story.pump().map(({ system }) => system)).toEqual(['billing']);
	const approved = under(whole, story);
	expect(approved.pump()).toMatchObject([
		{ system: 'erp', fields: { note: { expected: 'erp', next: 'crm' } } },
	]);
});

test('another column for a field has seen nothing: its value is no edit of the old one', () => {
	const policy = simulatedPolicy(['crm', 'billing'], {
		note: { owner: 'shared', resolve: 'review' },
	});
	const story = LinkStory.linked(policy, { note: 'n' });
	const moved = under(withPending(policy, 'customer.note.crm'), story);
	moved.edit('crm', { note: 'another column' });
	expect(Object.keys(moved.view('note', 'crm')?.vector ?? {})).toEqual(['crm']);
	expect(moved.decide()).toEqual([]);
	const approved = under(policy, moved);
	expect(approved.decide()).toEqual([]);
	expect(approved.onlyReview()).toMatchObject({ kind: 'conflict', fields: ['note'] });
});

describe('while one system has a new column for a field', () => {
	const RULE = { note: { owner: 'shared', resolve: 'prefer(billing)' }, phone: FIELDS.phone };
	const conflicts = ({ journal }: LinkStory): number => journal.filter(({ entry }) => entry.kind === 'conflict').length;

	test("another system's edit that nobody has decided about is an edit of what stood there, and wins", () => {
		const policy = simulatedPolicy(['crm', 'billing'], RULE);
		const story = LinkStory.linked(policy, { note: 'n', phone: 'p' });
		story.edit('billing', { note: 'of billing' });
		story.pump();
		story.edit('crm', { note: 'edited' });
		const paused = under(withPending(policy, 'customer.note.billing'), story);
		paused.edit('billing', { phone: 'q' });
		paused.pump();
		expect(paused.state.fields['note']?.merged).toMatchObject({ canon: 'edited', from: 'crm' });
		expect(conflicts(paused)).toBe(0);
		expect(paused.reviews).toEqual([]);
	});

	test('who gets the value by a write that is under way has seen it, and edits it freely', () => {
		const policy = simulatedPolicy(['crm', 'billing', 'erp'], RULE);
		const story = LinkStory.linked(policy, { note: 'n', phone: 'p' });
		story.edit('crm', { note: 'm' });
		const write = story.decide().find(({ system }) => system === 'erp');
		const paused = under(withPending(policy, 'customer.note.billing'), story);
		paused.edit('billing', { phone: 'q' });
		paused.apply(write!);
		paused.edit('erp', { note: 'edited' });
		paused.pump();
		expect(paused.rows['crm']).toMatchObject({ note: 'edited' });
		expect(conflicts(paused)).toBe(0);
	});

	test('the others go on among themselves as if it had been left alone', () => {
		const system = fc.constantFrom('crm', 'erp');
		const act = fc.oneof(
			fc.record({ edits: system, note: fc.constantFrom('1', '2', '3') }),
			fc.record({ applies: system }),
			fc.constant({ decides: true }),
		);
		const policy = simulatedPolicy(['crm', 'billing', 'erp'], { ...RULE, note: { owner: 'shared', resolve: 'prefer(crm)' } });
		const others = ({ state: { fields } }: LinkStory): unknown => [fields['note']?.merged?.canon, fields['note']?.frozen];
		fc.assert(
			fc.property(fc.array(act, { maxLength: 20 }), fc.nat(20), fc.boolean(), (acts, at, isMadeByBilling) => {
				const [left, paused] = [false, true].map((pauses) => {
					let story = LinkStory.linked(policy, { note: '0', phone: '0' });
					if (isMadeByBilling) story.edit('billing', { note: '1' });
					story.pump();
					acts.forEach((one, index) => {
						if (pauses && index === at) story = under(withPending(policy, 'customer.note.billing'), story);
						if (index === at) story.edit('billing', { phone: 'q' });
						if ('edits' in one) story.edit(one.edits, { note: one.note });
						else if ('decides' in one) story.decide();
						else applyTo(story, one.applies);
					});
					for (const to of ['crm', 'erp', 'crm', 'erp']) applyTo(story, to);
					return story;
				});
				expect(others(paused!)).toEqual(others(left!));
				expect(conflicts(paused!)).toBe(conflicts(left!));
			}),
		);
	});

	/** The system's database does what is in flight to it, if the row is as expected. */
	function applyTo(story: LinkStory, system: string): void {
		story.decide();
		const op = story.state.inFlight[system];
		const expected = op?.fields['note']?.expected;
		if (op === undefined) return;
		if (expected === undefined || expected === story.rows[system]?.['note']) story.apply(op);
		else story.answer(op, 'stale');
	}
});

test('a field that comes back after it had left begins anew, with what stands there now', () => {
	const whole = asApproved(NEW_PHONE);
	const before = LinkStory.linked(whole, { note: 'n', phone: 'old' });
	const back = under(NEW_PHONE, before);
	back.edit('crm', { phone: 'crm' });
	back.edit('billing', { phone: 'billing' });
	expect(back.state.fields['phone']).toMatchObject({ merged: null, frozen: null });
	expect(under(whole, back).pump()).toMatchObject([
		{ system: 'billing', fields: { phone: { next: 'crm' } } },
	]);
});

describe('an operation in flight when another version of the policy comes', () => {
	const owned = simulatedPolicy(['crm', 'billing'], {
		note: { owner: 'crm' },
		phone: { owner: 'crm' },
	});
	const inFlight = (): LinkStory => {
		const story = LinkStory.linked(owned, { note: 'n', phone: '0' });
		story.edit('crm', { note: 'm', phone: '1' });
		expect(story.decide()).toMatchObject([{ number: 2, fields: { note: {}, phone: {} } }]);
		return story;
	};

	test('stays as it is when only owners and strategies are others', () => {
		const story = inFlight();
		const next = under(
			simulatedPolicy(['crm', 'billing'], { note: { owner: 'billing' }, phone: { owner: 'crm' } }),
			story,
		);
		expect(next.decide()).toEqual([story.state.inFlight['billing']]);
	});

	test.each([
		['of which a field has left', simulatedPolicy(['crm', 'billing'], { note: { owner: 'crm' } })],
		['of which a field is pending', withPending(owned, 'customer.phone.billing')],
	])('is given up for one without what it may not write: %s', (_, policy) => {
		const next = under(policy, inFlight());
		const [op] = next.decide();
		expect(op).toMatchObject({ number: 3 });
		expect(Object.keys(op?.fields ?? {})).toEqual(['note']);
		expect(
			replay(next.journal, (hash) =>
				[owned, policy].map(asApproved).find((one) => one.hash === hash),
			),
		).toEqual(next.state);
	});

	test('and was written after all: its echo counts as a change that says what was decided', () => {
		const story = inFlight();
		const given = story.state.inFlight['billing']!;
		const next = under(simulatedPolicy(['crm', 'billing'], { note: { owner: 'crm' } }), story);
		const [op] = next.decide();
		next.apply(given);
		expect(next.lastEntry('warning')).toBeDefined();
		next.answer(op!, 'stale');
		expect(next.pump()).toEqual([]);
		expect(next.rows['billing']).toMatchObject({ note: 'm', phone: '1' });
		expect(isDue(next.state, next.policy, 'live')).toBe(false);
	});
});

test('the report on what is pending counts that part alone, and what approving it would do', () => {
	const story = withNewPhone();
	story.edit('crm', { phone: '1', note: 'on its way' });
	story.edit('billing', { phone: '2' });
	const report = emptyReport(NEW_PHONE);
	addToReport(report, story.state, NEW_PHONE);
	expect([...report.values()]).toMatchObject([
		{
			linkedEqual: 0,
			linkedDifferent: 1,
			inserts: {},
			fields: { phone: { equal: 0, different: 1, writes: { billing: 1 }, reviews: 0 } },
		},
	]);
	expect(Object.keys(report.get('customer')?.fields ?? {})).toEqual(['phone']);
});

describe('whatever happens', () => {
	const pendings = fc
		.subarray([
			'customer.note.crm',
			'customer.note.billing',
			'customer.phone.crm',
			'customer.phone.billing',
			'customer.phone.shop',
			'customer.∃.shop',
		])
		.map((scopes) => new Set(scopes));

	test('nothing that is pending is written, and its journal replays', () => {
		fc.assert(
			fc.property(pendings, anyScript, (pending, script) => {
				const story = tell(script, pending);
				for (const { entry } of story.journal) {
					if (entry.kind !== 'op') continue;
					const { kind, fields } = entry.detail as { kind: string; fields: string[] };
					const written = kind === 'update' ? fields : ['∃', ...fields];
					const scopes = written.map((field) => `customer.${field}.${entry.system ?? ''}`);
					expect(scopes.filter((scope) => pending.has(scope))).toEqual([]);
				}
				expect(replay(story.journal, () => asApproved(story.policy))).toEqual(story.state);
			}),
		);
	});

	test('deciding twice is deciding once', () => {
		fc.assert(
			fc.property(pendings, anyScript, (pending, script) => {
				const story = tell(script, pending);
				const once = decide(story.state, story.policy, 'live');
				expect(decide(once.state, story.policy, 'live').changed).toBe(false);
			}),
		);
	});
});

test('a policy without anything pending is its own approved part', () => {
	expect(approvedPart(LIVE)).toBe(LIVE);
	expect(asApproved(LIVE)).toBe(LIVE);
});
