import type pg from 'pg';

import type { Key } from '../core/link';
import { columnText } from './column-text';
import { atSavepoint, insertAlone, type Verdict } from './insert-row';
import type { Cell, PartWrite, RowWrite } from './write-cells';
import { isUniqueConflict, refusalText } from './write-fault';
import type { PlannedWrite } from './write-plan';
import { deleteStatement, insertStatement, lockStatement, type Statement, updateStatement } from './write-statement';

/**
 * Writes an operation that concerns several rows of one record: all of them, or none.
 *
 * The main row comes first, or is locked first where it stays as it is: who writes records takes the same locks
 * in the same order, and no part can come or go with its record meanwhile.
 *
 * @throws what the database says
 */
export async function writeJoined(client: pg.ClientBase, write: PlannedWrite): Promise<Verdict> {
	const { op } = write;
	if (op.kind === 'insert') return await insertJoined(client, write);
	await client.query('savepoint bisync_record');
	// Where the row stays and says that it is deleted, a delete is an update.
	const takesRow = op.kind === 'delete' && write.sets.length + write.stampedNow.length === 0;
	const isDone = takesRow ? await deleteJoined(client, write) : await updateJoined(client, write);
	await client.query(`${isDone ? '' : 'rollback to savepoint bisync_record; '}release savepoint bisync_record`);
	return { outcome: isDone ? 'applied' : 'stale', key: op.key };
}

/** The key that the main row gets is the parts' key. */
async function insertJoined(client: pg.ClientBase, write: PlannedWrite): Promise<Verdict> {
	try {
		return await atSavepoint(client, async () => {
			const verdict = await insertAlone(client, write);
			if (verdict.outcome !== 'applied' || verdict.key === null) return verdict;
			for (const part of write.parts) {
				const keyed = { ...part, key: keyFor(part, write, verdict.key) };
				// A trigger of the main table may have made the part's row already.
				if ((await run(client, updateStatement([keyed]))) === 0) await insertPart(client, keyed);
			}
			return verdict;
		});
	} catch (error) {
		if (!isUniqueConflict(error)) throw error;
		return { outcome: 'exists', key: null, error: refusalText(error, write.op) };
	}
}

function keyFor({ keyColumns }: PartWrite, main: PlannedWrite, key: Key): Cell[] {
	return keyColumns.map(({ column, type }, at) => {
		const value = key[main.keyColumns[at]?.column ?? ''] ?? null;
		return { column, type, text: columnText(value, type) };
	});
}

async function updateJoined(client: pg.ClientBase, write: PlannedWrite): Promise<boolean> {
	const isWritten = write.sets.length + write.stampedNow.length > 0;
	const found = await run(client, isWritten ? updateStatement([write]) : lockStatement(write));
	if (found === 0) return false;
	for (const part of write.parts) if (!(await updatePart(client, part))) return false;
	return true;
}

async function updatePart(client: pg.ClientBase, part: PartWrite): Promise<boolean> {
	const isWritten = part.sets.length > 0;
	if (!part.isAbsent) {
		const found = await run(client, isWritten ? updateStatement([part]) : lockStatement(part));
		if (found > 0) return true;
		if (!mayBeMissing(part)) return false;
	}
	if (await isThere(client, part)) return false;
	return !isWritten || (await insertUnlessThere(client, part));
}

async function deleteJoined(client: pg.ClientBase, write: PlannedWrite): Promise<boolean> {
	if ((await run(client, lockStatement(write))) === 0) return false;
	for (const part of write.parts) {
		const isGone = !part.isAbsent && (await run(client, deleteStatement([part]))) > 0;
		if (isGone) continue;
		// Whoever made the row meanwhile has not seen the delete.
		if ((!part.isAbsent && !mayBeMissing(part)) || (await isThere(client, part))) return false;
	}
	return (await run(client, deleteStatement([write]))) > 0;
}

/** No row says as little as one that is empty in all that is expected. */
function mayBeMissing({ expects }: RowWrite): boolean {
	return expects.every(({ text }) => text === null);
}

async function isThere(client: pg.ClientBase, part: PartWrite): Promise<boolean> {
	return (await run(client, lockStatement({ ...part, expects: [] }))) > 0;
}

/** Somebody else may make the row at the same time: then theirs has not been seen, and stands. */
async function insertUnlessThere(client: pg.ClientBase, part: PartWrite): Promise<boolean> {
	try {
		await atSavepoint(client, async () => await insertPart(client, part));
		return true;
	} catch (error) {
		if (isUniqueConflict(error) && (await isThere(client, part))) return false;
		throw error;
	}
}

async function insertPart(client: pg.ClientBase, part: PartWrite): Promise<void> {
	const row = { ...part, sets: [...part.key, ...part.fresh, ...part.sets] };
	await run(client, insertStatement([row], 'fail'));
	if (part.table.hasDeferrableUnique) await client.query('set constraints all immediate');
}

/** @returns how many rows it was about */
async function run(client: pg.ClientBase, { text, values }: Statement): Promise<number> {
	return (await client.query(text, [...values])).rows.length;
}
