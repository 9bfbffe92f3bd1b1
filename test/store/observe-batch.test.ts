import type { ChangeEvent } from '../../src/core/change-event';
import { existsIn } from '../../src/core/link';
import { inForce, type PolicyInForce } from '../../src/core/observe';
import { parsePolicy } from '../../src/core/parse-policy';
import { STREAM_START } from '../../src/core/position';
import { MemoryStore } from '../../src/store/memory-store';
import { observeBatch } from '../../src/store/observe-batch';
import { EventFeed } from '../support/event-feed';
import { inOneTransaction } from '../support/link-story';

/** A store with the streams of crm and billing, under a policy with these match rules over the fields a, b and c. */
class Lab {
	readonly store = new MemoryStore({ now: () => 0 });
	readonly crm = new EventFeed('crm', 'id');
	readonly billing = new EventFeed('billing', 'id');
	readonly #policy: PolicyInForce;

	constructor(match: string) {
		const table = (system: string) => `${system}: { table: public.t, key: [id] }`;
		const field = (name: string) => `${name}: { crm: ${name}, billing: ${name}, owner: crm }`;
		this.#policy = inForce(
			parsePolicy(`policy: p
systems: [crm, billing]
entities:
  customer:
    ${table('crm')}
    ${table('billing')}
    match: ${match}
    fields: { ${['a', 'b', 'c'].map(field).join(', ')} }`),
		);
	}

	async start(): Promise<void> {
		const { document, name } = this.#policy.policy;
		await this.store.publishPolicy({ name, document, hash: this.#policy.hash, by: 'x', initialMode: 'live' });
		for (const system of ['crm', 'billing']) {
			const about = { slot: system, systemId: '1', timeline: 1, filterHash: '', snapshot: 'none' as const };
			await this.store.registerStream({ policy: name, system, start: STREAM_START, ...about });
		}
	}

	async observe(...events: ChangeEvent[]): Promise<(string | undefined)[]> {
		const seen = await observeBatch(this.store, 'p', events);
		return seen.map((one) => (one instanceof Error ? one.code : one.disposition));
	}
}

beforeAll(() => void jest.spyOn(Math, 'random').mockReturnValue(0));
afterAll(() => void jest.restoreAllMocks());

test('a match key that another record holds does not hold up the stream of a link that was only met', async () => {
	const lab = new Lab('[[a], [b]]');
	await lab.start();
	await lab.observe(lab.crm.insert({ id: '1', a: 'h', b: 'e1', c: '' }));
	await lab.observe(lab.crm.insert({ id: '2', a: 't', b: 'e2', c: '' }));
	await lab.observe(lab.crm.update({ id: '1', a: 'h', b: 'e2', c: '' }));
	expect(await lab.observe(lab.billing.insert({ id: '9', a: 'h', b: 'e9', c: '' }))).toEqual(['foreign']);
});

test('nor does one of which a part was not sent', async () => {
	const lab = new Lab('[[a, b]]');
	await lab.start();
	await lab.observe(lab.crm.insert({ id: '1', a: 'a1', b: 'B', c: '' }));
	await lab.observe(lab.crm.insert({ id: '2', a: 'a2', b: 'B', c: '' }));
	const moved = { ...lab.crm.update({ id: '1', a: 'a2', c: '' }), unchanged: ['b'] };
	expect(await lab.observe(moved)).toEqual(['foreign']);
});

test('a record that is made before its twin is deleted in the same transaction is not taken for a duplicate', async () => {
	const lab = new Lab('[[a]]');
	await lab.start();
	await lab.observe(lab.crm.insert({ id: '1', a: 'x', c: '' }));
	const events = [lab.crm.insert({ id: '2', a: 'x', c: '' }), lab.crm.delete({ id: '1', a: 'x', c: '' })];
	expect(await lab.observe(...inOneTransaction(...events))).toEqual(['foreign', 'foreign']);
	const keys = ['1', '2'].map((id) => ({ system: 'crm', entity: 'customer', key: { id } }));
	const { links } = await lab.store.load({ policy: 'p', keys });
	expect(links.map(({ state }) => [state.keys['crm'], existsIn(state, 'crm')])).toEqual([
		[{ id: '1' }, false],
		[{ id: '2' }, true],
	]);
});

test('a match key that went through two records of the batch is claimed by the last one only', async () => {
	const lab = new Lab('[[a]]');
	await lab.start();
	await lab.observe(lab.crm.insert({ id: '1', a: 'x', c: '' }), lab.crm.insert({ id: '2', a: 'y', c: '' }));
	const events = [
		lab.crm.update({ id: '1', a: 'z', c: '' }),
		lab.crm.update({ id: '2', a: 'x', c: '' }),
		lab.crm.update({ id: '1', a: 'z', c: 'n' }),
		lab.crm.insert({ id: '3', a: 'x', c: '' }),
	];
	expect(await lab.observe(...events)).toEqual(['foreign', 'foreign', 'foreign', 'foreign']);
});
