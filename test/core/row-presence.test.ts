import { EXISTENCE, emptyLink, isOutsideIn } from '../../src/core/link';
import { inForce } from '../../src/core/observe';
import { policyOf } from '../../src/core/parse-policy';
import { replay } from '../../src/core/replay';
import { presenceOf, strayField } from '../../src/core/row-presence';
import type { Json } from '../../src/core/canonical-json';
import type { RecordChange } from '../../src/core/record-change';
import { LinkStory, opTo } from '../support/link-story';
import { SIMULATED_ENTITY, simulatedEntity, simulatedPolicy, type FieldRules } from '../support/simulated-policy';

const RULES = { owner: 'shared', resolve: 'prefer(crm)' };

/** The simulated policy, its table of crm limited to one company, and its rows archived by a flag. */
function limitedPolicy(fields: FieldRules = { note: RULES }) {
	const { policy } = simulatedPolicy(['crm', 'billing'], fields);
	const document = structuredClone(policy.document) as { entities: Record<string, Record<string, Record<string, Json>>> };
	const entity = document.entities[SIMULATED_ENTITY];
	Object.assign(entity?.['crm'] ?? {}, { where: { company: 1 } });
	Object.assign(entity?.['deletes'] ?? {}, { as: { crm: { gone: { deleted: true, live: false } } } });
	return inForce(policyOf(document as Json));
}
const policy = limitedPolicy();

function synced(): LinkStory {
	const story = new LinkStory(policy);
	story.insert('crm', { ref: 'r1', note: 'x', company: 1, gone: false });
	story.pump();
	return story;
}
const row = (columns: Record<string, Json>, exists: boolean | null = true) =>
	({ system: 'crm', exists, columns, key: { id: 'crm-1' }, previousKey: null }) as unknown as RecordChange;

describe('a row', () => {
	const nothing = emptyLink('l', SIMULATED_ENTITY, 1);
	const entity = simulatedEntity(policy);
	test.each<[string, Record<string, Json>, string]>([
		['is a record', { company: 1, gone: false }, 'record'],
		['is archived when it says so', { company: 1, gone: 't' }, 'archived'],
		['is outside, whatever else it says', { company: 2, gone: true }, 'outside'],
		['that does not say is a record', { company: 1 }, 'record'],
	])('%s', (_, columns, expected) => {
		expect(presenceOf(nothing, row(columns), entity)).toBe(expected);
	});

	test('that leaves a column out is where it was', () => {
		const story = synced();
		story.edit('crm', { company: 2 });
		expect(presenceOf(story.state, row({ gone: false }), entity)).toBe('outside');
		story.edit('crm', { company: 1, gone: true });
		expect(presenceOf(story.state, row({ company: 1 }), entity)).toBe('archived');
	});
});

describe('a record that has left the policy’s rows', () => {
	test('is not deleted elsewhere before a person has said so, and its values are not read', () => {
		const story = synced();
		story.edit('crm', { company: 2, note: 'secret' });
		expect(story.decide()).toEqual([]);
		expect(story.onlyReview()).toMatchObject({ kind: 'approval', fields: [EXISTENCE] });
		expect(isOutsideIn(story.state, 'crm')).toBe(true);
		expect(JSON.stringify(story.state)).not.toContain('secret');
	});

	test('is deleted by the rules when that is approved', () => {
		const story = synced();
		story.edit('crm', { company: 2 });
		story.decide();
		story.resolve({ kind: 'approve' });
		expect(opTo(story.decide(), 'billing').kind).toBe('delete');
	});

	test('is not deleted when somebody has changed it meanwhile: that is asked once more', () => {
		const story = synced();
		story.edit('crm', { company: 2 });
		story.decide();
		story.edit('billing', { note: 'y' });
		story.resolve({ kind: 'approve' });
		expect(story.decide()).toEqual([]);
		expect(story.onlyReview().kind).toBe('conflict');
	});

	test('stays where it is when that is rejected, and nothing is made in its place', () => {
		const story = synced();
		story.edit('crm', { company: 2 });
		story.decide();
		story.resolve({ kind: 'reject' });
		story.edit('billing', { note: 'y' });
		expect(story.pump()).toEqual([]);
		expect(story.reviews).toEqual([]);
	});

	test('is asked about no more when it comes back, and takes what it has missed', () => {
		const story = synced();
		story.edit('crm', { company: 2 });
		story.decide();
		story.edit('billing', { note: 'y' });
		story.edit('crm', { company: 1 });
		expect(story.pump()).toMatchObject([{ system: 'crm', kind: 'update', fields: { note: { next: 'y' } } }]);
		expect(story.reviews).toEqual([]);
	});

	test('and what a person said of it, can be replayed', () => {
		const story = synced();
		story.edit('crm', { company: 2 });
		story.decide();
		story.resolve({ kind: 'approve' });
		story.pump();
		const replayed = replay(story.journal, (hash) => (hash === policy.hash ? policy : undefined));
		expect(replayed).toEqual(story.state);
	});
});

describe('a new row', () => {
	test('that a trigger puts outside is asked about, and not made a second time', () => {
		const story = new LinkStory(policy);
		story.insert('billing', { ref: 'r1', note: 'x' });
		story.apply(opTo(story.decide(), 'crm'), (made) => ({ ...made, company: 7 }));
		expect(story.decide()).toEqual([]);
		expect(story.onlyReview()).toMatchObject({ kind: 'identity', fields: [EXISTENCE] });
		story.edit('billing', { note: 'y' });
		expect(story.decide()).toEqual([]);
	});

	test('that its own values would put outside is not made until they change', () => {
		const limited = limitedPolicy({ note: RULES, company: RULES });
		const story = new LinkStory(limited);
		story.insert('billing', { ref: 'r1', note: 'x', company: 2 });
		expect(story.decide()).toEqual([]);
		expect(story.onlyReview()).toMatchObject({ kind: 'failure', fields: [EXISTENCE] });
		story.edit('billing', { company: 1 });
		expect(opTo(story.decide(), 'crm')).toMatchObject({ kind: 'insert', fields: { company: { next: 1 } } });
		expect(strayField(simulatedEntity(limited), 'crm', { company: { next: 2 } })).toBe('company');
	});
});
