import type { ChangeEvent } from '../../src/core/change-event';
import { foldEvents } from '../../src/core/fold-events';
import { differenceOf, type RecordDifference } from '../../src/core/reconcile-record';
import { lookAtReads, type LookedAt } from '../../src/store/look-at-reads';
import type { PublishedPolicy } from '../../src/store/sync-store';
import { SIMULATED_POLICY } from '../support/simulated-policy';
import { StoreLab } from '../support/store-lab';

const FIELDS = {
	ref: { crm: 'ref', billing: 'ref', owner: 'crm' },
	note: { crm: 'note', billing: 'note', owner: 'shared', resolve: 'review', codec: 'trim' },
};

/** Records 1, 2 … in both systems, at rest. */
async function withRecords(...ids: string[]): Promise<StoreLab> {
	const lab = await StoreLab.open({ fields: FIELDS });
	for (const id of ids) await lab.observe(lab.insert('crm', { id, ref: `r${id}`, note: 'n' }));
	await lab.pump();
	return lab;
}

async function published(lab: StoreLab): Promise<PublishedPolicy> {
	const { policy } = await lab.store.load({ policy: SIMULATED_POLICY });
	if (!policy) throw new Error('there is no policy');
	return policy;
}

async function lookAt(lab: StoreLab, ...events: ChangeEvent[]): Promise<readonly LookedAt[]> {
	return await lookAtReads(lab.store, await published(lab), foldEvents(events, ''));
}

const found = async (lab: StoreLab, ...events: ChangeEvent[]): Promise<string[]> => (await lookAt(lab, ...events)).map((one) => one.found);

async function difference(lab: StoreLab, ...events: ChangeEvent[]): Promise<RecordDifference | null> {
	const [first] = await lookAt(lab, ...events);
	if (!first?.after) throw new Error('nothing is known');
	return differenceOf({ before: first.before, after: first.after, systems: ['crm', 'billing'] }, lab.policy);
}

const billingId = (lab: StoreLab): string => Object.keys(lab.rows['billing'] ?? {})[0] ?? '';

test('a row is known when it says what the stream has shown, be it in another spelling', async () => {
	const lab = await withRecords('1', '2');
	lab.drift('crm', '2', { note: ' n ' });
	expect(await found(lab, lab.read('crm', '1'), lab.read('crm', '2'))).toEqual(['known', 'known']);
	lab.drift('crm', '2', { note: 'x' });
	expect(await found(lab, lab.read('crm', '1'), lab.read('crm', '2'))).toEqual(['known', 'differs']);
});

test('looking at rows changes nothing', async () => {
	const lab = await withRecords('1');
	lab.drift('crm', '1', { note: 'x' });
	lab.drift('crm', '7', { ref: 'r7' });
	const before = JSON.stringify(lab.links());
	await lookAt(lab, lab.read('crm', '1'), lab.read('crm', '7'));
	expect(JSON.stringify(lab.links())).toBe(before);
});

test('of a record that has changed since, or is being written to, nothing can be said yet', async () => {
	const lab = await withRecords('1');
	const id = billingId(lab);
	lab.drift('crm', '1', { note: 'drift' });
	const early = lab.read('crm', '1');
	await lab.observe(lab.update('crm', '1', { note: 'edit' }));
	expect(await found(lab, early)).toEqual(['moving']);
	const [op] = await lab.decide();
	lab.drift('billing', id, { note: 'drift' });
	expect(await found(lab, lab.read('billing', id))).toEqual(['moving']);
	if (op) await lab.apply(op);
	lab.drift('billing', id, { note: 'drift' });
	expect(await found(lab, lab.read('billing', id))).toEqual(['differs']);
});

test('a row under a key that it has left since is told from one that nobody knows by a second look only', async () => {
	const lab = await withRecords('1');
	const early = lab.read('crm', '1');
	const { '1': row = {} } = lab.rows['crm'] ?? {};
	await lab.observe({ ...lab.update('crm', '2', { ...row, id: '2' }), before: { ...row, id: '1' } });
	expect(await lookAt(lab, early)).toMatchObject([{ found: 'differs', isNew: true }]);
	lab.drift('crm', '1', null);
	expect(await found(lab, lab.read('crm', '1'), lab.read('crm', '2'))).toEqual(['known', 'known']);
});

test('names the field, what each system holds, what was known, who decides, and what would be done', async () => {
	const lab = await withRecords('1');
	const id = billingId(lab);
	lab.drift('billing', id, { ref: 'other', note: 'theirs' });
	expect(await difference(lab, lab.read('billing', id))).toMatchObject({
		entity: 'customer',
		link: lab.linkOf('crm', '1').id,
		onlyIn: null,
		fields: [
			{ field: 'note', why: 'drift', values: { crm: 'n', billing: 'theirs' }, known: { billing: 'n' }, rule: 'shared, review', actions: ['update crm'] },
			{ field: 'ref', why: 'drift', values: { crm: 'r1', billing: 'other' }, known: { billing: 'r1' }, rule: 'owned by crm', actions: ['update billing'] },
		],
	});
});

test('two systems that have drifted in the same field are a conflict, and to the same value none', async () => {
	const lab = await withRecords('1');
	const id = billingId(lab);
	lab.drift('crm', '1', { note: 'a' });
	lab.drift('billing', id, { note: 'b' });
	expect(await difference(lab, lab.read('crm', '1'), lab.read('billing', id))).toMatchObject({
		fields: [{ field: 'note', values: { crm: 'a', billing: 'b' }, known: { crm: 'n', billing: 'n' }, actions: ['review'] }],
	});
	lab.drift('billing', id, { note: 'a' });
	expect(await difference(lab, lab.read('crm', '1'), lab.read('billing', id))).toMatchObject({ fields: [{ field: 'note', actions: ['note'] }] });
});

test('tells rows that are gone and rows that are new by what would become of them', async () => {
	const lab = await withRecords('1');
	lab.drift('crm', '9', { ref: 'r9', note: 'n' });
	expect(await difference(lab, lab.read('crm', '9'))).toMatchObject({ link: null, onlyIn: 'crm', isDuplicate: false, fields: [{ field: '∃', actions: ['create in billing'] }] });
	lab.drift('crm', '8', { ref: 'r1', note: 'n' });
	expect(await difference(lab, lab.read('crm', '8'))).toMatchObject({ isDuplicate: true, fields: [{ field: '∃', actions: ['review'] }] });
	lab.drift('crm', '1', null);
	expect(await difference(lab, lab.read('crm', '1'))).toMatchObject({ onlyIn: 'billing', fields: [{ field: '∃', known: { crm: true }, actions: ['delete in billing'] }] });
});

test('a divergence that a person has accepted has a reason of its own', async () => {
	const lab = await withRecords('1');
	const id = billingId(lab);
	const edits = [lab.update('crm', '1', { note: 'a' }), lab.update('billing', id, { note: 'b' })];
	for (const edit of edits) await lab.observe(edit);
	await lab.pump();
	const { id: link } = lab.linkOf('crm', '1');
	const here = (): RecordDifference | null => {
		const state = lab.links().find((one) => one.state.id === link)?.state;
		return state ? differenceOf({ before: state, after: state, systems: ['crm', 'billing'] }, lab.policy) : null;
	};
	expect(here()).toMatchObject({ fields: [{ field: 'note', why: 'review', actions: ['review'] }] });
	await lab.resolve({ kind: 'dismiss' });
	expect(here()).toMatchObject({ fields: [{ field: 'note', why: 'accepted', actions: ['ignore'] }] });
});
