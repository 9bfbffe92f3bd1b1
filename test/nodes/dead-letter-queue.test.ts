import type { INodeExecutionData } from 'n8n-workflow';

import { DeadLetterQueue } from '../../nodes/DeadLetterQueue/DeadLetterQueue.node';
import { EchoFilter } from '../../nodes/EchoFilter/EchoFilter.node';
import { FieldAuthorityMerge } from '../../nodes/FieldAuthorityMerge/FieldAuthorityMerge.node';
import { MASK } from '../../src/core/mask';
import { linkedCustomer, macKeyOf, passOn } from '../support/node-chain';
import { inOneTransaction } from '../support/link-story';
import { findings, itemsOf, type NodeLab, openNodeLab, POLICY } from '../support/node-lab';

const REVIEW = 2;

let lab: NodeLab;
beforeEach(async () => {
	lab = await openNodeLab();
});
afterEach(() => lab.close());

const queue = new DeadLetterQueue();

interface Listed {
	readonly id: string;
	readonly kind: string;
	readonly state: string;
	readonly token: string;
	readonly reason: string;
	readonly detail: unknown;
	readonly [name: string]: unknown;
}

async function run(
	operation: string,
	parameters: Record<string, unknown> = {},
	items?: INodeExecutionData[],
) {
	const { outputs } = await lab.run(queue, {
		parameters: { operation, by: 'ann', ...parameters },
		...(items ? { items } : {}),
	});
	return outputs[0] ?? [];
}

async function list(parameters: Record<string, unknown> = {}): Promise<Listed[]> {
	return (await run('list', parameters)).map(({ json }) => json as unknown as Listed);
}

/** A conflict over the phone of one customer. */
async function phoneConflict(id = '1'): Promise<INodeExecutionData[]> {
	const { crm, billing } = await linkedCustomer(lab, id);
	const items = itemsOf(
		lab.crm.update({ ...crm, phone: 'P1' }),
		lab.billing.update({ ...billing, phone: 'P2' }),
	);
	const seen = await lab.run(new EchoFilter(), { items });
	const { outputs } = await lab.run(new FieldAuthorityMerge(), { items: seen.outputs[0] ?? [] });
	return outputs[REVIEW] ?? [];
}

describe('push', () => {
	test('of a review that is open already stores nothing and hands the item on', async () => {
		const items = await phoneConflict();
		const [item] = await run('push', {}, items);
		expect(lab.trips()).toBe(0);
		expect(findings(item, 'deadLetter')).toMatchObject({
			state: 'already open',
			ids: [expect.stringMatching(/\.1$/)],
		});
	});

	test('of any item of any workflow keeps it with its reason, once however often it is pushed', async () => {
		const items = [{ json: { invoice: 7, error: { message: 'no such customer' } } }];
		const [first] = await run('push', {}, items);
		const [second] = await run('push', {}, items);
		expect(findings(second, 'deadLetter')['id']).toBe(findings(first, 'deadLetter')['id']);
		expect(await list()).toMatchObject([
			{
				kind: 'failure',
				reason: 'no such customer',
				detail: { payload: { invoice: 7 }, origin: { workflow: 'workflow1' } },
			},
		]);
	});

	test('of a write that had no outcome names the write, and ends when the write has one', async () => {
		const { crm, billing } = await linkedCustomer(lab, '1');
		const [op] = await passOn(lab, lab.crm.update({ ...crm, note: 'secret' }));
		if (!op) throw new Error('no operation');
		const write = {
			op: op.id,
			outcome: 'none',
			error: { code: 'DATABASE_UNREACHABLE', message: 'Cannot reach billing' },
		};
		await run('push', {}, [{ json: { bisync: { merge: { op: { ...op } }, write } } as never }]);
		const [letter] = await list();
		expect(letter).toMatchObject({
			id: `write-${op.id}`,
			reason: 'Cannot reach billing',
			fields: ['note'],
			link: null,
			detail: { link: op.link, system: 'billing' },
		});
		expect(JSON.stringify(letter)).not.toContain('secret');
		await passOn(
			lab,
			lab.billing.echo(op, await macKeyOf(lab), { row: { ...billing, memo: 'secret' } }),
		);
		expect(await list()).toEqual([]);
		expect(await list({ state: 'superseded' })).toMatchObject([
			{ id: `write-${op.id}`, closedBy: 'sync' },
		]);
	});

	test('of a refused write leaves it to the item that its marker opens', async () => {
		const [item] = await run('push', {}, [
			{
				json: {
					bisync: { write: { op: 'l:billing:1', outcome: 'refused', error: { message: 'x' } } },
				},
			},
		]);
		expect(findings(item, 'deadLetter')['state']).toBe('opened by the change stream');
		expect(lab.trips()).toBe(0);
	});

	test('takes one store trip for 1, 10 and 200 items', async () => {
		for (const count of [1, 10, 200]) {
			await run(
				'push',
				{},
				Array.from({ length: count }, (_, i) => ({ json: { count, i } })),
			);
			expect(lab.trips()).toBe(1);
		}
	});

	test('of items of a manual test run keeps nothing', async () => {
		const [item] = await run('push', {}, [{ json: { a: 1, test: true } }]);
		expect(findings(item, 'deadLetter')['would']).toMatch(/^be kept as letter-/);
		expect(await list()).toEqual([]);
	});

	test('of a change event masks its sensitive columns in the list', async () => {
		const [event] = itemsOf(lab.crm.insert({ id: '1', email: 'ann@x', note: 'n' }));
		await run('push', {}, event ? [event] : []);
		expect((await list())[0]?.detail).toMatchObject({
			payload: { after: { id: '1', email: MASK, note: 'n' } },
		});
	});
});

describe('list and get', () => {
	test('mask sensitive values unless they are asked for', async () => {
		await phoneConflict();
		const [item] = await list();
		expect(item).toMatchObject({
			kind: 'conflict',
			state: 'open',
			fields: ['phone'],
			openedAt: expect.stringMatching(/^\d{4}-/),
		});
		expect(JSON.stringify(item)).not.toMatch(/P1|P2/);
		const shown = async (reveal: boolean): Promise<string> =>
			JSON.stringify(await run('get', { id: item?.id, reveal }));
		expect(await shown(false)).not.toMatch(/P1|P2/);
		expect(await shown(true)).toMatch(/P1.*P2/);
	});

	test('of values that are not sensitive show them', async () => {
		const { crm, billing } = await linkedCustomer(lab, '1');
		await passOn(
			lab,
			lab.crm.update({ ...crm, full_name: 'A' }),
			lab.billing.update({ ...billing, status: 'unheard-of' }),
		);
		const [item] = await list();
		expect(item).toMatchObject({ kind: 'failure', fields: ['status'] });
		expect(JSON.stringify(item)).toContain('unheard-of');
	});

	test('filter and page, oldest first', async () => {
		for (let i = 0; i < 5; i += 1) {
			await run('push', { reason: `r${i}` }, [{ json: { i } }]);
			lab.later(1_000);
		}
		await phoneConflict();
		expect(
			(await list({ kind: 'failure', limit: 2, offset: 2 })).map(({ reason }) => reason),
		).toEqual(['r2', 'r3']);
		expect(await list({ kind: 'conflict' })).toHaveLength(1);
		expect(await list({ state: 'dismissed' })).toEqual([]);
		expect(await list({ policy: 'other' })).toEqual([]);
	});

	test('of an item that is not there says where to find IDs', async () => {
		await expect(run('get', { id: 'typo' })).rejects.toMatchObject({
			message: 'There is no review item with the ID "typo" in this sync store',
			description: expect.stringContaining('operation List'),
		});
	});
});

describe('a decision', () => {
	test("to take one system's value closes the item and makes the record due", async () => {
		await phoneConflict();
		const [item] = await list();
		const [done] = await run('resolve', { system: 'crm' }, [{ json: item as never }]);
		expect(findings(done, 'deadLetter')).toEqual({
			id: item?.id,
			state: 'resolved',
			choice: 'apply',
			by: 'ann',
		});
		expect(await list()).toEqual([]);
		lab.later(600_000);
		const due = await lab.store.leaseDue({ policy: POLICY, limit: 10, delayMs: 1, maxDelayMs: 1 });
		expect(due).toHaveLength(1);
	});

	test('with values given brings them to every system', async () => {
		await phoneConflict();
		const [item] = await list();
		await run('resolve', { choice: 'values', values: '{ "phone": "P3" }' }, [
			{ json: item as never },
		]);
		const ops = await passOn(lab, lab.crm.update({ id: '1', unmapped: 'x' }));
		expect(ops.map((op) => [op.system, op.fields['phone']?.next])).toEqual([
			['crm', 'P3'],
			['billing', 'P3'],
		]);
	});

	test('to dismiss lets the systems differ', async () => {
		await phoneConflict();
		const [item] = await list();
		await run('dismiss', {}, [{ json: item as never }]);
		expect(await list({ state: 'dismissed' })).toHaveLength(1);
		expect(await passOn(lab, lab.crm.update({ id: '1', unmapped: 'x' }))).toEqual([]);
	});

	test('on values that have changed since is refused, and says what to do', async () => {
		await phoneConflict();
		const [item] = await list();
		await passOn(lab, lab.crm.update({ id: '1', phone: 'P9' }));
		await expect(
			run('resolve', { system: 'crm' }, [{ json: item as never }]),
		).rejects.toMatchObject({
			message: expect.stringContaining('has changed since'),
			description: expect.stringContaining('Get the item again'),
		});
	});

	test('made twice is refused the second time, naming who closed it', async () => {
		await phoneConflict();
		const [item] = await list();
		await run('resolve', { system: 'crm' }, [{ json: item as never }]);
		await expect(
			run('resolve', { system: 'crm' }, [{ json: item as never }]),
		).rejects.toMatchObject({
			message: expect.stringContaining('was closed by ann'),
		});
	});

	test('without a token says where the token is', async () => {
		await expect(run('retry', { id: 'x', token: '' })).rejects.toMatchObject({
			message:
				'"Token" must be given: it is the field "token" of the item as List or Get returned it',
		});
	});

	test('that is refused does not hold up the others', async () => {
		await run('push', { reason: 'r' }, [{ json: { i: 1 } }, { json: { i: 2 } }]);
		const [one, two] = await list();
		const items = [{ json: { ...one, token: 'stale' } as never }, { json: two as never }];
		await expect(run('dismiss', {}, items)).rejects.toMatchObject({
			message: expect.stringContaining('(1 of 2 decisions refused)'),
		});
		expect(await list()).toMatchObject([{ id: one?.id }]);
	});

	test('takes the same store trips for one item and for many, and so does looking at them', async () => {
		const trips = async (operation: string, items: readonly Listed[]): Promise<number> => {
			await run(operation, { system: 'crm' }, items.map((json) => ({ json: json as never })));
			return lab.trips();
		};
		for (const id of ['1', '2', '3', '4']) await phoneConflict(id);
		const [first, ...others] = await list();
		if (!first) throw new Error('no conflict');
		expect([await trips('get', [first]), await trips('get', others)]).toEqual([2, 2]);
		expect([await trips('resolve', [first]), await trips('resolve', others)]).toEqual([3, 3]);
		expect(await list()).toEqual([]);
	});

	test('given twice in one run counts once, and the second one hears of it', async () => {
		await phoneConflict();
		await run('push', { reason: 'r' }, [{ json: { i: 1 } }]);
		for (const item of await list()) {
			const items = [item, item].map((json) => ({ json: json as never }));
			await expect(run('dismiss', {}, items)).rejects.toMatchObject({
				message: expect.stringMatching(/(no longer open|answered already).*\(1 of 2 decisions refused\)/),
			});
		}
		expect(await list()).toEqual([]);
	});

	test('about many deletes at once is made once for all of them', async () => {
		const rows = [...Array(60).keys()].map((index) => ({ id: String(index), full_name: `Ann ${index}` }));
		await lab.run(new EchoFilter(), { items: rows.map((row) => itemsOf(lab.crm.insert(row))).flat() });
		const deletes = inOneTransaction(...rows.map((row) => lab.crm.delete(row)));
		await lab.run(new EchoFilter(), { items: itemsOf(...deletes) });
		const [item, ...others] = await list({ kind: 'approval' });
		expect(others).toEqual([]);
		const [done] = await run('approve', {}, [{ json: item as never }]);
		expect(findings(done, 'deadLetter')).toMatchObject({ id: item?.id, state: 'resolved', by: 'ann' });
		expect(await list()).toEqual([]);
		const again = run('reject', {}, [{ json: item as never }]);
		await expect(again).rejects.toMatchObject({ message: expect.stringContaining('was closed by ann') });
	});

	test.each(['approve', 'reject'])('to %s what is no proposal is refused, and the item stays', async (operation) => {
		await phoneConflict();
		const [item] = await list();
		await expect(run(operation, {}, [{ json: item as never }])).rejects.toMatchObject({
			message: expect.stringContaining('none of yes or no'),
			description: expect.stringContaining('Choose a system'),
		});
		expect(await list()).toMatchObject([{ id: item?.id, state: 'open' }]);
	});

	test('about a first contact is sent to Sync Policy', async () => {
		await expect(
			run('resolve', { id: `first-contact-${POLICY}`, token: 't', system: 'crm' }),
		).rejects.toMatchObject({
			message: expect.stringContaining('Sync Policy node, operation Approve First Contact'),
		});
	});

	test('to retry an item of another workflow hands the item out again as it was pushed', async () => {
		await run('push', { reason: 'r' }, [{ json: { invoice: 7 } }]);
		const [letter] = await list();
		const [again] = await run('retry', {}, [{ json: letter as never }]);
		expect(again?.json).toMatchObject({
			invoice: 7,
			bisync: { deadLetter: { state: 'resolved', choice: 'retry' } },
		});
		expect(await list()).toEqual([]);
	});
});

describe('an item about a record of another workflow', () => {
	const item = (payload: string, version: string): INodeExecutionData => ({
		json: { payload, record: 'customer 7', version },
	});
	const about = { reason: 'the target is down' };
	const push = async (payload: string, recordVersion: string) =>
		await run('push', { ...about, record: 'customer 7', recordVersion }, [item(payload, recordVersion)]);
	const succeed = async (recordVersion: string) =>
		findings(
			(await run('succeed', { record: 'customer 7', recordVersion }, [item('', recordVersion)]))[0],
			'deadLetter',
		)['state'];
	const waiting = async () =>
		(await list()).map(({ detail }) => (detail as { payload: { payload: string } }).payload.payload);

	test('is one item however often it fails, and the latest version of it', async () => {
		await push('a', '1');
		await push('b', '10');
		expect(await waiting()).toEqual(['b']);
		const [late] = await push('a', '9');
		expect(findings(late, 'deadLetter')['state']).toBe('superseded');
		expect(await waiting()).toEqual(['b']);
	});

	test('cannot be tried again as it was once a later version waits', async () => {
		await push('a', '1');
		const [seen] = await list();
		await push('b', '2');
		await expect(run('retry', {}, [{ json: seen as never }])).rejects.toThrow(/changed since/);
		const [again] = await run('retry', {}, [{ json: (await list())[0] as never }]);
		expect(again?.json['payload']).toBe('b');
	});

	test('closes itself when this version or a later one was written, and not before', async () => {
		await push('a', '2024-05-01T10:00:00Z');
		expect(await succeed('2024-05-01T09:59:59Z')).toBe('nothing waited');
		expect(await waiting()).toEqual(['a']);
		const [seen] = await list();
		expect(await succeed('2024-05-01T12:00:00+02:00')).toBe('superseded');
		expect(await list()).toEqual([]);
		await expect(run('retry', {}, [{ json: seen as never }])).rejects.toThrow(/was closed by a later version/);
	});

	test('that fails after a later version was written is not parked again, but a still later one is', async () => {
		await push('a', '1');
		await run('retry', {}, [{ json: (await list())[0] as never }]);
		await succeed('3');
		const [late] = await push('a', '1');
		expect(findings(late, 'deadLetter')['state']).toBe('superseded');
		expect(await list()).toEqual([]);
		expect(await list({ state: 'resolved' })).toHaveLength(1);
		await push('d', '4');
		expect(await waiting()).toEqual(['d']);
	});

	test('without versions is the one that came last', async () => {
		await push('a', '');
		await push('b', '');
		expect(await waiting()).toEqual(['b']);
		expect(await succeed('')).toBe('superseded');
		expect(await list()).toEqual([]);
	});

	test('of a batch comes in its order, and takes two store trips', async () => {
		const versions = ['2', '3', '1'];
		const items = versions.map((version) => item(`v${version}`, version));
		const record = 'customer 7';
		await run('push', { ...about, record, recordVersion: ({ version }: { version: string }) => version }, items);
		expect(lab.trips()).toBe(2);
		expect(await waiting()).toEqual(['v3']);
	});
});
