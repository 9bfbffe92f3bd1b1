import type { PgoutputMessage, RelationColumn, RelationMessage } from '../../src/postgres/pgoutput';
import { type Tuple, UNCHANGED } from '../../src/postgres/pgoutput-reader';
import { oldRowValues, type RowChange, rowValues } from '../../src/postgres/source-transaction';
import { TransactionAssembler } from '../../src/postgres/transaction-assembler';

const INT4 = 23;
const TEXT = 25;
const begin: PgoutputMessage = { tag: 'begin', commitLsn: 90n, commitTsMs: 5, xid: 7 };
const commit: PgoutputMessage = { tag: 'commit', commitLsn: 90n, endLsn: 100n, commitTsMs: 5 };

function relation(
	replicaIdentity: 'default' | 'full' = 'default',
	extra: string[] = [],
): RelationMessage {
	const isFull = replicaIdentity === 'full';
	const columns: RelationColumn[] = [
		{ name: 'id', typeOid: INT4, typeModifier: -1, isIdentity: true },
		{ name: 'note', typeOid: TEXT, typeModifier: -1, isIdentity: isFull },
		...extra.map((name) => ({ name, typeOid: TEXT, typeModifier: -1, isIdentity: isFull })),
	];
	return { tag: 'relation', oid: 1, schema: 'public', name: 'customers', replicaIdentity, columns };
}

function update(row: Tuple, old: Tuple | null = null, oldIsKeyOnly = false): PgoutputMessage {
	return { tag: 'update', relationOid: 1, old, oldIsKeyOnly, new: row };
}

/** All messages get the position 50; gives the transactions they complete. */
function assemble(messages: readonly PgoutputMessage[]) {
	const assembler = new TransactionAssembler();
	return messages.flatMap((message) => assembler.push(message, 50n) ?? []);
}

function onlyRow(messages: readonly PgoutputMessage[]): RowChange {
	const [transaction] = assemble([begin, ...messages, commit]);
	const rows = transaction!.changes.filter((change) => change.kind === 'row');
	expect(rows).toHaveLength(1);
	return rows[0]!;
}

test('a transaction is handed on whole, with its changes in order', () => {
	const message: PgoutputMessage = {
		tag: 'message',
		transactional: true,
		lsn: 1n,
		prefix: 'p',
		content: 'c',
	};
	const [transaction, ...more] = assemble([
		begin,
		{ tag: 'origin', name: 'elsewhere' },
		message,
		relation(),
		update(['1', 'a']),
		{ tag: 'delete', relationOid: 1, old: ['1', null], oldIsKeyOnly: true, new: null },
		commit,
	]);
	expect(more).toEqual([]);
	expect(transaction).toMatchObject({
		xid: 7,
		commitLsn: 90n,
		endLsn: 100n,
		commitTsMs: 5,
		origin: 'elsewhere',
	});
	expect(
		transaction!.changes.map((change) => (change.kind === 'row' ? change.op : change.kind)),
	).toEqual(['message', 'relation', 'u', 'd']);
});

test('a message outside of transactions is left out, inside of one too when it is not transactional', () => {
	const message: PgoutputMessage = {
		tag: 'message',
		transactional: false,
		lsn: 1n,
		prefix: 'p',
		content: 'c',
	};
	expect(assemble([message, begin, message, commit])).toMatchObject([{ changes: [] }]);
});

test('a table is announced once, and again when its shape has changed', () => {
	const transactions = assemble([
		begin,
		relation(),
		update(['1', 'a']),
		relation(),
		commit,
		begin,
		relation('default', ['extra']),
		update(['1', 'a', 'x']),
		commit,
	]);
	const announced = transactions.map(({ changes }) =>
		changes.filter(({ kind }) => kind === 'relation'),
	);
	expect(announced[0]).toMatchObject([{ previous: null }]);
	expect(announced[1]).toMatchObject([
		{ previous: { columns: [{}, {}] }, relation: { columns: [{}, {}, { name: 'extra' }] } },
	]);
});

test('a truncate is one change for each table', () => {
	const other: RelationMessage = { ...relation(), oid: 2, name: 'orders' };
	const truncate: PgoutputMessage = {
		tag: 'truncate',
		cascade: false,
		restartIdentity: false,
		relationOids: [2, 1],
	};
	const [transaction] = assemble([begin, relation(), other, truncate, commit]);
	expect(transaction!.changes.slice(2)).toMatchObject([
		{ op: 't', relation: { name: 'orders' }, old: null, new: null },
		{ op: 't', relation: { name: 'customers' } },
	]);
});

describe('large values that did not change', () => {
	test('are named, and are neither null nor missing', () => {
		const change = onlyRow([relation(), update(['1', UNCHANGED])]);
		expect(rowValues(change.relation, change.new!)).toEqual({
			values: { id: 1 },
			unchanged: ['note'],
		});
	});

	test('are taken from the old version where it has all columns', () => {
		const change = onlyRow([relation('full'), update(['1', UNCHANGED], ['1', 'long'])]);
		expect(change.new).toEqual(['1', 'long']);
	});

	test('are not taken from an old version of the key alone', () => {
		const change = onlyRow([relation(), update(['2', UNCHANGED], ['1', null], true)]);
		expect(change.new).toEqual(['2', UNCHANGED]);
	});
});

test('of an old version with the key alone, only the key is read', () => {
	const change = onlyRow([relation(), update(['2', 'b'], ['1', null], true)]);
	expect(oldRowValues(change)).toEqual({ values: { id: 1 }, unchanged: [] });
	expect(oldRowValues(onlyRow([relation(), update(['2', 'b'])]))).toBeNull();
});

test('a column may be named __proto__', () => {
	const change = onlyRow([relation('default', ['__proto__']), update(['1', null, 'x'])]);
	const { values } = rowValues(change.relation, change.new!);
	expect(Object.entries(values)).toEqual([
		['id', 1],
		['note', null],
		['__proto__', 'x'],
	]);
});

test.each<[string, PgoutputMessage[]]>([
	['a row before its table', [begin, update(['1', 'a'])]],
	['a row with too few columns', [begin, relation(), update(['1'])]],
	['a row outside of a transaction', [begin, relation(), commit, update(['1', 'a'])]],
	['a commit without a begin', [commit]],
	['a commit of another transaction', [begin, { ...commit, commitLsn: 91n }]],
	['a begin in a transaction', [begin, begin]],
	['an origin outside of a transaction', [{ tag: 'origin', name: 'o' }]],
])('%s is refused', (_, messages) => {
	expect(() => assemble(messages)).toThrow(expect.objectContaining({ code: 'DECODE_FAILED' }));
});
