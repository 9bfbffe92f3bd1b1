import { requireShape } from '../../../nodes/PostgresCdcTrigger/require-shape';
import type { RelationColumn } from '../../../src/postgres/pgoutput';
import { shapeChanges } from '../../../src/postgres/shape-changes';
import type { Relation, SourceChange } from '../../../src/postgres/source-transaction';

const MAPPED = [{ schema: 'public', table: 'customers', columns: ['email', 'note'] }];

function table(columns: Readonly<Record<string, number | [number, number]>>, name = 'customers'): Relation {
	const all = Object.entries(columns).map(([column, type]): RelationColumn => {
		const [typeOid, typeModifier] = typeof type === 'number' ? [type, -1] : type;
		return { name: column, typeOid, typeModifier, isIdentity: false };
	});
	return { oid: name.length, schema: 'public', name, replicaIdentity: 'default', columns: all };
}

const shown = (relation: Relation, previous: Relation | null): SourceChange => ({ kind: 'relation', lsn: 1n, relation, previous });
const inspect = (...changes: SourceChange[]) => () => requireShape({ changes }, MAPPED);

const TEXT = 25;
const INT = 23;
const BEFORE = table({ email: TEXT, note: TEXT, other: INT });

test('a transaction in which a mapped column is gone or of another type is not handed on', () => {
	expect(inspect(shown(table({ email: TEXT, other: INT }), BEFORE))).toThrow('public.customers has changed: column note is gone');
	expect(inspect(shown(table({ email: INT, note: TEXT, other: INT }), BEFORE))).toThrow('column email has another type');
	expect(inspect(shown(table({ email: TEXT, memo: TEXT, other: INT }), BEFORE))).toThrow('column note is gone, column memo is new');
	expect(inspect(shown(table({ email: TEXT, note: INT, other: INT }), BEFORE))).toThrow(expect.objectContaining({ code: 'SCHEMA_CHANGED', action: 'retry' }));
});

test('what the policy does not read may come, go and change', () => {
	expect(inspect(shown(table({ email: TEXT, note: TEXT }), BEFORE))).not.toThrow();
	expect(inspect(shown(table({ email: TEXT, note: TEXT, other: TEXT, more: TEXT }), BEFORE))).not.toThrow();
	expect(inspect(shown(table({ email: INT }, 'elsewhere'), table({ email: TEXT }, 'elsewhere')))).not.toThrow();
});

test('a table that is shown for the first time has no earlier shape: after a restart nothing is refused again', () => {
	expect(inspect(shown(table({ email: INT }), null))).not.toThrow();
	// Changed twice within one transaction: once more would be for ever.
	expect(inspect(shown(table({ email: INT, note: TEXT, other: INT }), null), shown(BEFORE, table({ email: INT, note: TEXT, other: INT })))).not.toThrow();
});

test('another limit on the length of a text changes no value; another scale of a number does', () => {
	const of = (type: number | [number, number]) => shapeChanges({ changes: [shown(table({ email: type }), table({ email: [1043, 20] }))] });
	expect(of([1043, 40])).toEqual([]);
	expect(of(TEXT)).toEqual([]);
	expect(of([1042, 20])).toMatchObject([{ retyped: ['email'] }]);
	const numeric = (scale: number): Relation => table({ email: [1700, scale] });
	expect(shapeChanges({ changes: [shown(numeric(8), numeric(9))] })).toMatchObject([{ retyped: ['email'] }]);
});
