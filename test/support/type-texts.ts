import fc from 'fast-check';

type Texts = fc.Arbitrary<string>;

const int = (bits: number): Texts => {
	const half = 2n ** BigInt(bits - 1);
	return fc.bigInt({ min: -half, max: half - 1n }).map(String);
};
const unsigned = (bits: number): Texts => fc.bigInt({ min: 0n, max: 2n ** BigInt(bits) - 1n }).map(String);
const digits = (maxLength: number): Texts => fc.stringMatching(new RegExp(`^[0-9]{1,${maxLength}}$`));
const numeric = fc.oneof(
	fc.tuple(fc.constantFrom('', '-'), digits(40), fc.option(digits(30))).map(([sign, whole, rest]) => sign + whole + (rest === null ? '' : `.${rest}`)),
	fc.constantFrom('NaN', '0.00', '1e-40', '1e100'),
);
const float8 = fc.oneof(fc.double().map(String), fc.constantFrom('-0', '1e15', '5e-324', '1.7976931348623157e308', '0.1', '123456789012345678'));
const float4 = fc.oneof(fc.float().map(String), fc.constantFrom('-0', '1e-45', '3.4028235e38', '0.1'));
const finite = fc.double({ noDefaultInfinity: true, noNaN: true, min: -1e6, max: 1e6 }).map(String);

const awkward = fc.constantFrom('', ' ', 'NULL', 'null', '{}', '{"a"}', '\\', '"', "'", 'a,b', '(1,2)', 'ä€\u{1f600}', 'line\nline\ttab', '\u0001\u007f', '\u0080', '\ufeff');
const noZero = (text: string): string => text.replaceAll('\0', '');
const text = fc.oneof(awkward, fc.string({ unit: 'grapheme', maxLength: 12 }).map(noZero), fc.string({ unit: 'binary', maxLength: 12 }).map(noZero));
/** Long enough to be kept apart from its row (TOAST). */
const long = fc.constantFrom('x', 'ü', '\u{1f600}', '\\', '"').map((letter) => letter.repeat(6_000));
const bytes = fc.uint8Array({ maxLength: 40 }).map((value) => `\\x${Buffer.from(value).toString('hex')}`);

const two = (value: number): string => String(value).padStart(2, '0');
const day = fc.oneof(
	fc.date({ min: new Date('0001-01-01'), max: new Date('9999-12-31'), noInvalidDate: true }).map((date) => date.toISOString().slice(0, 10)),
	fc.constantFrom('infinity', '-infinity', '4713-01-01 BC', '0044-03-15 BC', '10000-01-01', '123456-02-28', '2024-02-29'),
);
const clock = fc
	.tuple(fc.nat({ max: 23 }), fc.nat({ max: 59 }), fc.nat({ max: 59 }), fc.nat({ max: 999_999 }))
	.map(([hour, minute, second, micros]) => `${two(hour)}:${two(minute)}:${two(second)}${micros === 0 ? '' : `.${String(micros).padStart(6, '0')}`}`);
const zone = fc.tuple(fc.constantFrom('+', '-'), fc.nat({ max: 14 }), fc.constantFrom(0, 30, 45)).map(([sign, hours, minutes]) => `${sign}${two(hours)}:${two(minutes)}`);
const moment = fc
	.tuple(day, clock)
	.map(([date, time]) => (date.endsWith('infinity') ? date : date.endsWith(' BC') ? `${date.slice(0, -3)} ${time} BC` : `${date} ${time}`));
const interval = fc.oneof(
	fc
		.tuple(fc.integer({ min: -200, max: 200 }), fc.integer({ min: -40, max: 40 }), fc.integer({ min: -1e6, max: 1e6 }), fc.nat({ max: 999_999 }))
		.map(([months, days, seconds, micros]) => `${months} months ${days} days ${seconds} seconds ${micros} microseconds`),
	fc.constantFrom('0', '1 year', '-178000000 years', '-1 day +02:03:04', '178000000 years'),
);

const json = fc.oneof(
	fc.json({ depthSize: 'small' }).map(noZero).filter((document) => !/\\u(0000|[dD][89a-fA-F])/.test(document)),
	fc.constantFrom('null', '"null"', '""', '{}', '[]', '12345678901234567890', '[1e400]', '{"a":1.00}', '-0', '{"__proto__":1}', ' {"b" : 1 }'),
);

const range = (bound: Texts): Texts =>
	fc.oneof(
		fc.constantFrom('empty', '(,)'),
		fc.tuple(fc.constantFrom('[', '('), bound, fc.constantFrom(']', ')')).map(([open, from, close]) => `${open}${from},${close === ']' ? ')' : close}`),
		fc.tuple(bound, fc.constantFrom(']', ')')).map(([to, close]) => `(,${to}${close}`),
	);
const multirange = (one: Texts): Texts => fc.array(one.filter((text) => text !== 'empty'), { maxLength: 3 }).map((ranges) => `{${ranges.join(',')}}`);
const small = (value: number): Texts => fc.integer({ min: -value, max: value }).map(String);
const quoted = (texts: Texts): Texts => texts.filter((one) => !one.endsWith('infinity')).map((one) => `"${one}"`);

const ipv4 = fc.tuple(fc.nat({ max: 255 }), fc.nat({ max: 255 }), fc.nat({ max: 255 }), fc.nat({ max: 255 })).map((parts) => parts.join('.'));
const ip = fc.oneof(ipv4, fc.constantFrom('::1', 'fe80::1:2', '2001:db8::ff00:42:8329', '::ffff:1.2.3.4', '10.0.0.1/24', '2001:db8::/32', '0.0.0.0/0'));
const hex = (pairs: number): Texts => fc.uint8Array({ minLength: pairs, maxLength: pairs }).map((value) => [...value].map((one) => one.toString(16).padStart(2, '0')).join(':'));
const point = fc.tuple(finite, finite).map(([x, y]) => `(${x},${y})`);
const points = (count: number): Texts => fc.array(point, { minLength: count, maxLength: count }).map((all) => all.join(','));
const bits = (minLength: number, maxLength: number): Texts => fc.string({ unit: fc.constantFrom('0', '1'), minLength, maxLength });
const xid = (bitCount: number): Texts => unsigned(bitCount);
const one = (...texts: readonly string[]): Texts => fc.constantFrom(...texts);

const ints = range(small(1_000));
const days = range(day.filter((date) => !date.endsWith('infinity') && !date.endsWith('BC')));
const moments = range(quoted(moment));

/** How a value of each built-in type is typed in, by the type's name; every type that a column can have and that has an input. */
export const TYPE_TEXTS: Readonly<Record<string, Texts>> = {
	bool: one('true', 'false'),
	bytea: fc.oneof(bytes, fc.constant(`\\x${'ff00'.repeat(3_000)}`)),
	char: one('a', '', ' ', '"', '\\', ','),
	name: text.map((value) => value.slice(0, 12)),
	int8: int(64),
	int2: int(16),
	int2vector: one('', '1', '1 -2 3'),
	int4: int(32),
	regproc: one('pg_backend_pid'),
	text: fc.oneof(text, text, long),
	oid: unsigned(32),
	tid: fc.tuple(fc.nat(), fc.nat({ max: 65_535 })).map(([block, item]) => `(${block},${item})`),
	xid: xid(32),
	cid: xid(32),
	oidvector: one('', '1', '1 4294967295'),
	json: fc.oneof(json, json, long.map((value) => JSON.stringify([value]))),
	xml: one('<a/>', '<a b="c">ü &amp; &lt;</a>', 'text only', ''),
	point,
	lseg: points(2).map((all) => `[${all}]`),
	path: fc.tuple(fc.boolean(), points(3)).map(([isOpen, all]) => (isOpen ? `[${all}]` : `(${all})`)),
	box: points(2),
	polygon: points(3).map((all) => `(${all})`),
	line: one('{1,2,3}', '{0,-1,0.1}', '{-1,0,1e-10}'),
	cidr: one('10.0.0.0/8', '192.168.1.0/24', '2001:db8::/32', '10.1.2.3/32'),
	float4,
	float8,
	circle: fc.tuple(point, fc.nat({ max: 1_000 })).map(([center, radius]) => `<${center},${radius}>`),
	macaddr8: hex(8),
	money: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map((cents) => `${cents / 100n}`),
	macaddr: hex(6),
	inet: ip,
	aclitem: one('postgres=r/postgres', '=arwdDxt/postgres'),
	bpchar: text,
	varchar: text,
	date: day,
	time: fc.oneof(clock, one('24:00:00')),
	timestamp: moment,
	timestamptz: fc.tuple(moment, zone).map(([at, offset]) => (at.endsWith('infinity') || at.endsWith('BC') ? at : at + offset)),
	interval,
	timetz: fc.tuple(clock, zone).map(([time, offset]) => time + offset),
	bit: bits(1, 1),
	varbit: bits(0, 70),
	numeric: fc.oneof(numeric, one('Infinity', '-Infinity')),
	refcursor: text,
	regprocedure: one('abs(integer)'),
	regoper: one('||/'),
	regoperator: one('+(integer,integer)'),
	regclass: one('pg_class', 'pg_catalog.pg_type'),
	regtype: one('integer', 'character varying', 'int4[]'),
	uuid: fc.uuid(),
	txid_snapshot: one('10:20:10,14,15', '1:1:'),
	pg_lsn: fc.tuple(fc.nat(), fc.nat()).map(([high, low]) => `${high.toString(16)}/${low.toString(16)}`),
	tsvector: one('', "'a b':1A,2 'c':3B", "fat cat sat", "'it''s' '\\\\'"),
	tsquery: one('', "a & !b | c:*A", "'a b' <-> c"),
	regconfig: one('english', 'simple'),
	regdictionary: one('simple'),
	jsonb: fc.oneof(json, json, long.map((value) => JSON.stringify({ value }))),
	int4range: ints,
	int8range: range(int(62)),
	numrange: range(one('-5', '1.5', '2.50', '1e20')).map((value) => value),
	tsrange: moments,
	tstzrange: moments,
	daterange: days,
	int4multirange: multirange(ints),
	int8multirange: multirange(ints),
	nummultirange: multirange(range(one('1.5', '2.50'))),
	tsmultirange: multirange(moments),
	tstzmultirange: multirange(moments),
	datemultirange: multirange(days),
	jsonpath: one('$', '$."a"[*] ? (@ > 1)', 'strict $.b.size()'),
	regnamespace: one('pg_catalog', 'public'),
	regrole: one('postgres'),
	regcollation: one('"C"'),
	pg_snapshot: one('10:20:10,14,15'),
	xid8: unsigned(64),
};

/** Types of the catalogue that no column of a user holds: the server reads none of them from a text. */
export const UNREADABLE_TYPES: readonly string[] = [
	'pg_node_tree',
	'pg_ndistinct',
	'pg_dependencies',
	'pg_mcv_list',
	'pg_brin_bloom_summary',
	'pg_brin_minmax_multi_summary',
	'gtsvector',
];

/** Made by a user, or by an extension that comes with the server. */
export const OWN_TYPES = `
create extension hstore; create extension citext; create extension ltree; create extension cube; create extension isn;
create type mood as enum ('sad', 'so so', 'happy,"', '\\');
create domain positive as int check (value > 0);
create domain code as varchar(5);
create domain moods as mood[];
create type pair as (a int, b text, c numeric);
create type nested as (p pair, list text[]);
create type floatrange as range (subtype = float8);
`;

const mood = one('sad', 'so so', 'happy,"', '\\');
const pairText = (value: string): string => `"${value.replaceAll(/["\\]/g, '\\$&')}"`;
const pair = fc.tuple(small(99), text, numeric).map(([a, b, c]) => `(${a},${pairText(b)},${c})`);

export const OWN_TYPE_TEXTS: Readonly<Record<string, Texts>> = {
	mood,
	positive: fc.integer({ min: 1, max: 2 ** 31 - 1 }).map(String),
	code: text.map((value) => [...value].slice(0, 5).join('')),
	moods: one('{}', '{sad,NULL}', '{{sad},{"so so"}}', '[2:3]={sad,"happy,\\""}'),
	pair,
	nested: fc.tuple(pair, fc.array(text, { maxLength: 2 })).map(([first, list]) => `(${pairText(first)},${pairText(`{${list.map(pairText).join(',')}}`)})`),
	floatrange: range(finite),
	floatmultirange: one('{}', '{[1,2)}', '{(,0),[0.1,0.30000000000000004]}'),
	hstore: fc
		.dictionary(text.filter((key) => key !== ''), fc.option(text), { maxKeys: 3 })
		.map((pairs) => Object.entries(pairs).map(([key, value]) => `${pairText(key)}=>${value === null ? 'NULL' : pairText(value)}`).join(',')),
	citext: text,
	ltree: one('', 'a.b_1.C'),
	cube: one('(1,2,3)', '(0.1),(2)'),
	isbn13: one('978-0-11-000533-1'),
	'varchar(7)': text.map((value) => [...value].slice(0, 7).join('')),
	'char(6)': text.map((value) => [...value].slice(0, 6).join('')),
	'numeric(12,2)': fc.integer().map((cents) => `${cents}.5`),
	'numeric(3,-2)': one('12345', '-99949'),
	'timestamp(0)': moment,
	'timestamptz(3)': moment,
	'time(1)': clock,
	'interval day to second(2)': one('1 day 02:03:04.567'),
	'bit(9)': bits(9, 9),
};
