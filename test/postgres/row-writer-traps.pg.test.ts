import pg from 'pg';

import { policyOfColumns, updateOf, withTarget, type WriteTarget } from '../support/write-target';

/** Techniques that are often recommended and do not work, and what stands in their place. */

const POLICY = policyOfColumns(['name', 'email']);
const TABLE = 'create table record (id int primary key, name text, email text unique)';

const seed = async (target: WriteTarget): Promise<unknown> =>
	await target.rows(`insert into record values (1, 'a', 'e1'), (2, 'b', 'e2'), (3, 'c', 'e3')`);

test('whoever writes next on the connection that we wrote with is not taken for us: the mark is the transaction’s', async () => {
	await withTarget({ ddl: TABLE, policy: POLICY }, async (target) => {
		await seed(target);
		const pool = new pg.Pool({ ...target.db.settings, max: 1 });
		try {
			await target.write([updateOf('1', { name: ['a', 'ours'] })], { pool });
			expect(await target.newMarkers()).toHaveLength(1);
			const { rows } = await pool.query<{ name: string }>('select current_setting($1) as name', ['application_name']);
			await pool.query(`update record set name = 'a user’s' where id = 1`);
			const messages = await target.newMessages();
			expect(messages.filter(({ tag }) => tag === 'update')).toHaveLength(1);
			expect(messages.filter(({ tag }) => tag === 'message')).toEqual([]);
			expect(JSON.stringify(messages, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value))).not.toContain(rows[0]?.name || 'n8n');
		} finally {
			await pool.end();
		}
	});
});

test('a write that is undone to a savepoint leaves the marker that says so, and never one that says it happened', async () => {
	await withTarget({ ddl: `${TABLE}; alter table record add check (name <> 'bad')`, policy: POLICY }, async (target) => {
		await seed(target);
		const ops = [updateOf('1', { name: ['a', 'a2'] }), updateOf('2', { name: ['b', 'bad'] }), updateOf('3', { name: ['c', 'c2'] })];
		await target.write(ops);
		const markers = await target.newMarkers();
		expect(markers.map(({ op, outcome }) => [op, outcome]).sort()).toEqual([
			['link1:billing:1', 'applied'],
			['link2:billing:1', 'refused'],
			['link3:billing:1', 'applied'],
		]);
		expect(await target.rows('select name from record order by id')).toEqual([{ name: 'a2' }, { name: 'b' }, { name: 'c2' }]);
	});
});

test('an update of a row that is gone makes none, and a delete of a row with an edit that was not seen deletes nothing', async () => {
	await withTarget({ ddl: TABLE, policy: POLICY }, async (target) => {
		await seed(target);
		await target.rows('delete from record where id = 1');
		await target.rows(`update record set name = 'edited' where id = 2`);
		const gone = updateOf('1', { name: ['a', 'again'] });
		const unseen = { ...updateOf('2', { name: ['b', 'b'] }), kind: 'delete' as const };
		expect((await target.write([gone, unseen])).map(({ outcome }) => outcome)).toEqual(['stale', 'stale']);
		expect(await target.rows('select id, name from record order by id')).toEqual([{ id: 2, name: 'edited' }, { id: 3, name: 'c' }]);
	});
});
