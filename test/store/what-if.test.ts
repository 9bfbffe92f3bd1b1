import type { Json } from '../../src/core/canonical-json';
import { policyOf } from '../../src/core/parse-policy';
import type { Policy } from '../../src/core/policy';
import { whatIf, type WhatIfReport, type WhatIfRequest } from '../../src/store/what-if';
import { SIMULATED_ENTITY } from '../support/simulated-policy';
import { StoreLab } from '../support/store-lab';

type Document = { entities: Record<string, Record<string, Json> & { fields: Record<string, Record<string, Json>> }> };

/** The lab's policy with a change of its only entity. */
function changed(lab: StoreLab, change: (entity: Document['entities'][string]) => void): Policy {
	const document = structuredClone(lab.policy.policy.document) as unknown as Document;
	const entity = document.entities[SIMULATED_ENTITY];
	if (entity) change(entity);
	return policyOf(document);
}

const withNote = (lab: StoreLab, note: Record<string, Json>): Policy =>
	changed(lab, ({ fields }) => {
		const { codec, crm, billing } = fields['note'] ?? {};
		fields['note'] = { codec: codec ?? [], crm: crm ?? '', billing: billing ?? '', ...note };
	});

async function ask(lab: StoreLab, policy: Policy, request: Partial<WhatIfRequest> = {}): Promise<WhatIfReport> {
	const before = lab.store.state.serialise();
	const report = await whatIf(lab.store, { changed: policy, limit: 1_000, examples: 3, after: '', ...request });
	expect(lab.store.state.serialise()).toBe(before);
	return report;
}

/** `count` records that both systems have; of each, both change the note without knowing of each other; crm is preferred. */
async function labWithConflicts(count: number): Promise<StoreLab> {
	const lab = await StoreLab.open();
	for (let id = 1; id <= count; id++) await lab.observe(lab.insert('crm', { id: String(id), ref: `r${id}`, note: 'old' }));
	await lab.pump();
	for (const { state } of lab.links()) {
		await lab.observe(lab.update('crm', String(state.keys['crm']?.['id']), { note: 'of crm' }));
		await lab.observe(lab.update('billing', String(state.keys['billing']?.['id']), { note: 'of billing' }));
	}
	await lab.pump();
	return lab;
}

test('under the same policy nothing would differ, whatever has happened', async () => {
	const lab = await labWithConflicts(3);
	const report = await ask(lab, lab.policy.policy);
	expect(report).toMatchObject({ records: 3, differing: 0, byField: {}, examples: [], notJudged: [], isCut: false, next: '' });
	expect(report.decisions).toBeGreaterThanOrEqual(6);
});

test('another preference would have decided each conflict otherwise, and is counted once for each', async () => {
	const lab = await labWithConflicts(3);
	const report = await ask(lab, withNote(lab, { owner: 'shared', resolve: 'prefer(billing)' }), { examples: 2 });
	expect(report).toMatchObject({ differing: 3, byField: { 'customer.note': { 'would have another value': 3 } } });
	expect(report.examples).toMatchObject([
		{ field: 'note', was: { value: 'of crm', asks: null, writes: { billing: 'of crm' } }, wouldBe: { value: 'of billing', asks: null, writes: { crm: 'of billing' } } },
		{ field: 'note' },
	]);
	expect(report.examples.length).toBe(2);
});

test('a strategy that asks would have asked, once for each conflict', async () => {
	const lab = await labWithConflicts(2);
	const { byField } = await ask(lab, withNote(lab, { owner: 'shared', resolve: 'review' }));
	expect(byField).toEqual({ 'customer.note': { 'would ask a person': 2 } });
});

test('an owner would have reverted what the other one has changed', async () => {
	const lab = await labWithConflicts(1);
	await lab.observe(lab.update('billing', lab.links()[0]?.state.keys['billing']?.['id'] as string, { note: 'later' }));
	await lab.pump();
	const { byField, examples } = await ask(lab, withNote(lab, { owner: 'crm' }));
	expect(byField).toEqual({ 'customer.note': { 'would have another value': 1 } });
	expect(examples[0]).toMatchObject({ was: { value: 'later', writes: { crm: 'later' } }, wouldBe: { value: 'of crm', writes: { billing: 'of crm' } } });
});

test('what the policy calls sensitive is masked, before or after the change', async () => {
	const lab = await labWithConflicts(1);
	const policy = changed(lab, (entity) => {
		entity['sensitive'] = ['note', 'ref'];
		entity.fields['note'] = { ...entity.fields['note'], resolve: 'prefer(billing)' };
	});
	const text = JSON.stringify(await ask(lab, policy));
	expect(text).toContain('•••');
	expect(text).not.toMatch(/of crm|of billing/);
});

test('what is read in another way, is new, or is gone is listed and not judged; the rest is', async () => {
	const lab = await labWithConflicts(1);
	const policy = changed(lab, ({ fields }) => {
		fields['ref'] = { ...fields['ref'], codec: ['trim'] };
		fields['extra'] = { crm: 'extra', billing: 'extra', owner: 'crm' };
		fields['note'] = { ...fields['note'], resolve: 'prefer(billing)' };
	});
	const report = await ask(lab, policy);
	expect(report.notJudged).toMatchObject([
		{ what: 'customer.extra', why: 'was not in the policy then' },
		{ what: 'customer.ref', why: expect.stringContaining('another codec') as string },
	]);
	expect(report.byField).toEqual({ 'customer.note': { 'would have another value': 1 } });
	const gone = await ask(lab, changed(lab, ({ fields }) => void delete fields['note']));
	expect(gone.notJudged).toMatchObject([{ what: 'customer.note', why: 'is not in the changed policy', decisions: report.decisions }]);
	expect(gone.differing).toBe(0);
});

test('another table makes the whole record unjudged, and says so', async () => {
	const lab = await labWithConflicts(1);
	const report = await ask(lab, changed(lab, (entity) => void (entity['crm'] = { table: 'public.other', key: ['id'] })));
	expect(report.notJudged.map(({ what }) => what).sort()).toEqual(['customer.(record)', 'customer.note', 'customer.ref']);
	expect(report.differing).toBe(0);
});

test('what was decided under an earlier version is replayed under that one', async () => {
	const lab = await labWithConflicts(1);
	const policy = withNote(lab, { owner: 'shared', resolve: 'prefer(billing)' });
	await lab.store.publishPolicy({ name: policy.name, document: policy.document, hash: 'second', by: 'x', initialMode: 'live' });
	expect((await ask(lab, policy)).byField).toEqual({ 'customer.note': { 'would have another value': 1 } });
});

test('a long history is looked at in parts, which add up', async () => {
	const lab = await labWithConflicts(5);
	const policy = withNote(lab, { owner: 'shared', resolve: 'review' });
	let after = '';
	let differing = 0;
	let parts = 0;
	do {
		const part = await ask(lab, policy, { limit: 1, after });
		expect(part.isCut).toBe(part.next !== '');
		differing += part.differing;
		parts += 1;
		after = part.next;
	} while (after !== '');
	expect([differing, parts]).toEqual([5, 5]);
});
