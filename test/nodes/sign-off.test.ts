import { EchoFilter } from '../../nodes/EchoFilter/EchoFilter.node';
import { FieldAuthorityMerge } from '../../nodes/FieldAuthorityMerge/FieldAuthorityMerge.node';
import { SyncPolicy } from '../../nodes/SyncPolicy/SyncPolicy.node';
import { decideBatch } from '../../src/store/decide-batch';
import { itemsOf, type NodeLab, openNodeLab, POLICY } from '../support/node-lab';
import { samplePolicyWith } from '../support/sample-policy';

let lab: NodeLab;
beforeEach(async () => {
	lab = await openNodeLab();
});
afterEach(() => lab.close());

const node = new SyncPolicy();

async function run(operation: string, parameters: Record<string, unknown> = {}) {
	const { outputs } = await lab.run(node, { parameters: { operation, by: 'ann', ...parameters } });
	return outputs[0]?.[0]?.json ?? {};
}

describe('sign-off', () => {
	const REQUIRED = samplePolicyWith('systems: [crm, billing]', 'systems: [crm, billing]\nsignOff: required');
	const merge = async () => {
		const { outputs } = await lab.run(new EchoFilter(), { items: itemsOf(lab.crm.insert({ id: '7', email: 'new@x', full_name: 'New' })) });
		const items = outputs.flat();
		return { items, merged: await lab.run(new FieldAuthorityMerge(), { items }) };
	};

	test('the sheet is of the version in force, and says so', async () => {
		const sheet = await run('signOffSheet', { subject: 'published', sheetFormat: 'markdown' });
		expect(sheet).toMatchObject({ policy: POLICY, version: 1, signed: false });
		expect(sheet['sheet']).toContain('# Policy crm-billing, version 1');
		expect(sheet['sheet']).toContain(sheet['hash']);
	});

	test('an edited sheet becomes a document that can be published, and says what was edited', async () => {
		const { sheet } = await run('signOffSheet', { subject: 'published', sheetFormat: 'csvSemicolon' });
		const line = String(sheet).split('\r\n').find((one) => one.startsWith('customer;name')) ?? '';
		const changed = String(sheet).replace(line, line.replace(';crm;revert;', ';billing;revert;'));
		const imported = await run('importSignOff', { subject: 'published', sheet: changed });
		expect(imported).toMatchObject({ changed: true, changes: [{ entity: 'customer', field: 'name', column: 'Owner', before: 'crm', after: 'billing' }] });
		const published = await run('publish', { document: imported['document'] });
		expect(`sha256:${String(published['hash'])}`).toBe(imported['hash']);
		expect(published).toMatchObject({ version: 2 });
	});

	test('a version that must be signed decides nothing and keeps everything until somebody signs it', async () => {
		expect((await run('publish', { document: REQUIRED }))['nextStep']).toContain('until somebody has signed');
		const { items, merged } = await merge();
		expect(items.length).toBe(1);
		expect(merged.outputs.flat().some(({ json }) => json['bisync'] && 'op' in ((json['bisync'] as { merge?: object }).merge ?? {}))).toBe(false);
		expect(merged.hints.join()).toContain('must be signed');
		const { hash } = await run('signOffSheet', { subject: 'published', sheetFormat: 'html' });
		expect(await run('sign', { hash })).toMatchObject({ signed: true, inForce: true, mode: 'live' });
		const due = await lab.store.leaseDue({ policy: POLICY, limit: 9, delayMs: 1, maxDelayMs: 1 });
		expect(due.length).toBe(1);
		const after = await lab.run(new FieldAuthorityMerge(), { items });
		expect(after.hints).toEqual([]);
		expect(after.outputs.flat().length).toBeGreaterThan(0);
		expect((await run('show'))['signatures']).toMatchObject([{ by: 'ann', inForce: true }]);
	});

	test('a version can be signed before it is published, so that nothing has to wait', async () => {
		const { hash } = await run('signOffSheet', { subject: 'document', document: REQUIRED, sheetFormat: 'csv' });
		expect(await run('sign', { hash })).toMatchObject({ inForce: false, signed: false });
		await run('publish', { document: REQUIRED });
		expect((await merge()).merged.hints).toEqual([]);
	});

	test('once a version has been signed, one that is not goes on with a warning; before that nobody is bothered', async () => {
		expect((await merge()).merged.hints).toEqual([]);
		const { hash } = await run('signOffSheet', { subject: 'published', sheetFormat: 'csv' });
		await run('sign', { hash });
		await run('publish', { document: samplePolicyWith('resolve: prefer(crm)', 'resolve: prefer(billing)') });
		expect((await merge()).merged.hints.join()).toContain('Nobody has signed version 2');
		await run('publish', { document: samplePolicyWith('systems: [crm, billing]', 'systems: [crm, billing]\nsignOff: off') });
		expect((await merge()).merged.hints).toEqual([]);
	});

	test('a hash that is none is refused', async () => {
		await expect(run('sign', { hash: 'abc' })).rejects.toMatchObject({ message: expect.stringContaining('"Hash" must be the hash on the sign-off sheet') });
	});
});

test('what-if tells which past decisions a changed document would make otherwise, and publishes nothing', async () => {
	const { crm, billing } = lab;
	await lab.run(new EchoFilter(), { items: itemsOf(crm.insert({ id: '1', email: 'a@x' }), billing.insert({ account_no: '9', contact_email: 'a@x' })) });
	await decideBatch(lab.store, { policy: POLICY, links: (await lab.store.scanLinks({ policy: POLICY, limit: 9 })).map(({ state }) => state.id) });
	const report = await run('whatIf', { document: samplePolicyWith('resolve: review', 'resolve: latest'), decisions: 100, examples: 2, after: '' });
	expect(report).toMatchObject({ policy: POLICY, records: 1, differing: 0, isCut: false, notJudged: [] });
	expect(report['decisions']).toBeGreaterThan(0);
	expect((await run('show'))['version']).toBe(1);
	const unknown = samplePolicyWith('policy: crm-billing', 'policy: unknown');
	await expect(run('whatIf', { document: unknown, decisions: 1, examples: 1, after: '' })).rejects.toMatchObject({ message: expect.stringContaining('has not been published') });
});
