import type pg from 'pg';

import { type InsertedRow, insertAlone, keyOfTexts, run, type Verdict } from './insert-row';
import { writeJoined } from './write-joined';
import type { PlannedWrite, WriteGroup } from './write-plan';
import { deleteStatement, insertStatement, updateStatement } from './write-statement';

/** By operation id. */
export type Verdicts = Map<string, Verdict>;

/** Inserts in one statement. More would save few round trips and make the planner slow. */
const MAX_INSERTS = 100;
/** The protocol counts a statement's parameters in 16 bits. */
const MAX_PARAMETERS = 65_535;

/**
 * Writes a group in as few statements as possible.
 *
 * @throws what the database says; nothing of the group counts then, and the transaction is over but
 * for a savepoint
 */
export async function writeGroup(client: pg.ClientBase, group: WriteGroup): Promise<Verdicts> {
	const [first] = group.writes;
	if (first.parts.length > 0) return new Map([[first.op.id, await writeJoined(client, first)]]);
	if (group.kind === 'insert') return await insertRows(client, group);
	// A delete that sets something leaves the row, and says in it that it is deleted.
	const leavesRow = first.sets.length > 0 || first.stampedNow.length > 0;
	const statement = leavesRow ? updateStatement(group.writes) : deleteStatement(group.writes);
	const written = new Set((await run<{ i: number }>(client, statement)).map(({ i }) => i));
	return new Map(
		group.writes.map(({ op }, index) => {
			const outcome = written.has(index) ? 'applied' : 'stale';
			return [op.id, { outcome, key: op.key }];
		}),
	);
}

async function insertRows(client: pg.ClientBase, { writes }: WriteGroup): Promise<Verdicts> {
	const verdicts: Verdicts = new Map();
	const [{ table }] = writes;
	// The server refuses "on conflict" on such a table, even where nothing conflicts.
	const alone = table.hasDeferrableUnique
		? [...writes]
		: await insertTogether(client, writes, verdicts);
	for (const write of alone) verdicts.set(write.op.id, await insertAlone(client, write));
	return verdicts;
}

/** @returns the writes of which no row came back */
async function insertTogether(
	client: pg.ClientBase,
	writes: readonly PlannedWrite[],
	verdicts: Verdicts,
): Promise<PlannedWrite[]> {
	const size = Math.min(MAX_INSERTS, Math.floor(MAX_PARAMETERS / widest(writes)));
	for (let start = 0; start < writes.length; start += size) {
		const [first, ...others] = writes.slice(start, start + size) as [
			PlannedWrite,
			...PlannedWrite[],
		];
		const chunk: WriteGroup['writes'] = [first, ...others];
		for (const { i, key } of await run<InsertedRow>(client, insertStatement(chunk, 'skip'))) {
			const write = chunk[i] as PlannedWrite;
			verdicts.set(write.op.id, { outcome: 'applied', key: keyOfTexts(write, key) });
		}
	}
	return writes.filter(({ op }) => !verdicts.has(op.id));
}

function widest(writes: readonly PlannedWrite[]): number {
	return Math.max(1, ...writes.map(({ sets, numbered }) => sets.length + numbered.length));
}
