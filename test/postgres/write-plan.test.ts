import { deleteOf, insertOf, policyOfColumns, updateOf } from '../support/write-target';
import type { Operation } from '../../src/core/link';
import type { TableColumns } from '../../src/postgres/table-columns';
import { groupWrites, inWriteOrder, planWrite } from '../../src/postgres/write-plan';

const COLUMNS = ['id', 'name', 'email', 'kind', 'changed_at'];
const TEXT = { cast: '"pg_catalog"."text"', oid: 25, elementOid: null };
const TABLE: TableColumns = {
	name: '"public"."record"',
	columns: new Map(COLUMNS.map((column) => [column, TEXT])),
	hasDeferrableUnique: false,
};
const POLICY = policyOfColumns(['name', 'email'], {
	insert: { kind: 'customer' },
	stamp: { changed_at: 'now' },
});

const plan = (op: Operation, policy = POLICY) =>
	planWrite(op, policy, new Map([[TABLE.name, TABLE]]));
const texts = (cells: readonly { column: string; text: string | null }[]) =>
	Object.fromEntries(cells.map(({ column, text }) => [column, text]));

test('an update finds its row by the key, and compares what it sets', () => {
	const write = plan(updateOf('7', { name: ['a', null], email: [null, ''] }));
	expect(texts(write.key)).toEqual({ id: '7' });
	expect(texts(write.sets)).toEqual({ name: null, email: '' });
	expect(texts(write.expects)).toEqual({ name: 'a', email: null });
	expect(write.stampedNow.map(({ column }) => column)).toEqual(['changed_at']);
});

test('an insert has the constants of new rows, and leaves absent fields to their defaults', () => {
	const write = plan(insertOf('new', { name: null, email: undefined }));
	expect(texts(write.sets)).toEqual({ kind: 'customer', name: null });
	expect(write.stampedNow.map(({ column }) => column)).toEqual(['changed_at']);
});

test('nothing is written or deleted without comparing', () => {
	const known = { canon: null, vector: {} };
	const blind = [
		{ ...updateOf('1', {}), fields: { name: { next: 'x', ...known } } },
		updateOf('1', {}),
		deleteOf('1', {}),
		{ ...deleteOf('1', { name: 'x' }), fields: { name: known } },
	];
	for (const op of blind)
		expect(() => plan(op)).toThrow(expect.objectContaining({ code: 'OPERATION_INVALID' }));
});

test('deletes come before updates before inserts, and each by key', () => {
	const ops = [
		insertOf('b', { name: 'x' }),
		updateOf('2', { name: ['a', 'b'] }),
		updateOf('1', { name: ['a', 'b'] }),
		deleteOf('3', { name: 'x' }),
	];
	expect(inWriteOrder(ops.map((op) => plan(op))).map(({ op }) => op.link)).toEqual([
		'link3',
		'link1',
		'link2',
		'b',
	]);
});

test('parents are written before their children, and deleted after them', () => {
	const place = (entity: string, depth: number, op: Operation) => ({ ...plan(op), op: { ...op, entity }, depth });
	const writes = [
		place('order', 1, insertOf('d', { name: 'x' })),
		place('customer', 0, insertOf('c', { name: 'x' })),
		{ ...place('customer', 0, deleteOf('1', { name: 'x' })), isReferred: true },
		place('order', 1, updateOf('3', { name: ['a', 'b'] })),
		place('order', 1, deleteOf('2', { name: 'x' })),
	];
	expect(inWriteOrder(writes).map(({ op }) => op.link)).toEqual(['link2', 'link3', 'link1', 'c', 'd']);
});

test('operations on the same columns are one group, whatever the order of their fields', () => {
	const groups = groupWrites(
		[
			updateOf('1', { name: ['a', 'b'], email: ['c', 'd'] }),
			updateOf('2', { email: ['c', 'd'], name: ['a', 'b'] }),
			updateOf('3', { name: ['a', 'b'] }),
			insertOf('x', { name: 'x' }),
			insertOf('y', { email: 'y' }),
		].map((op) => plan(op)),
	);
	expect(groups.map(({ writes }) => writes.map(({ op }) => op.link))).toEqual([
		['link1', 'link2'],
		['link3'],
		['x', 'y'],
	]);
});
