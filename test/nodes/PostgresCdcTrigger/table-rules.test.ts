import { checkRules, readTableRules, type TableRules } from '../../../nodes/PostgresCdcTrigger/table-rules';

const read = (parameters: Record<string, unknown>): TableRules => readTableRules((name) => ({ tables: 'customers, crm.orders', ...parameters })[name]);

const masked = (columns: string, mask = 'hash', table = 'customers'): Record<string, unknown> => ({
	masks: { mask: [{ table, columns, mask }] },
	maskKey: 'sixteen letters!',
});

test('without rules all columns, rows and operations of the tables are wanted', () => {
	expect(read({})).toEqual({
		tables: [
			{ schema: 'public', table: 'customers', columns: null, where: null, masks: new Map() },
			{ schema: 'crm', table: 'orders', columns: null, where: null, masks: new Map() },
		],
		operations: ['insert', 'update', 'delete', 'truncate'],
		maskKey: '',
	});
});

test('rules and masks are those of the table that they name', () => {
	const { tables, operations, maskKey } = read({
		tableRules: { rule: [{ table: 'crm.orders', columns: 'ref, amount', where: ' amount > 1 ' }] },
		operations: ['delete', 'insert'],
		...masked('email, phone'),
	});
	expect(tables[0]).toMatchObject({ columns: null, masks: new Map([['email', 'hash'], ['phone', 'hash']]) });
	expect(tables[1]).toMatchObject({ columns: ['ref', 'amount'], where: 'amount > 1', masks: new Map() });
	expect([operations, maskKey]).toEqual([['insert', 'delete'], 'sixteen letters!']);
});

test.each<[string, Record<string, unknown>, RegExp]>([
	['a rule of a table that is not read', { tableRules: { rule: [{ table: 'clients' }] } }, /"Table Rules" name the table public.clients, which is not among "Tables"/],
	['two rules of one table', { tableRules: { rule: [{ table: 'customers' }, { table: 'public.customers' }] } }, /two rules for public.customers/],
	['a column that is masked twice', { masks: { mask: [{ table: 'customers', columns: 'a', mask: 'drop' }, { table: 'customers', columns: 'a', mask: 'redact' }] } }, /the column a of public.customers twice/],
	['an unknown mask', masked('a', 'blur'), /"Mask" must be one of hash, redact, drop/],
	['a hash without a key', { ...masked('a'), maskKey: 'short' }, /"Key for Hashes" must have at least 16 characters/],
	['an unknown operation', { operations: ['upsert'] }, /"Operations" must be one of/],
	['no operation', { operations: [] }, /"Operations" must have at least one name/],
])('%s is refused by the label of the field', (_, parameters, message) => {
	expect(() => read(parameters)).toThrow(message);
});

const table = (parameters: Record<string, unknown>): (() => void) => {
	const [rule] = read(parameters).tables;
	if (!rule) throw new Error('there is a table');
	return () => checkRules([{ ...rule, key: ['id'], present: ['id', 'email'] }]);
};

test('a column that the table does not have is refused: a mistyped mask would hide nothing', () => {
	expect(table(masked('e-mail'))).toThrow('"Masked Columns" name the column e-mail, which public.customers does not have');
	expect(table({ tableRules: { rule: [{ table: 'customers', columns: 'mail' }] } })).toThrow('"Table Rules" name the column mail');
	expect(table(masked('email'))).not.toThrow();
});

test('a key column can be hashed and not be made unknown', () => {
	expect(table(masked('id'))).not.toThrow();
	expect(table(masked('id', 'redact'))).toThrow('can only hash id, which is of the key of public.customers');
	expect(table(masked('id', 'drop'))).toThrow('can only hash id');
});
