import pg from 'pg';

import type { Json } from '../../src/core/canonical-json';
import type { Operation } from '../../src/core/link';
import type { PgoutputMessage } from '../../src/postgres/pgoutput';
import { rowValues } from '../../src/postgres/source-transaction';
import { ident, literal } from '../../src/postgres/sql';
import { TYPE_SAMPLES, TYPE_SETUP, type TypeSample } from '../support/type-samples';
import {
	insertOf,
	policyOfColumns,
	updateOf,
	withTarget,
	type WriteTarget,
} from '../support/write-target';

const COLUMNS = TYPE_SAMPLES.map((_, index) => `c${index}`);
const columnsWith = (of: (sample: TypeSample) => string | null): [string[], (string | null)[]] => [
	COLUMNS,
	TYPE_SAMPLES.map(of),
];

/** Rows of texts, each cast to its column's type. */
async function insertTexts(
	target: WriteTarget,
	id: number,
	[columns, texts]: [string[], (string | null)[]],
): Promise<void> {
	const casts = TYPE_SAMPLES.map(({ type }, index) => `$${index + 2}::text::${type}`);
	await target.rows(
		`insert into record (id, ${columns.join(', ')}) values ($1, ${casts.join(', ')})`,
		[id, ...texts],
	);
}

async function printedRow(target: WriteTarget, id: number): Promise<unknown> {
	// The text that a COPY or the change stream shows, not the cast's: they differ for char(n) and inet.
	const texts = COLUMNS.map(
		(column) => `(select textout from (select format('%s', ${column}) as textout) s) as ${column}`,
	);
	const nulls = COLUMNS.map((column) => `${column} is null as ${ident(`${column}_null`)}`);
	const [row] = (await target.rows(
		`select ${[...texts, ...nulls].join(', ')} from record where id = $1`,
		[id],
	)) as Record<string, unknown>[];
	return COLUMNS.map((column) => (row?.[`${column}_null`] === true ? null : row?.[column]));
}

const DDL = `${TYPE_SETUP}
	create table record (id int primary key, ${TYPE_SAMPLES.map(({ type }, index) => `c${index} ${type}`).join(', ')});`;

const everyUpdate = (): Operation[] =>
	TYPE_SAMPLES.map(({ type, shown, next }, index) => {
		return updateOf('1', { [`c${index}`]: [shown, next] }, { link: `type ${index} ${type}` });
	});

test.each([15, 18] as const)(
	'every type is compared and written as the change stream shows it, on Postgres %i',
	async (version) => {
		await withTarget({ ddl: DDL, policy: policyOfColumns(COLUMNS), version }, async (target) => {
			await insertTexts(
				target,
				1,
				columnsWith(({ stored }) => stored),
			);
			const results = await target.write(everyUpdate());
			expect(results.filter(({ outcome }) => outcome !== 'applied')).toEqual([]);
			expect(await printedRow(target, 1)).toEqual(TYPE_SAMPLES.map(({ printed }) => printed));
		});
	},
);

test('a compare-and-set finds what the change stream showed', async () => {
	await withTarget({ ddl: DDL, policy: policyOfColumns(COLUMNS) }, async (target) => {
		await insertTexts(
			target,
			1,
			columnsWith(({ stored }) => stored),
		);
		const shown = shownRow(await target.newMessages());
		const ops = TYPE_SAMPLES.map(({ type, next }, index) => {
			const fields = { [`c${index}`]: [shown[`c${index}`] ?? null, next] as const };
			return updateOf('1', fields, { link: `type ${index} ${type}` });
		});
		const results = await target.write(ops);
		expect(results.filter(({ outcome }) => outcome !== 'applied')).toEqual([]);
	});
});

function shownRow(messages: readonly PgoutputMessage[]): Record<string, Json> {
	const relation = messages.find((message) => message.tag === 'relation');
	const insert = messages.find((message) => message.tag === 'insert');
	if (!relation || insert?.tag !== 'insert' || !insert.new) {
		throw new Error('the stream shows no new row');
	}
	return rowValues(relation, insert.new).values;
}

test('the settings of the database change nothing', async () => {
	await withTarget({ ddl: DDL, policy: policyOfColumns(COLUMNS) }, async (target) => {
		await insertTexts(
			target,
			1,
			columnsWith(({ stored }) => stored),
		);
		const settings = {
			datestyle: 'SQL, DMY',
			intervalstyle: 'sql_standard',
			timezone: 'America/New_York',
			extra_float_digits: '-15',
			bytea_output: 'escape',
		};
		for (const [name, value] of Object.entries(settings)) {
			await target.rows(
				`alter database ${ident(target.db.settings.database)} set ${name} = ${literal(value)}`,
			);
		}
		const pool = new pg.Pool(target.db.settings);
		try {
			expect((await pool.query('show datestyle')).rows).toEqual([{ DateStyle: 'SQL, DMY' }]);
			const results = await target.write(everyUpdate(), { pool });
			expect(results.filter(({ outcome }) => outcome !== 'applied')).toEqual([]);
		} finally {
			await pool.end();
		}
		expect(await printedRow(target, 1)).toEqual(TYPE_SAMPLES.map(({ printed }) => printed));
	});
});

test('an insert writes every type', async () => {
	await withTarget({ ddl: DDL, policy: policyOfColumns(['id', ...COLUMNS]) }, async (target) => {
		const values = Object.fromEntries(TYPE_SAMPLES.map(({ next }, index) => [`c${index}`, next]));
		const [result] = await target.write([insertOf('new', { id: 5, ...values })]);
		expect(result).toMatchObject({ outcome: 'applied', key: { id: '5' } });
		expect(await printedRow(target, 5)).toEqual(TYPE_SAMPLES.map(({ printed }) => printed));
	});
});

test('an edit that leaves a look-alike is never overwritten', async () => {
	await withTarget({ ddl: DDL, policy: policyOfColumns(COLUMNS) }, async (target) => {
		await insertTexts(
			target,
			1,
			columnsWith(({ stored, edited }) => edited ?? stored),
		);
		const ops = TYPE_SAMPLES.flatMap(({ shown, next, edited, type }, index) => {
			if (edited === undefined) return [];
			return [updateOf('1', { [`c${index}`]: [shown, next] }, { link: `type ${index} ${type}` })];
		});
		const results = await target.write(ops);
		expect(results.filter(({ outcome }) => outcome !== 'stale')).toEqual([]);
		expect(results.length).toBeGreaterThan(15);
	});
});

test('null, an empty text and an absent column are three things', async () => {
	const ddl = `create table record (id int primary key, a text default 'default', b text default 'default', c text default 'default')`;
	await withTarget({ ddl, policy: policyOfColumns(['id', 'a', 'b', 'c']) }, async (target) => {
		await target.write([insertOf('new', { id: 1, a: null, b: '', c: undefined })]);
		expect(await target.rows('select a, b, c from record')).toEqual([
			{ a: null, b: '', c: 'default' },
		]);
		expect(
			await target.outcomes([
				updateOf('1', { a: ['', 'x'] }, { link: 'null is not empty' }),
				updateOf('1', { b: [null, 'x'] }, { link: 'empty is not null' }),
				updateOf('1', { a: [null, ''], b: ['', null] }, { link: 'swapped' }),
			]),
		).toEqual({
			'null is not empty:billing:1': 'stale',
			'empty is not null:billing:1': 'stale',
			'swapped:billing:1': 'applied',
		});
		expect(await target.rows('select a, b, c from record')).toEqual([
			{ a: '', b: null, c: 'default' },
		]);
	});
});

test('a value too long for its column is refused, not cut', async () => {
	const ddl = `${TYPE_SETUP} create table record (id int primary key, a varchar(3), b char(3), c short_code)`;
	await withTarget({ ddl, policy: policyOfColumns(['a', 'b', 'c']) }, async (target) => {
		await target.rows('insert into record values (1)');
		const ops = ['a', 'b', 'c'].map((column) =>
			updateOf('1', { [column]: [null, 'abcdefg'] }, { link: column }),
		);
		expect(new Set(Object.values(await target.outcomes(ops)))).toEqual(new Set(['refused']));
	});
});

test.each([
	['uuid', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'],
	['timestamptz', '2024-01-31T10:00:00.5Z', '2024-01-31T10:00:00.5Z'],
	['numeric', '1.50', '1.50'],
	['text', 'a "b" {c}', 'a "b" {c}'],
])(
	'a key of type %s is returned as the change stream shows it, and found again',
	async (type, key, written) => {
		const ddl = `create table record (id ${type} primary key, name text)`;
		await withTarget({ ddl, policy: policyOfColumns(['id', 'name']) }, async (target) => {
			const { settings } = target.db;
			const pool = new pg.Pool({
				...settings,
				options: '-c datestyle=SQL,DMY -c timezone=Asia/Tokyo',
			});
			try {
				const [result] = await target.write([insertOf('new', { id: written, name: 'n' })], {
					pool,
				});
				expect(result).toMatchObject({ outcome: 'applied', key: { id: key } });
				const update = updateOf(key, { name: ['n', 'm'] });
				expect(await target.outcomes([update], { pool })).toEqual({ [update.id]: 'applied' });
			} finally {
				await pool.end();
			}
		});
	},
);
