import { SyncRecord } from '../../nodes/SyncRecord/SyncRecord.node';
import { type NodeLab, openNodeLab, POLICY } from '../support/node-lab';

let lab: NodeLab;
beforeEach(async () => {
	lab = await openNodeLab();
});
afterEach(() => lab.close());

const RUN = { operation: 'rollBack', policy: POLICY, rollBackDo: 'preview', from: '2020-01-01T00:00:00', until: '2020-01-02T00:00:00Z', runFilter: {}, rollBackLimit: 9, rollBackAfter: '', by: '' };

const run = async (parameters: Record<string, unknown> = {}) =>
	(await lab.run(new SyncRecord(), { parameters: { ...RUN, ...parameters } })).outputs[0]?.[0]?.json;

test('a run in which nothing was written has nothing to give back', async () => {
	expect(await run({ runFilter: { system: 'billing', fields: 'name, phone' } })).toMatchObject({ rolledBack: false, records: 0, restored: {}, isCut: false });
	expect((await run({ rollBackDo: 'apply', by: 'ann' }))?.['run']).toContain('what was decided from 2020-01-0');
});

test('an execution is named as it is asked for, and needs no time', async () => {
	const asked = { rollBackRun: 'execution', rollBackExecution: '4711', from: '', until: '' };
	expect(await run(asked)).toMatchObject({ run: 'what execution 4711 decided', records: 0 });
});

test.each([
	[{ until: '2999-01-01T00:00:00Z' }, /"Until" must be past/],
	[{ from: '2020-01-03T00:00:00Z' }, /"From" must be before "Until"/],
	[{ from: 'yesterday' }, /"From" must be a moment/],
	[{ until: '' }, /"Until" must not be empty/],
	[{ rollBackDo: 'apply' }, /"By" must not be empty/],
	[{ rollBackRun: 'execution' }, /"Execution ID" must not be empty/],
	[{ rollBackCreated: 'perhaps' }, /"Records That the Run Created"/],
])('%j is refused', async (parameters, message) => {
	await expect(run(parameters)).rejects.toMatchObject({ message: expect.stringMatching(message) });
});
