import { splitStatements } from './user-writes';

test('statements end at semicolons', () => {
	expect(splitStatements('select 1; select 2;\n')).toEqual(['select 1', ' select 2']);
});

test.each([
	`insert into t values ('a;b', 'it''s; me')`,
	'select 1 as "a;b"',
	'do $$ begin perform 1; end $$',
	'do $body$ begin perform $$x;y$$; end $body$',
	'select 1 -- one; two\n, 2',
	'select /* one; two */ 1',
])('not in %s', (statement) => {
	expect(splitStatements(`${statement}; select 2`)).toEqual([statement, ' select 2']);
});
