import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import type { INodeExecutionData } from 'n8n-workflow';

import { DeadLetterQueue } from '../../nodes/DeadLetterQueue/DeadLetterQueue.node';
import { EchoFilter } from '../../nodes/EchoFilter/EchoFilter.node';
import { FieldAuthorityMerge } from '../../nodes/FieldAuthorityMerge/FieldAuthorityMerge.node';
import { csvLines } from '../../src/core/csv';
import { reviewsAsCsv } from '../../src/core/reviews-csv';
import { linkedCustomer } from '../support/node-chain';
import { itemsOf, type NodeLab, openNodeLab, POLICY } from '../support/node-lab';

let lab: NodeLab;
let nowMs: number;
beforeEach(async () => {
	lab = await openNodeLab();
	nowMs = 1_000_000;
	jest.spyOn(Date, 'now').mockImplementation(() => nowMs);
});
afterEach(() => {
	lab.close();
	jest.restoreAllMocks();
});

const HOUR = 3_600_000;

function later(hours: number): void {
	nowMs += hours * HOUR;
	lab.later(hours * HOUR);
}

async function run(operation: string, parameters: Record<string, unknown> = {}, items?: INodeExecutionData[]): Promise<INodeExecutionData[]> {
	const { outputs } = await lab.run(new DeadLetterQueue(), { parameters: { operation, by: 'ann', ...parameters }, ...(items ? { items } : {}) });
	return outputs[0] ?? [];
}

const push = async (...texts: string[]): Promise<unknown> => await run('push', { reason: 'refused' }, texts.map((text) => ({ json: { text } })));
const idsOf = (items: readonly INodeExecutionData[]): unknown[] => items.map(({ json }) => json['id']);

/** A conflict over the phone and the note of one customer. */
async function conflict(): Promise<INodeExecutionData> {
	const { crm, billing } = await linkedCustomer(lab, '1');
	const items = itemsOf(lab.crm.update({ ...crm, phone: 'P1', note: 'n1' }), lab.billing.update({ ...billing, phone: 'P2', memo: 'n2' }));
	const seen = await lab.run(new EchoFilter(), { items });
	await lab.run(new FieldAuthorityMerge(), { items: seen.outputs[0] ?? [] });
	const [item] = await run('list');
	if (!item) throw new Error('there is no conflict');
	return item;
}

describe('escalate', () => {
	test('hands out what has waited for long enough, once per level, and again after a while', async () => {
		await push('a');
		later(3);
		await push('b');
		later(2);
		const asked = { openForHours: 4, againAfterHours: 24 };
		const [old, ...others] = await run('escalate', asked);
		expect(old?.json).toMatchObject({ state: 'open', openForHours: 5, reason: 'refused' });
		expect(others).toEqual([]);
		expect(await run('escalate', asked)).toEqual([]);
		expect(idsOf(await run('escalate', { ...asked, level: 'manager' }))).toEqual([old?.json['id']]);
		later(25);
		expect(await run('escalate', asked)).toHaveLength(2);
	});

	test('forgets what was closed meanwhile, and begins anew with what is opened again', async () => {
		await push('a');
		later(5);
		const [item] = await run('escalate');
		await run('dismiss', {}, [item as INodeExecutionData]);
		later(25);
		expect(await run('escalate')).toEqual([]);
		await push('a');
		later(5);
		expect(idsOf(await run('escalate'))).toEqual([item?.json['id']]);
	});
});

test('purge forgets what has been closed for so many days, and nothing that waits', async () => {
	await push('a', 'b');
	const [first] = await run('list');
	await run('dismiss', {}, [first as INodeExecutionData]);
	later(24 * 10);
	expect((await run('purge', { closedForDays: 11 }))[0]?.json).toMatchObject({ purged: 0 });
	expect((await run('purge', { closedForDays: 10 }))[0]?.json).toMatchObject({ purged: 1 });
	expect(await run('list', { state: 'any' })).toHaveLength(1);
	await expect(run('purge', { closedForDays: 0 })).rejects.toThrow(/at least 1/);
});

describe('export', () => {
	const fileOf = async (parameters: Record<string, unknown>): Promise<string> => {
		const [item] = await run('export', parameters);
		return Buffer.from(item?.binary?.['data']?.data ?? '', 'base64').toString('utf8');
	};

	test('gives one file of what List would give', async () => {
		await push('a', 'b');
		const rows = parse<Record<string, string>>(await fileOf({ format: 'csv' }), { columns: true, bom: true });
		expect(rows).toMatchObject([{ kind: 'failure', state: 'open', reason: 'refused' }, { state: 'open' }]);
		expect(JSON.parse(await fileOf({ format: 'json', limit: 1 }))).toHaveLength(1);
	});

	test('any text comes back from the file, and none begins as a formula', () => {
		const text = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('=1+1', '+a', '-b', '@c', ' =x', 'a;b', 'a"b\r\nc', '\t=2'));
		fc.assert(
			fc.property(fc.array(fc.tuple(text, text), { minLength: 1 }), (lines) => {
				const read = parse(csvLines(lines), { record_delimiter: '\r\n' }) as unknown as string[][];
				expect(read.map((cells) => cells.map((cell) => (cell.startsWith("'") ? cell.slice(1) : cell)))).toEqual(lines.map((cells) => cells.map((cell) => (cell.startsWith("'") ? cell.slice(1) : cell))));
				expect(read.flat().filter((cell) => /^\s*[=+\-@]/.test(cell))).toEqual([]);
			}),
		);
		expect(reviewsAsCsv([])).toMatch(/^\uFEFFid,/);
	});
});

describe('resolve, field by field', () => {
	test('takes of each field the value of another system', async () => {
		const item = await conflict();
		const fields = item.json['fields'] as string[];
		const systems = JSON.stringify(Object.fromEntries(fields.map((field, at) => [field, at % 2 === 0 ? 'crm' : 'billing'])));
		const [done] = await run('resolve', { choice: 'fields', systems }, [item]);
		expect(done?.json['bisync']).toMatchObject({ deadLetter: { state: 'resolved', choice: 'mix' } });
		const [link] = await lab.store.scanLinks({ policy: POLICY, limit: 1 });
		expect(fields.map((field) => link?.state.fields[field]?.merged?.from)).toEqual(fields.map(() => 'human'));
	});

	test('refuses a field that the item is not about, and a system that is none', async () => {
		const item = await conflict();
		await expect(run('resolve', { choice: 'fields', systems: '{ "email": "crm" }' }, [item])).rejects.toThrow(/is not about email/);
		await expect(run('resolve', { choice: 'values', values: '{ "email": "x" }' }, [item])).rejects.toThrow(/is not about email/);
		await expect(run('resolve', { choice: 'fields', systems: '{ "phone": "nope" }' }, [item])).rejects.toThrow(/nope holds no readable value/);
		await expect(run('resolve', { choice: 'fields', systems: '{}' }, [item])).rejects.toThrow(/"Systems by Field" must be/);
	});
});
