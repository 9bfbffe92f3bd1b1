import fc from 'fast-check';

import type { Json } from '../../src/core/canonical-json';
import { inForce } from '../../src/core/observe';
import { replay } from '../../src/core/replay';
import { type RollBackAsked, type RollBackReport, rollBackRun } from '../../src/store/roll-back';
import { SIMULATED_POLICY } from '../support/simulated-policy';
import { StoreLab } from '../support/store-lab';

const ENTITY = {
	sensitive: ['secret'],
	fields: {
		ref: { crm: 'ref', billing: 'ref', owner: 'crm' },
		note: { crm: 'note', billing: 'note', owner: 'shared', resolve: 'review' },
		city: { crm: 'city', billing: 'city', owner: 'crm' },
		secret: { crm: 'secret', billing: 'secret', owner: 'shared', resolve: 'review' },
	},
};
type System = 'crm' | 'billing';
const RUN = { fromMs: 100, untilMs: 200, system: null, entity: null, fields: null, policyHash: null, execution: null };

async function openLab(count: number): Promise<StoreLab> {
	const lab = await StoreLab.open(ENTITY);
	for (let id = 1; id <= count; id++) await lab.observe(lab.insert('crm', { id: String(id), ref: `r${id}`, note: 'old', city: 'Bonn', secret: 's0' }));
	await lab.pump();
	return lab;
}

async function roll(lab: StoreLab, asked: Partial<RollBackAsked> = {}): Promise<RollBackReport> {
	const before = lab.store.state.serialise();
	const report = await rollBackRun(lab.store, { policy: SIMULATED_POLICY, filter: RUN, run: 'the run', by: 'ann', created: 'leave', apply: true, limit: 100, listed: 10, after: '0', ...asked });
	if (asked.apply === false) expect(lab.store.state.serialise()).toBe(before);
	return report;
}

/** The row of a record in a system. */
function rowOf(lab: StoreLab, system: System, ref: string): Record<string, unknown> {
	return Object.values(lab.rows[system] ?? {}).find((row) => row['ref'] === ref) ?? {};
}

const edit = (lab: StoreLab, system: System, ref: string, values: Record<string, Json>) =>
	lab.update(system, String(rowOf(lab, system, ref)['id']), values);

async function runOf(lab: StoreLab, ...edits: readonly (readonly [System, string, Record<string, Json>])[]): Promise<void> {
	lab.nowMs = 150;
	for (const [system, ref, values] of edits) {
		await lab.observe(edit(lab, system, ref, values));
		await lab.pump();
	}
	lab.nowMs = 300;
}

test('what the run wrote goes back in all systems, and a second time there is nothing to do', async () => {
	const lab = await openLab(2);
	await runOf(lab, ['crm', 'r1', { note: 'wrong' }], ['billing', 'r2', { note: 'wrong too' }]);
	const preview = await roll(lab, { apply: false });
	expect(preview).toMatchObject({ records: 2, restored: { 'customer.note': 2 }, leftAlone: {}, isCut: false });
	expect(preview.examples[0]).toMatchObject({ field: 'note', wrote: 'wrong', restores: 'old' });
	expect(await roll(lab)).toEqual(preview);
	const ops = await lab.pump();
	expect(ops.length).toBe(4);
	for (const system of ['crm', 'billing'] as const) for (const ref of ['r1', 'r2']) expect(rowOf(lab, system, ref)['note']).toBe('old');
	const again = await roll(lab);
	expect(again.restored).toEqual({});
	expect(again).toMatchObject({ leftAlone: { 'it has been changed since, or rolled back already': 2 } });
	expect(await lab.pump()).toEqual([]);
});

test('what users have changed since is left alone and listed, to the field', async () => {
	const lab = await openLab(2);
	await runOf(lab, ['crm', 'r1', { note: 'wrong', city: 'Rome' }], ['crm', 'r2', { note: 'wrong' }]);
	await lab.observe(edit(lab, 'billing', 'r1', { note: 'by a user' }));
	await lab.pump();
	const report = await roll(lab);
	expect(report).toMatchObject({ restored: { 'customer.city': 1, 'customer.note': 1 }, left: [{ field: 'note', why: 'it has been changed since, or rolled back already' }] });
	await lab.pump();
	for (const system of ['crm', 'billing'] as const) {
		expect(rowOf(lab, system, 'r1')).toMatchObject({ note: 'by a user', city: 'Bonn' });
		expect(rowOf(lab, system, 'r2')).toMatchObject({ note: 'old' });
	}
});

test('an edit that puts the same value there again is an edit all the same', async () => {
	const lab = await openLab(1);
	await runOf(lab, ['crm', 'r1', { note: 'wrong' }]);
	for (const note of ['other', 'wrong']) {
		await lab.observe(edit(lab, 'crm', 'r1', { note }));
		await lab.pump();
	}
	expect((await roll(lab)).restored).toEqual({});
});

test('an edit that nobody has heard of yet is not overwritten: a person decides', async () => {
	const lab = await openLab(1);
	await runOf(lab, ['crm', 'r1', { note: 'wrong' }]);
	const unheard = edit(lab, 'billing', 'r1', { note: 'by a user' });
	expect(await roll(lab)).toMatchObject({ restored: { 'customer.note': 1 } });
	await lab.observe(unheard);
	await lab.pump();
	expect(await lab.openReviews()).toMatchObject([{ kind: 'conflict', fields: ['note'] }]);
	expect(rowOf(lab, 'billing', 'r1')['note']).toBe('by a user');
});

test('records that the run created or deleted are left alone and listed', async () => {
	const lab = await openLab(1);
	lab.nowMs = 150;
	await lab.observe(lab.insert('billing', { id: '70', ref: 'r7', note: 'new', city: 'Ulm', secret: 's' }));
	await lab.pump();
	await lab.observe(lab.delete('crm', String(rowOf(lab, 'crm', 'r1')['id'])));
	await lab.pump();
	lab.nowMs = 300;
	const { restored, left } = await roll(lab);
	expect(restored).toEqual({});
	expect(left.map(({ field, why }) => `${field}: ${why}`).sort()).toEqual([
		expect.stringMatching(/^\(record\): the run created the record in crm/),
		expect.stringMatching(/^\(record\): the run deleted the record in billing/),
	]);
	expect(await lab.pump()).toEqual([]);
});

test('only what fits the filter is part of the run', async () => {
	const lab = await openLab(1);
	await runOf(lab, ['crm', 'r1', { note: 'wrong', city: 'Rome' }]);
	const filtered = async (filter: Partial<RollBackAsked['filter']>) => (await roll(lab, { apply: false, filter: { ...RUN, ...filter } })).restored;
	expect(await filtered({ fields: ['city'] })).toEqual({ 'customer.city': 1 });
	expect(await filtered({ system: 'crm' })).toEqual({});
	expect(await filtered({ system: 'billing' })).toEqual({ 'customer.city': 1, 'customer.note': 1 });
	expect(await filtered({ policyHash: 'another' })).toEqual({});
	expect(await filtered({ entity: 'order' })).toEqual({});
	expect(await filtered({ untilMs: 150 })).toEqual({});
});

test('sensitive values are masked in what is listed', async () => {
	const lab = await openLab(1);
	await runOf(lab, ['crm', 'r1', { secret: 'leaked' }]);
	const text = JSON.stringify(await roll(lab));
	expect(text).toContain('•••');
	expect(text).not.toMatch(/leaked|s0/);
});

test('many records are gone through in parts', async () => {
	const lab = await openLab(5);
	await runOf(lab, ...['r1', 'r2', 'r3', 'r4', 'r5'].map((ref) => ['crm', ref, { note: 'wrong' }] as const));
	let after = '0';
	let restored = 0;
	for (let part = await roll(lab, { limit: 2, after }); ; part = await roll(lab, { limit: 2, after })) {
		restored += part.restored['customer.note'] ?? 0;
		after = part.next;
		if (!part.isCut) break;
	}
	expect(restored).toBe(5);
});

describe('records that the run created', () => {
	const made = async (): Promise<StoreLab> => {
		const lab = await openLab(1);
		lab.nowMs = 150;
		for (const ref of ['new1', 'new2']) await lab.observe(lab.insert('crm', { id: ref, ref, note: 'imported', city: 'Rome', secret: 's9' }));
		await lab.pump();
		lab.nowMs = 300;
		return lab;
	};

	test('go everywhere when asked for, but those that somebody has changed since', async () => {
		const lab = await made();
		await lab.observe(edit(lab, 'billing', 'new2', { note: 'by a user' }));
		await lab.pump();
		const preview = await roll(lab, { created: 'delete', apply: false });
		expect(preview).toMatchObject({
			restored: { 'customer.(record)': 1 },
			left: [{ field: '(record)', why: 'the run created the record, and it has been changed since' }],
		});
		expect(await roll(lab, { created: 'delete' })).toEqual(preview);
		const ops = await lab.pump();
		expect(ops.map(({ kind, system }) => `${kind} ${system}`).sort()).toEqual(['delete billing', 'delete crm']);
		for (const system of ['crm', 'billing'] as const) {
			expect(rowOf(lab, system, 'new1')).toEqual({});
			expect(rowOf(lab, system, 'new2')).toMatchObject({ note: 'by a user' });
			expect(rowOf(lab, system, 'r1')).toMatchObject({ note: 'old' });
		}
		expect(await roll(lab, { created: 'delete' })).toMatchObject({ restored: {} });
		for (const { state } of lab.links()) {
			const entries = (await lab.store.readJournal({ policy: SIMULATED_POLICY, limit: 10_000 })).filter(({ link }) => link === state.id);
			expect(replay(entries, (hash) => (hash === lab.policy.hash ? lab.policy : undefined))).toEqual(state);
		}
	});

	test('an edit that is still unheard keeps the record', async () => {
		const lab = await made();
		const unheard = edit(lab, 'billing', 'new1', { note: 'by a user' });
		await roll(lab, { created: 'delete' });
		await lab.observe(unheard);
		await lab.pump();
		for (const system of ['crm', 'billing'] as const) expect(rowOf(lab, system, 'new1')).toMatchObject({ note: 'by a user' });
	});
});

test('what is known of a record that the run deleted is handed out, to make it again', async () => {
	const lab = await openLab(1);
	lab.nowMs = 150;
	const id = String(rowOf(lab, 'crm', 'r1')['id']);
	await lab.observe(lab.delete('crm', id));
	await lab.pump();
	lab.nowMs = 300;
	const { left } = await roll(lab, { created: 'delete' });
	expect(left).toEqual([expect.objectContaining({ field: '(record)', rows: { crm: { ref: 'r1', note: 'old', city: 'Bonn', secret: '•••' }, billing: { ref: 'r1', note: 'old', city: 'Bonn', secret: '•••' } } })]);
	expect(await lab.pump()).toEqual([]);
});

test('a run can be one execution of the workflow', async () => {
	const lab = await openLab(2);
	lab.execution = '41';
	await runOf(lab, ['crm', 'r1', { note: 'wrong' }]);
	lab.execution = '42';
	await runOf(lab, ['crm', 'r2', { note: 'wrong' }]);
	const filter = { ...RUN, fromMs: 0, untilMs: 300, execution: '42' };
	expect(await roll(lab, { filter })).toMatchObject({ records: 1, restored: { 'customer.note': 1 } });
	await lab.pump();
	expect([rowOf(lab, 'billing', 'r1')['note'], rowOf(lab, 'billing', 'r2')['note']]).toEqual(['wrong', 'old']);
	expect(await roll(lab, { filter: { ...filter, execution: '4' } })).toMatchObject({ records: 0 });
});

interface Act {
	readonly when: 'run' | 'after' | 'unheard';
	readonly system: System;
	readonly ref: string;
	readonly field: 'note' | 'secret';
	readonly value: string;
}

const act: fc.Arbitrary<Act> = fc.record({
	when: fc.constantFrom('run', 'run', 'run', 'after', 'unheard'),
	system: fc.constantFrom('crm', 'billing'),
	ref: fc.constantFrom('r1', 'r2', 'r3'),
	field: fc.constantFrom('note', 'secret'),
	value: fc.constantFrom('a', 'b', 'c'),
});

test('after any run and any later edits: untouched fields are as before it everywhere, and no later edit is lost', async () => {
	await fc.assert(
		fc.asyncProperty(fc.array(act, { maxLength: 12 }), async (acts) => {
			const lab = await openLab(3);
			const of = (when: Act['when']) => acts.filter((one) => one.when === when);
			await runOf(lab, ...of('run').map(({ system, ref, field, value }) => [system, ref, { [field]: value }] as const));
			const placeOf = ({ ref, field }: Act) => `${ref}.${field}`;
			const initial = (field: Act['field']) => (field === 'note' ? 'old' : 's0');
			// An edit that changes nothing is none.
			const isReal = (one: Act) => rowOf(lab, one.system, one.ref)[one.field] !== one.value;
			const later = new Set<string>();
			for (const one of of('after')) {
				if (isReal(one)) later.add(placeOf(one));
				await lab.observe(edit(lab, one.system, one.ref, { [one.field]: one.value }));
				await lab.pump();
			}
			const unheard: [Act, ReturnType<typeof edit>][] = [];
			for (const one of of('unheard')) if (isReal(one)) unheard.push([one, edit(lab, one.system, one.ref, { [one.field]: one.value })]);
			const standing = new Map(acts.map((one) => [placeOf(one), rowOf(lab, 'crm', one.ref)[one.field]]));
			await roll(lab);
			for (const [, event] of unheard) await lab.observe(event);
			await lab.pump();
			const asked = new Set((await lab.openReviews()).flatMap(({ link, fields }) => fields.map((field) => `${link}.${field}`)));
			const untouched = acts.filter((one) => !later.has(placeOf(one)) && !unheard.some(([other]) => placeOf(other) === placeOf(one)));
			for (const one of untouched) {
				for (const system of ['crm', 'billing'] as const) expect(rowOf(lab, system, one.ref)[one.field]).toBe(initial(one.field));
			}
			for (const one of of('after').filter((other) => later.has(placeOf(other)) && !unheard.some(([two]) => placeOf(two) === placeOf(other)))) {
				for (const system of ['crm', 'billing'] as const) expect(rowOf(lab, system, one.ref)[one.field]).toBe(standing.get(placeOf(one)));
			}
			for (const place of new Set(unheard.map(([one]) => placeOf(one)))) {
				const [last] = unheard.filter(([one]) => placeOf(one) === place).at(-1) ?? [];
				if (!last) continue;
				const { id } = lab.linkOf(last.system, String(rowOf(lab, last.system, last.ref)['id']));
				const here = rowOf(lab, last.system, last.ref)[last.field];
				expect(asked.has(`${id}.${last.field}`) || here === last.value).toBe(true);
				if (!asked.has(`${id}.${last.field}`)) expect(rowOf(lab, 'crm', last.ref)[last.field]).toBe(rowOf(lab, 'billing', last.ref)[last.field]);
			}
			await expectReplays(lab);
		}),
		{ numRuns: Number(process.env['PROPERTY_RUNS'] ?? 40) },
	);
});

/** The journal, with what was rolled back in it, leads to the states that are stored. */
async function expectReplays(lab: StoreLab): Promise<void> {
	const policy = inForce(lab.policy.policy);
	for (const { state } of lab.links()) {
		const entries = await lab.store.readJournal({ policy: SIMULATED_POLICY, link: state.id, limit: 10_000 });
		expect(replay(entries, () => policy)).toEqual(state);
	}
}
