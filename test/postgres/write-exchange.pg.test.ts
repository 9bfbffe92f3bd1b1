import type { Operation } from '../../src/core/link';
import { policyOfColumns, updateOf, withTarget } from '../support/write-target';

/** Records by id and code, and operations that give each the code of another one. */
function exchange(...codes: readonly [from: string, to: string][]): Operation[] {
	return codes.map(([from, to], index) => updateOf(String(index + 1), { code: [from, to] }));
}

const POLICY = policyOfColumns(['code', 'name']);

test.each([
	['text', 'text not null unique', ['A', 'B', 'C']],
	['short text', 'varchar(8) not null unique', ['A', 'B', 'C']],
	['a number', 'int not null unique', ['1', '2', '3']],
	['uuid', 'uuid not null unique', ['a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a12', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a13']],
])('rows that exchange unique values of %s are written in one go, two or three at a time', async (_, type, [a = '', b = '', c = '']) => {
	await withTarget({ ddl: `create table record (id bigint primary key, code ${type}, name text)`, policy: POLICY }, async (target) => {
		await target.rows(`insert into record values (1, '${a}'), (2, '${b}'), (3, '${c}')`);
		const two = await target.outcomes(exchange([a, b], [b, a]));
		expect(Object.values(two)).toEqual(['applied', 'applied']);
		expect(await target.rows('select id::int, code::text from record order by id')).toEqual([{ id: 1, code: b }, { id: 2, code: a }, { id: 3, code: c }]);
		const three = exchange([b, a], [a, c], [c, b]).map((op) => ({ ...op, number: 2, id: op.id.replace(/:1$/, ':2') }));
		expect(Object.values(await target.outcomes(three))).toEqual(['applied', 'applied', 'applied']);
		expect(await target.rows('select code::text from record order by id')).toEqual([{ code: a }, { code: c }, { code: b }]);
		expect((await target.newMarkers()).map(({ outcome }) => outcome)).toEqual(Array(5).fill('applied'));
	});
});

test('rows that follow a key keep it through an exchange, and one whose value nobody gives up is refused alone', async () => {
	const ddl = `create table record (id bigint primary key, code text not null unique, name text);
		create table price (code text primary key references record (code) on update cascade, price int)`;
	await withTarget({ ddl, policy: POLICY }, async (target) => {
		await target.rows(`insert into record values (1, 'A'), (2, 'B'), (3, 'C'), (4, 'D')`);
		await target.rows(`insert into price values ('A', 10), ('B', 20)`);
		const outcomes = await target.outcomes(exchange(['A', 'B'], ['B', 'A'], ['C', 'D']));
		expect(Object.values(outcomes)).toEqual(['applied', 'applied', 'refused']);
		expect(await target.rows('select code, price from price order by price')).toEqual([{ code: 'B', price: 10 }, { code: 'A', price: 20 }]);
	});
});

test('where no value can be reserved both are refused, and nothing is changed', async () => {
	const ddl = `create table record (id bigint primary key, code text not null unique check (code ~ '^[A-Z]$'), name text)`;
	await withTarget({ ddl, policy: POLICY }, async (target) => {
		await target.rows(`insert into record values (1, 'A'), (2, 'B')`);
		expect(Object.values(await target.outcomes(exchange(['A', 'B'], ['B', 'A'])))).toEqual(['refused', 'refused']);
		expect(await target.rows('select code from record order by id')).toEqual([{ code: 'A' }, { code: 'B' }]);
	});
});
