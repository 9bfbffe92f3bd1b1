import type { INodeExecutionData } from 'n8n-workflow';

import { EchoFilter } from '../../nodes/EchoFilter/EchoFilter.node';
import { FieldAuthorityMerge } from '../../nodes/FieldAuthorityMerge/FieldAuthorityMerge.node';
import { SyncRecord } from '../../nodes/SyncRecord/SyncRecord.node';
import { MASK } from '../../src/core/mask';
import { resolveReview } from '../../src/store/resolve-review';
import { linkedCustomer, opsOf, passOn } from '../support/node-chain';
import { findings, itemsOf, type NodeLab, openNodeLab, POLICY } from '../support/node-lab';
import { samplePolicyWith } from '../support/sample-policy';

let lab: NodeLab;
beforeEach(async () => {
	lab = await openNodeLab({ policy: samplePolicyWith('sensitive: [email, phone]', 'sensitive: [email]') });
});
afterEach(() => lab.close());

const CRM_1 = { policy: POLICY, entity: 'customer', system: 'crm', key: '1', by: 'maria' };

async function run(operation: string, parameters: Record<string, unknown> = {}, items?: INodeExecutionData[]): Promise<INodeExecutionData[]> {
	const { outputs } = await lab.run(new SyncRecord(), { parameters: { ...CRM_1, operation, ...parameters }, ...(items ? { items } : {}) });
	return outputs[0] ?? [];
}

async function jsonOf(operation: string, parameters: Record<string, unknown> = {}): Promise<INodeExecutionData['json']> {
	const [item] = await run(operation, parameters);
	if (!item) throw new Error('the node gave nothing');
	return item.json;
}

describe('explain', () => {
	test('tells what each system holds, what it should hold, and how it came to that', async () => {
		const { crm } = await linkedCustomer(lab, '1');
		await passOn(lab, lab.crm.update({ ...crm, phone: 'P7' }));
		const json = await jsonOf('explain');
		expect(json).toMatchObject({ entity: 'customer', keys: { crm: 'id 1' }, due: true, writing: ['billing'] });
		expect(json['fields']).toMatchObject({ phone: { shouldBe: 'P7', values: { crm: { value: 'P7' }, billing: { value: 'P0' } } } });
		expect(json['text']).toContain('crm changed phone from "P0" to "P7"');
	});

	test('masks what is sensitive, in the values and in the sentences', async () => {
		const { crm } = await linkedCustomer(lab, '1');
		await passOn(lab, lab.crm.update({ ...crm, email: 'new-secret@x' }));
		for (const operation of ['explain', 'state']) {
			const text = JSON.stringify(await run(operation));
			expect(text).not.toContain('new-secret');
			expect(text).not.toContain('1@x');
			expect(text).toContain(MASK);
		}
	});

	test('of one field tells only of it', async () => {
		const { crm } = await linkedCustomer(lab, '1');
		await passOn(lab, lab.crm.update({ ...crm, phone: 'P7', note: 'n7' }));
		const json = await jsonOf('explain', { field: 'note' });
		expect(Object.keys(json['fields'] as object)).toEqual(['note']);
		expect(json['history']).toEqual(expect.arrayContaining([expect.objectContaining({ fields: expect.arrayContaining(['note']) as unknown })]));
	});

	test('an unknown record, field, entity or key is refused with what to do', async () => {
		await linkedCustomer(lab, '1');
		await expect(run('explain', { key: '77' })).rejects.toThrow(/knows no customer of crm with this id/);
		await expect(run('explain', { field: 'nope' })).rejects.toThrow(/no field "nope"/);
		await expect(run('explain', { entity: 'nope' })).rejects.toThrow(/"Entity" must be an entity/);
		await expect(run('explain', { key: '{ "other": 1 }' })).rejects.toThrow(/"Key" must have a value for id/);
		await expect(run('explain', { recordBy: 'link', link: 'nope' })).rejects.toThrow(/knows no link nope/);
	});

	test('takes the record of a change event as it stands', async () => {
		await linkedCustomer(lab, '1');
		const [item] = await run('explain', { system: 'billing', key: '{"account_no":"91"}' });
		const link = String(item?.json['link']);
		const [again] = await run('explain', { recordBy: 'link', link });
		expect(again?.json['keys']).toEqual(item?.json['keys']);
	});
});

describe('freeze and unfreeze', () => {
	test('a field that is frozen gets no write until it is unfrozen', async () => {
		const { crm } = await linkedCustomer(lab, '1');
		const [frozen] = await run('freeze', { fields: 'phone, note', reason: 'on the phone' });
		expect(findings(frozen, 'record')).toMatchObject({ state: 'frozen', fields: ['phone', 'note'] });
		expect(await passOn(lab, lab.crm.update({ ...crm, phone: 'P7' }))).toEqual([]);
		const json = await jsonOf('explain');
		expect(json['fields']).toMatchObject({ phone: { frozenBy: { by: 'maria', reason: 'on the phone' } } });
		await run('unfreeze', { fields: 'phone, note' });
		expect(await passOn(lab, lab.crm.update({ ...crm, phone: 'P8' }))).toMatchObject([{ fields: { phone: { canon: 'P8' } } }]);
	});

	test('with Continue On Fail, an item that is refused does not hold up the others', async () => {
		await linkedCustomer(lab, '1');
		const keys = ['77', '1'].map((key) => ({ json: { key } }));
		const { outputs } = await lab.run(new SyncRecord(), {
			parameters: { ...CRM_1, operation: 'freeze', key: (json: Record<string, unknown>) => json['key'], fields: '' },
			items: keys,
			continueOnFail: true,
		});
		expect(outputs[0]?.map((item) => findings(item, 'record'))).toMatchObject([{ error: { code: 'RECORD_UNKNOWN' } }, { state: 'frozen', fields: 'record' }]);
	});
});

describe('unlink and link', () => {
	test('two rows become two records that are left alone until somebody decides, and one again', async () => {
		const { crm, billing } = await linkedCustomer(lab, '1');
		const [parted] = await run('unlink', { part: 'billing' });
		const { link, newLink } = findings(parted, 'record') as { link: string; newLink: string };
		const open = await lab.store.listReviews({ policy: POLICY, state: 'open', limit: 10 });
		expect(open.map((review) => [review.link, review.kind]).sort()).toEqual([[link, 'identity'], [newLink, 'identity']].sort());
		expect(await passOn(lab, lab.crm.update({ ...crm, phone: 'P7' }), lab.billing.update({ ...billing, memo: 'n7' }))).toEqual([]);

		const [linked] = await run('link', { otherRecordBy: 'key', otherSystem: 'billing', otherKey: '91' });
		expect(findings(linked, 'record')).toMatchObject({ state: 'linked' });
		expect(await lab.store.listReviews({ policy: POLICY, state: 'open', limit: 10 })).toEqual([]);
		const [again] = await run('link', { otherRecordBy: 'key', otherSystem: 'billing', otherKey: '91' });
		expect(findings(again, 'record')).toMatchObject({ state: 'were one already' });
	});

	test('an unlinked record is made elsewhere once somebody lets the rules decide', async () => {
		const { crm } = await linkedCustomer(lab, '1');
		await run('unlink', { part: 'billing' });
		const { links } = await lab.store.load({ policy: POLICY, keys: [{ system: 'crm', entity: 'customer', key: { id: '1' } }] });
		const [review] = await lab.store.listReviews({ policy: POLICY, state: 'open', link: links[0]?.state.id ?? '', limit: 1 });
		await resolveReview(lab.store, { review: review?.id ?? '', token: review?.token ?? '', by: 'maria', choice: { kind: 'retry' } });
		const seen = await lab.run(new EchoFilter(), { items: itemsOf(lab.crm.update({ ...crm, phone: 'P9' })) });
		const merged = await lab.run(new FieldAuthorityMerge(), { items: seen.outputs[0] ?? [] });
		expect(opsOf(merged.outputs)).toMatchObject([{ system: 'billing', kind: 'insert' }]);
	});

	test('while a write is under way, nothing is unlinked', async () => {
		const { crm } = await linkedCustomer(lab, '1');
		await passOn(lab, lab.crm.update({ ...crm, phone: 'P7' }));
		await expect(run('unlink', { part: 'billing' })).rejects.toThrow(/write of it is under way/);
	});

	test('records that each have a row in one system cannot be one', async () => {
		await linkedCustomer(lab, '1');
		await linkedCustomer(lab, '2');
		await expect(run('link', { otherRecordBy: 'key', otherSystem: 'crm', otherKey: '2' })).rejects.toThrow(/has a row of each/);
	});
});
