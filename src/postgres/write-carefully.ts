import type pg from 'pg';

import { SyncError } from '../core/errors';
import { blockedError, dependsOnOtherRows, faultOf, refusalText } from './write-fault';
import { atSavepoint } from './insert-row';
import { writeExchanges } from './write-exchange';
import { type Verdicts, writeGroup } from './write-group';
import { groupWrites, type PlannedWrite, type WriteGroup } from './write-plan';
import { lockedRowsStatement } from './write-statement';

export interface CarefulOptions {
	/** A lock could not be had in time: find out which rows are locked, and leave those alone. */
	readonly skipLocked: boolean;
}

interface CarefulPass extends CarefulOptions {
	readonly client: pg.ClientBase;
	readonly verdicts: Verdicts;
	/** Ids of refused operations that may succeed once others have been written. */
	readonly retriable: Set<string>;
}

/**
 * Writes behind savepoints. What the database refuses is halved until the refused operation stands
 * alone; what cannot be written at present is left without an outcome; all else is written.
 *
 * @throws a deadlock, the loss of the connection
 */
export async function writeCarefully(
	client: pg.ClientBase,
	writes: readonly PlannedWrite[],
	options: CarefulOptions,
): Promise<Verdicts> {
	const verdicts: Verdicts = new Map();
	let open = writes;
	// What one write needs (a parent row, a unique value given up) another one of the batch may bring:
	// as long as a pass helped some, the next may help more.
	for (let before = Infinity; open.length > 0 && open.length < before; ) {
		before = open.length;
		const pass = { ...options, client, verdicts, retriable: new Set<string>() };
		for (const group of groupWrites(open)) await writeUnlocked(pass, group);
		open = open.filter(({ op }) => pass.retriable.has(op.id));
	}
	for (const [id, verdict] of await writeExchanges(client, open)) verdicts.set(id, verdict);
	return verdicts;
}

async function writeUnlocked(pass: CarefulPass, group: WriteGroup): Promise<void> {
	const locked =
		pass.skipLocked && group.kind !== 'insert' ? await findLocked(pass.client, group) : [];
	const error = new SyncError(
		'TARGET_BUSY',
		`Another transaction holds a lock on the row in ${group.writes[0].table.name}`,
	);
	for (const { op } of locked) pass.verdicts.set(op.id, { outcome: 'none', error });
	const free = group.writes.filter((write) => !locked.includes(write));
	if (isGroup(free)) await writeOrHalve(pass, { kind: group.kind, writes: free });
}

async function writeOrHalve(pass: CarefulPass, group: WriteGroup): Promise<void> {
	const { client, verdicts } = pass;
	const { table, op } = group.writes[0];
	try {
		const written = await atSavepoint(client, async () => {
			const result = await writeGroup(client, group);
			// A deferred constraint that fails at the commit would take the whole batch with it.
			await client.query('set constraints all immediate');
			return result;
		});
		for (const [id, verdict] of written) verdicts.set(id, verdict);
	} catch (error) {
		const fault = faultOf(error);
		if (fault === 'blocked') {
			const none = {
				outcome: 'none',
				error: blockedError(error, `write to ${table.name} of ${op.system}`),
			} as const;
			for (const write of group.writes) verdicts.set(write.op.id, none);
		} else if (fault !== 'refused') {
			throw error;
		} else if (group.writes.length > 1) {
			for (const half of halvesOf(group)) await writeOrHalve(pass, half);
		} else {
			verdicts.set(op.id, { outcome: 'refused', key: op.key, error: refusalText(error, op) });
			if (dependsOnOtherRows(error)) pass.retriable.add(op.id);
		}
	}
}

/** @returns none when the role may not lock rows (it may delete only): the writes then wait themselves */
async function findLocked(client: pg.ClientBase, { writes }: WriteGroup): Promise<PlannedWrite[]> {
	const { text, values } = lockedRowsStatement(writes);
	try {
		const { rows } = await atSavepoint(client, () =>
			client.query<{ i: number }>(text, [...values]),
		);
		return rows.map(({ i }) => writes[i] as PlannedWrite);
	} catch (error) {
		if (['refused', 'blocked'].includes(faultOf(error))) return [];
		throw error;
	}
}

function halvesOf({ kind, writes }: WriteGroup): WriteGroup[] {
	const middle = Math.ceil(writes.length / 2);
	const halves = [writes.slice(0, middle), writes.slice(middle)];
	return halves.flatMap((half) => (isGroup(half) ? [{ kind, writes: half }] : []));
}

function isGroup(writes: readonly PlannedWrite[]): writes is WriteGroup['writes'] {
	return writes.length > 0;
}
