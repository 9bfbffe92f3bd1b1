import { foldEvents } from '../../src/core/fold-events';
import { BatchLinks } from '../../src/store/batch-identity';
import { ObservationRun } from '../../src/store/observation-run';
import { inOneTransaction } from '../support/link-story';
import { SIMULATED_ENTITY, SIMULATED_POLICY } from '../support/simulated-policy';
import { StoreLab } from '../support/store-lab';

test('who only looks has to know of the same match keys as who commits, also of those that two records swap', async () => {
	const lab = await StoreLab.open();
	for (const [id, ref] of [['1', 'ann'], ['2', 'bob']]) await lab.observe(lab.insert('crm', { id: String(id), ref: String(ref) }));
	const keys = ['1', '2'].map((id) => ({ system: 'crm', entity: SIMULATED_ENTITY, key: { id } }));
	const { links, policy: published } = await lab.store.load({ policy: SIMULATED_POLICY, keys });
	if (!published) throw new Error('there is no policy');
	const swap = foldEvents(inOneTransaction(lab.update('crm', '1', { ref: 'bob' }), lab.update('crm', '2', { ref: 'ann' })), '');
	const observed = (): ObservationRun => {
		const run = new ObservationRun({ links, asked: [], published, policy: lab.policy });
		run.observe(swap, null);
		return run;
	};
	const [looked, committed] = [observed().leave(), observed().finish()];
	expect(looked.unasked.map(({ match }) => match).sort()).toEqual(['{"ref":"ann"}', '{"ref":"bob"}']);
	expect(looked.unasked).toEqual(committed.unasked);
});

test('one key of two systems, and of two entities, leads to the record of each', async () => {
	const lab = await StoreLab.open();
	const key = { id: '1' };
	await lab.observe(lab.insert('crm', { ...key, ref: 'ann' }));
	const { links } = await lab.store.load({ policy: SIMULATED_POLICY, keys: [{ system: 'crm', entity: SIMULATED_ENTITY, key }] });
	const batch = new BatchLinks(lab.policy.policy, links);
	expect(batch.byKey('crm', SIMULATED_ENTITY, key)?.state.id).toBe(links[0]?.state.id);
	expect(batch.byKey('billing', SIMULATED_ENTITY, key)).toBeUndefined();
	expect(batch.byKey('crm', 'invoice', key)).toBeUndefined();
});
