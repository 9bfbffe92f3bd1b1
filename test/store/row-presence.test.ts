import type { Json } from '../../src/core/canonical-json';
import { existsIn } from '../../src/core/link';
import { inForce } from '../../src/core/observe';
import { parsePolicy } from '../../src/core/parse-policy';
import { STREAM_START } from '../../src/core/position';
import { MemoryStore } from '../../src/store/memory-store';
import { observeBatch } from '../../src/store/observe-batch';
import { EventFeed } from '../support/event-feed';
import { inOneTransaction } from '../support/link-story';

const POLICY = inForce(
	parsePolicy(`policy: p
systems: [crm, billing]
entities:
  customer:
    crm: { table: public.t, key: [id], where: { company: 1 } }
    billing: { table: public.t, key: [id] }
    match: [[ref]]
    fields: { ref: { crm: ref, billing: ref, owner: crm } }
    deletes: { massDelete: { rows: 2 }, as: { crm: { gone: true } } }`),
);

/** The streams of two systems, observed into one store. */
async function lab() {
	const store = new MemoryStore({ now: () => 0 });
	const feeds = { crm: new EventFeed('crm', 'id'), billing: new EventFeed('billing', 'id') };
	const { name, document } = POLICY.policy;
	await store.publishPolicy({ name, document, hash: POLICY.hash, by: 'x', initialMode: 'live' });
	for (const system of ['crm', 'billing']) {
		const about = { slot: system, systemId: '1', timeline: 1, filterHash: '', snapshot: 'none' as const };
		await store.registerStream({ policy: name, system, start: STREAM_START, ...about });
	}
	const observe = async (...events: Parameters<typeof observeBatch>[2]) => await observeBatch(store, 'p', events);
	const links = async () => (await store.scanLinks({ policy: 'p', limit: 100 })).map(({ state }) => state);
	return { store, observe, links, ...feeds };
}

const row = (id: string, more: Record<string, Json> = {}) => ({ id, ref: `r${id}`, company: 1, gone: false, ...more });

test('a row outside makes no link, and one whose company was not sent makes none either', async () => {
	const { observe, links, crm } = await lab();
	const { company: _unknown, ...unsent } = row('2');
	const seen = await observe(crm.insert(row('1', { company: 2 })), crm.insert(unsent), crm.insert(row('3')));
	expect(seen).toMatchObject([{ link: null }, { link: null }, { disposition: 'foreign' }]);
	expect((await links()).map(({ keys }) => keys)).toEqual([{ crm: { id: '3' } }]);
});

test('a row that comes in is linked with the record that has its match values', async () => {
	const { observe, links, crm, billing } = await lab();
	await observe(crm.insert(row('1', { company: 2 })), billing.insert({ id: 'b', ref: 'r1' }));
	await observe(crm.update(row('1')));
	expect((await links()).map(({ keys }) => keys)).toEqual([{ billing: { id: 'b' }, crm: { id: '1' } }]);
});

test('many rows that are archived or moved out at once wait as deletes do', async () => {
	const { store, observe, links, crm } = await lab();
	await observe(...['1', '2', '3', '4'].map((id) => crm.insert(row(id))));
	await observe(
		...inOneTransaction(crm.update(row('1', { gone: true })), crm.update(row('2', { company: 2 })), crm.delete(row('3'))),
	);
	const [item, ...others] = await store.listReviews({ policy: 'p', limit: 10 });
	expect(others).toEqual([]);
	expect(item).toMatchObject({ kind: 'approval', reason: expect.stringMatching(/^crm deleted 3 .* \(2 of them archived/) as string, detail: { deletes: 3 } });
	const waiting = (await links()).filter(({ fields }) => fields['∃']?.frozen?.review === item?.id);
	expect(waiting).toHaveLength(3);
});

test('rows that were archived before are not archived again by a rewrite', async () => {
	const { store, observe, crm } = await lab();
	const ids = ['1', '2', '3'];
	for (const id of ids) await observe(crm.insert(row(id, { gone: true })));
	await observe(...inOneTransaction(...ids.map((id) => crm.update(row(id, { gone: true, touched: 'now' })))));
	expect(await store.listReviews({ policy: 'p', limit: 10 })).toEqual([]);
});

test('an archived row that comes back is the one that another system’s new record waits for', async () => {
	const { observe, links, crm, billing } = await lab();
	await observe(crm.insert(row('1', { gone: true })), billing.insert({ id: 'b', ref: 'r1' }));
	await observe(crm.update(row('1')));
	const linked = (await links()).filter((state) => existsIn(state, 'crm'));
	expect(linked.map(({ keys }) => keys)).toEqual([{ billing: { id: 'b' }, crm: { id: '1' } }]);
	await observe(crm.update(row('1', { ref: 'changed' })));
	const [after] = (await links()).filter((state) => existsIn(state, 'crm'));
	expect(after?.fields['ref']?.views['crm']?.canon).toBe('changed');
});
