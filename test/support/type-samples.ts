import type { Json } from '../../src/core/canonical-json';

/** The types that the samples use beside the built-in ones. */
export const TYPE_SETUP = `
create type mood as enum ('sad', 'ok', 'happy');
create type pair as (a int, b text);
create domain positive as int check (value > 0);
create domain code as varchar(5);
create domain short_code as code check (value <> 'bad');
create collation if not exists blind (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
`;

/** A value of a type, on its way through the row writer. */
export interface TypeSample {
	readonly type: string;
	/** What the database holds, as it is typed in. */
	readonly stored: string | null;
	/** What the change stream showed: equal to it. */
	readonly shown: Json;
	/** What is written, and how the database then prints it. */
	readonly next: Json;
	readonly printed: string | null;
	/** Another value that `=` or a careless reader might take for the stored one. */
	readonly edited?: string;
}

export const TYPE_SAMPLES: readonly TypeSample[] = [
	{ type: 'text', stored: '', shown: '', next: 'NULL', printed: 'NULL' },
	{ type: 'text', stored: null, shown: null, next: '', printed: '' },
	{ type: 'text', stored: 'a', shown: 'a', next: null, printed: null },
	{
		type: 'text',
		stored: 'é\\"{},\n',
		shown: 'é\\"{},\n',
		next: 'x\\"{},\n\t',
		printed: 'x\\"{},\n\t',
		edited: 'É',
	},
	{
		type: 'text collate blind',
		stored: 'Ann',
		shown: 'Ann',
		next: 'ann',
		printed: 'ann',
		edited: 'ANN',
	},
	{
		type: 'varchar(5)',
		stored: 'abc',
		shown: 'abc',
		next: 'abcde',
		printed: 'abcde',
		edited: 'abc ',
	},
	{ type: 'char(5)', stored: 'ab', shown: 'ab   ', next: 'c', printed: 'c    ' },
	{ type: '"char"', stored: 'a', shown: 'a', next: 'b', printed: 'b' },
	{ type: 'int2', stored: '7', shown: 7, next: '8', printed: '8' },
	{ type: 'int4', stored: '7', shown: '7', next: -8, printed: '-8' },
	{
		type: 'int8',
		stored: '9007199254740993',
		shown: '9007199254740993',
		next: '9007199254740995',
		printed: '9007199254740995',
		edited: '9007199254740992',
	},
	{
		type: 'numeric',
		stored: '1.00',
		shown: '1.0',
		next: '12345678901234567890.12',
		printed: '12345678901234567890.12',
		edited: '1.001',
	},
	{ type: 'numeric(12,2)', stored: '1', shown: '1.00', next: 'NaN', printed: 'NaN' },
	{ type: 'float4', stored: '0.1', shown: 0.1, next: 1e21, printed: '1e+21', edited: '0.10000001' },
	{ type: 'float8', stored: '-0', shown: 0, next: 0.1, printed: '0.1' },
	{
		type: 'float8',
		stored: '0.1',
		shown: 0.1,
		next: 'Infinity',
		printed: 'Infinity',
		edited: '0.10000000000000002',
	},
	{ type: 'money', stored: '12.5', shown: '$12.50', next: '13', printed: '$13.00' },
	{ type: 'bool', stored: 'true', shown: true, next: false, printed: 'f' },
	{
		type: 'date',
		stored: 'infinity',
		shown: 'infinity',
		next: '2024-02-29',
		printed: '2024-02-29',
	},
	{
		type: 'date',
		stored: '0044-03-15 BC',
		shown: '0044-03-15 BC',
		next: '-infinity',
		printed: '-infinity',
	},
	{
		type: 'timestamp',
		stored: '2024-01-31 10:00:00.123456',
		shown: '2024-01-31T10:00:00.123456',
		next: '2024-01-31T10:00:00',
		printed: '2024-01-31 10:00:00',
		edited: '2024-01-31 10:00:00.123457',
	},
	{
		type: 'timestamptz',
		stored: '2024-01-31 12:00:00+02',
		shown: '2024-01-31T10:00:00Z',
		next: '2024-01-31T10:00:00.5Z',
		printed: '2024-01-31 10:00:00.5+00',
	},
	{
		type: 'timetz',
		stored: '10:00:00+02',
		shown: '10:00:00+02',
		next: '11:00:00-01',
		printed: '11:00:00-01',
		edited: '09:00:00+01',
	},
	{
		type: 'interval',
		stored: '1 day',
		shown: '1 day',
		next: '-1 day +02:00:00',
		printed: '-1 days +02:00:00',
		edited: '24:00:00',
	},
	{
		type: 'uuid',
		stored: 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11',
		shown: 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11',
		next: 'b0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11',
		printed: 'b0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11',
	},
	{ type: 'bytea', stored: '\\x00ff', shown: '\\x00ff', next: '\\x', printed: '\\x' },
	{ type: 'mood', stored: 'ok', shown: 'ok', next: 'happy', printed: 'happy' },
	{ type: 'positive', stored: '3', shown: '3', next: 4, printed: '4' },
	{ type: 'short_code', stored: 'ab', shown: 'ab', next: 'abcde', printed: 'abcde' },
	{ type: 'pair', stored: '(1,"a b")', shown: '(1,"a b")', next: '(2,)', printed: '(2,)' },
	{
		type: 'jsonb',
		stored: '{"b": 1.0, "a": [null, "x"]}',
		shown: { a: [null, 'x'], b: 1 },
		next: { z: { y: '"' } },
		printed: '{"z": {"y": "\\""}}',
		edited: '{"b": 2, "a": [null, "x"]}',
	},
	{
		type: 'jsonb',
		stored: '"abc"',
		shown: 'abc',
		next: 'null',
		printed: '"null"',
		edited: '"abC"',
	},
	{ type: 'jsonb', stored: 'null', shown: null, next: '{"a": 1}', printed: '"{\\"a\\": 1}"' },
	{
		type: 'json',
		stored: '{"b" :1,\n"a":[]}',
		shown: { a: [], b: 1 },
		next: [true, 1],
		printed: '[true,1]',
		edited: '{"b":1,"a":{}}',
	},
	{
		type: 'json',
		stored: '[12345678901234567890]',
		shown: '[12345678901234567890]',
		next: '{"n":0.1234567890123456789}',
		printed: '{"n":0.1234567890123456789}',
		edited: '[12345678901234567891]',
	},
	{
		type: 'xml',
		stored: '<a/>',
		shown: '<a/>',
		next: '<b>1</b>',
		printed: '<b>1</b>',
		edited: '<a></a>',
	},
	{
		type: 'point',
		stored: '(1,2)',
		shown: '(1,2)',
		next: '(0.1,0.2)',
		printed: '(0.1,0.2)',
		edited: '(1,3)',
	},
	{
		type: 'box',
		stored: '(1,1),(0,0)',
		shown: '(1,1),(0,0)',
		next: '(2,2),(0,0)',
		printed: '(2,2),(0,0)',
		edited: '(2,2),(1,1)',
	},
	{
		type: 'inet',
		stored: '10.0.0.1/24',
		shown: '10.0.0.1/24',
		next: '10.0.0.2',
		printed: '10.0.0.2',
	},
	{ type: 'int4range', stored: '[1,5]', shown: '[1,6)', next: 'empty', printed: 'empty' },
	{ type: 'tsvector', stored: 'b a', shown: "'a' 'b'", next: "'c':1", printed: "'c':1" },
	{ type: 'bit(3)', stored: '101', shown: '101', next: '111', printed: '111' },
	{
		type: 'text[]',
		stored: '{a,NULL,""}',
		shown: ['a', null, ''],
		next: ['NULL', '"', '\\', ',{}', ' '],
		printed: '{"NULL","\\"","\\\\",",{}"," "}',
		edited: '{a,NULL,NULL}',
	},
	{
		type: 'text[]',
		stored: '{}',
		shown: [],
		next: [
			['a', 'b'],
			['c', 'd'],
		],
		printed: '{{a,b},{c,d}}',
	},
	{
		type: 'text[]',
		stored: '[2:3]={a,b}',
		shown: '[2:3]={a,b}',
		next: [],
		printed: '{}',
		edited: '{a,b}',
	},
	{
		type: 'int8[]',
		stored: '{1,2}',
		shown: ['1', '2'],
		next: ['9007199254740993', null],
		printed: '{9007199254740993,NULL}',
		edited: '{2,1}',
	},
	{ type: 'numeric[]', stored: '{1.0}', shown: ['1.00'], next: ['2.50'], printed: '{2.50}' },
	{ type: 'bool[]', stored: '{t,f}', shown: [true, false], next: [false], printed: '{f}' },
	{
		type: 'timestamptz[]',
		stored: '{2024-01-31 10:00:00+00}',
		shown: ['2024-01-31T10:00:00Z'],
		next: ['2024-01-31T11:00:00Z'],
		printed: '{"2024-01-31 11:00:00+00"}',
	},
	{ type: 'mood[]', stored: '{ok,sad}', shown: '{ok,sad}', next: '{happy}', printed: '{happy}' },
	{
		type: 'jsonb[]',
		stored: '{"{\\"b\\":1, \\"a\\":2}","[1]"}',
		shown: [{ a: 2, b: 1 }, [1]],
		next: [[1, 2], 'x', null],
		printed: '{"[1, 2]","\\"x\\"",NULL}',
	},
	{
		type: 'json[]',
		stored: '{"{\\"b\\":1}"}',
		shown: [{ b: 1 }],
		next: [{ c: '\\' }],
		printed: '{"{\\"c\\":\\"\\\\\\\\\\"}"}',
	},
];
