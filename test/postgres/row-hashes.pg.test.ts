import fc from 'fast-check';
import type pg from 'pg';

import { equalJson, type Json } from '../../src/core/canonical-json';
import { ChainedHash } from '../../src/core/chained-hash';
import { type DigestShape, digestOf, hashOfKey } from '../../src/core/row-digest';
import { EXISTENCE, emptyLink, type LinkState } from '../../src/core/link';
import { readerOfType } from '../../src/postgres/column-values';
import { connect } from '../../src/postgres/connect';
import { hashExpressions, RowHashes } from '../../src/postgres/row-hashes';
import { beginSnapshot, openSnapshot } from '../../src/postgres/snapshot';
import { readShape } from '../../src/postgres/snapshot-columns';
import { openTestDatabase, type TestDatabase } from '../support/test-database';
import { OWN_TYPE_TEXTS, OWN_TYPES, TYPE_TEXTS } from '../support/type-texts';

let db: TestDatabase;
let client: pg.Client;
beforeAll(async () => {
	db = await openTestDatabase('row-hashes');
	await db.pool.query(OWN_TYPES);
	client = await connect(db.settings);
	await beginSnapshot(client);
});
afterAll(async () => {
	await client.end();
	await db.drop();
});

const PROPERTY_SEED = Number(process.env['PROPERTY_SEED'] ?? 11);
const VALUES = Number(process.env['PROPERTY_RUNS'] ?? 10);
const SHAPE: DigestShape = { system: 'a', entity: 'e', tag: 5n, place: 0, key: ['k'], fields: [{ name: 'f', column: 'v' }] };

/** Of a row with key 1 that holds the value, by what the stream has shown. */
function ours(raw: Json): bigint | null {
	const view = { canon: true, raw: true, vector: {} };
	const state: LinkState = {
		...emptyLink('l', 'e', 1),
		keys: { a: { k: '1' } },
		fields: { [EXISTENCE]: { merged: null, views: { a: view }, frozen: null }, f: { merged: null, views: { a: { ...view, raw } }, frozen: null } },
	};
	return digestOf(state, SHAPE)?.row ?? null;
}

interface Hashed {
	readonly text: string | null;
	readonly raw: Json;
	readonly hash: string;
}

/** The server's hashes of values of a type; a text says why there are none. */
async function hashed(type: string, texts: readonly string[]): Promise<readonly Hashed[] | string> {
	await client.query('rollback');
	await client.query('drop table if exists hashed');
	await client.query(`create table hashed (k int not null default 1, v ${type})`);
	await client.query(`insert into hashed (v) select text::${type} from unnest($1::text[]) as text union all select null`, [texts]);
	await beginSnapshot(client);
	const { keyColumns } = await readShape(client, { schema: 'public', table: 'hashed', key: ['k', 'v'] });
	const expressions = hashExpressions(SHAPE, keyColumns);
	if (typeof expressions === 'string') return expressions;
	const types = { getTypeParser: () => (text: string) => text } as unknown as pg.CustomTypesConfig;
	const { rows } = await client.query<[string | null, string]>({ text: `select t.v, ${expressions.row} from hashed t`, rowMode: 'array', types });
	const read = readerOfType(keyColumns[1]?.typeOid ?? 0);
	return rows.map(([text, hash]) => ({ text, raw: text === null ? null : read(text), hash }));
}

const NAMES = [...Object.entries(TYPE_TEXTS), ...Object.entries(OWN_TYPE_TEXTS)].filter(([name]) => !['refcursor', 'aclitem'].includes(name));

/** A list of some of the values; a quoted one reads as it is. */
const listText = (texts: readonly string[]): string => `{${texts.map((text) => `"${text.replaceAll(/["\\]/g, '\\$&')}"`).join(',')}}`;

/** Values that a server prints otherwise than we write them. Their rows are looked at each time, and found equal. */
function printsOtherwise({ raw, text }: Hashed, type: string): boolean {
	if (type === 'jsonb') return typeof raw === 'string' || /[0-9]\.[0-9]*0(?![0-9])|\.0|[eE]/.test(text ?? '') || /[0-9]{16}/.test(text ?? '');
	if (['float4', 'float8'].includes(type)) return typeof raw === 'string' || text === '-0';
	if (type.startsWith('timestamp')) return typeof raw === 'string' && raw.includes(' ');
	return type.endsWith('[]') && typeof raw === 'string';
}

/** Types that are read whole instead. */
const UNHASHED = new Set(['json', 'refcursor']);
const HASHED_LISTS = new Set(['bool[]', 'int2[]', 'int4[]', 'text[]', 'varchar[]', 'uuid[]', 'int8[]', 'numeric[]']);

test('no two different values of a type share a hash, whoever computes it, and nearly all have the same one here and there', async () => {
	for (const [name, arbitrary] of NAMES) {
		const texts = fc.sample(arbitrary, { numRuns: VALUES, seed: PROPERTY_SEED });
		const type = name === 'char' ? '"char"' : name;
		for (const [listed, values] of [[type, texts], [`${type}[]`, [listText(texts.slice(0, 3)), listText(texts.slice(3, 4)), '{}']]] as const) {
			if (listed.endsWith('[]') && !HASHED_LISTS.has(listed)) continue;
			const rows = await hashed(listed, values);
			if (typeof rows === 'string') {
				expect([listed, UNHASHED.has(listed)]).toEqual([listed, true]);
				continue;
			}
			const digests = rows.map(({ raw }) => String(ours(raw)));
			for (const [at, row] of rows.entries()) {
				const same = rows.filter((_, other) => digests[other] === row.hash);
				expect([listed, row.text, same.filter(({ raw }) => !equalJson(raw, row.raw))]).toEqual([listed, row.text, []]);
				if (!printsOtherwise(row, listed)) expect([listed, row.text, digests[at]]).toEqual([listed, row.text, row.hash]);
			}
		}
	}
}, 60_000);

test('a list with bounds of its own, and a document that looks like another value, is no other value', async () => {
	for (const [type, texts] of [['text[]', ['[2:3]={a,b}', '{a,b}', '{{a},{b}}', '{NULL,"NULL"}']], ['jsonb', ['5', '"5"', 'null', '"null"', '[5]', '"[5]"', '{"a": null}', 'true', '"true"', '""']]] as const) {
		const rows = await hashed(type, texts);
		if (typeof rows === 'string') throw new Error(rows);
		for (const row of rows) expect(rows.filter(({ raw }) => String(ours(raw)) === row.hash).every(({ raw }) => equalJson(raw, row.raw))).toBe(true);
	}
	// A number, and the text that it is printed as.
	expect(new Set([ours(5), ours('5'), ours(null), ours(''), ours(true), ours('true')]).size).toBe(6);
});

test('hashes any text as the server does, whatever came before it', async () => {
	await fc.assert(
		fc.asyncProperty(fc.array(fc.string({ unit: 'grapheme', maxLength: 40 }).map((text) => text.replaceAll('\0', '')), { minLength: 1, maxLength: 3 }), fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), async (texts, seed) => {
			const [{ hash } = { hash: '' }] = (await client.query<{ hash: string }>(`select ${texts.reduce((sql, _, at) => `hashtextextended($${at + 2} collate "C", ${sql})`, '$1::bigint')}::text as hash`, [String(seed), ...texts])).rows;
			const chained = texts.reduce((chain, text) => chain.add(text), new ChainedHash(seed));
			expect(String(chained.value)).toBe(hash);
		}),
		{ numRuns: 100, seed: PROPERTY_SEED },
	);
});

test('sums by bucket what it lists, of rows with several key columns and of partitions as well', async () => {
	await db.pool.query(`create table many (a int, b text, v numeric, note text, primary key (a, b)) partition by range (a);
		create table many_1 partition of many for values from (0) to (50); create table many_2 partition of many for values from (50) to (200);
		insert into many select n, 'b' || n, n / 3.0, case when n % 3 = 0 then null when n % 3 = 1 then '' else 'ä' end from generate_series(1, 100) n`);
	const session = await openSnapshot(db.settings);
	try {
		const table = { schema: 'public', table: 'many', key: ['a', 'b'] };
		const shape: DigestShape = { ...SHAPE, key: ['a', 'b'], fields: [{ name: 'v', column: 'v' }, { name: 'note', column: 'note' }] };
		const hashes = await session.hashes(table, shape);
		if (!(hashes instanceof RowHashes)) throw new Error(hashes);
		const { rows, sums } = await hashes.sums(7);
		const listed = await hashes.inBuckets(7, [...sums.keys()]);
		expect([rows, listed.flatMap(({ ids }) => ids.split(' ')).length]).toEqual([100, 100]);
		const hashesOf = (hash: string): [bigint, bigint] => hash.split(' ').map(BigInt) as [bigint, bigint];
		for (const { bucket, hashes: texts, ids } of listed) {
			const ofBucket = texts.split(',').map(hashesOf);
			expect([ofBucket.every(([key]) => Number(key & 7n) === bucket), String(ofBucket.reduce((sum, [, row]) => sum + row, 0n))]).toEqual([true, sums.get(bucket)]);
			const keys = (await hashes.keysAt(ids.split(' '))).rows.map(([a, b]) => hashOfKey({ a: String(a), b: String(b) }, shape).value);
			expect(new Set(keys)).toEqual(new Set(ofBucket.map(([key]) => key)));
		}
		expect((await hashes.inBuckets(7, [3])).map(({ bucket }) => bucket)).toEqual([3]);
		// Both partitions have a row at this place.
		const [one = ''] = listed[0]?.ids.split(' ') ?? [];
		expect((await hashes.keysAt([one])).rows).toHaveLength(1);
		await expect(session.hashes({ ...table, key: ['a'] }, { ...shape, fields: [{ name: 'x', column: 'gone' }] })).rejects.toMatchObject({ code: 'TABLE_MISSING' });
	} finally {
		await session.close();
	}
});

test('between two statements nobody can write the table anew, which would give its rows other places', async () => {
	await db.pool.query(`create table alone (k int primary key, v text); insert into alone select n, 'v' from generate_series(1, 9) n`);
	const session = await openSnapshot(db.settings);
	const another = await connect(db.settings);
	try {
		const hashes = await session.hashes({ schema: 'public', table: 'alone', key: ['k'] }, SHAPE);
		if (!(hashes instanceof RowHashes)) throw new Error(hashes);
		await hashes.sums(0);
		const [bucket] = await hashes.inBuckets(0, [0]);
		await another.query(`set lock_timeout = '100ms'`);
		await expect(another.query('vacuum full alone')).rejects.toThrow(/lock timeout/);
		expect((await hashes.keysAt(bucket?.ids.split(' ') ?? [])).rows).toHaveLength(9);
	} finally {
		await another.end();
		await session.close();
	}
});
