import type pg from 'pg';

import { sha256Hex } from '../core/canonical-json';
import { atSavepoint, run } from './insert-row';
import type { Cell } from './write-cells';
import { blockedError, faultOf } from './write-fault';
import type { Verdicts } from './write-group';
import type { PlannedWrite } from './write-plan';
import { updateStatement } from './write-statement';

/**
 * Updates that were refused because each wants a unique value that another one of them is about to give up: no order
 * helps. The values that change hands are first replaced by reserved ones, and then each row gets its own. Nobody
 * outside of the transaction sees the reserved ones, but triggers of the table do.
 *
 * @returns the outcomes; nothing of updates that take part in no exchange, or when the database refuses this as well
 * @throws a deadlock, the loss of the connection
 */
export async function writeExchanges(client: pg.ClientBase, writes: readonly PlannedWrite[]): Promise<Verdicts> {
	const verdicts: Verdicts = new Map();
	for (const exchange of exchangesIn(writes)) {
		try {
			await atSavepoint(client, async () => await exchangeAll(client, exchange));
			for (const { op } of exchange) verdicts.set(op.id, { outcome: 'applied', key: op.key });
		} catch (error) {
			if (error instanceof RowMoved || faultOf(error) === 'refused') continue;
			if (faultOf(error) !== 'blocked') throw error;
			for (const { op, table } of exchange) {
				verdicts.set(op.id, { outcome: 'none', error: blockedError(error, `write to ${table.name} of ${op.system}`) });
			}
		}
	}
	return verdicts;
}

/** A row no longer holds what is expected of it. */
class RowMoved extends Error {}

async function exchangeAll(client: pg.ClientBase, writes: readonly PlannedWrite[]): Promise<void> {
	const parked = writes.map((write) => ({ write, cells: parkedCells(write, writes) }));
	for (const { write, cells } of parked) await updateOne(client, { ...write, sets: cells, stampedNow: [] });
	for (const { write, cells } of parked) {
		const expects = write.expects.map((cell) => cells.find(({ column }) => column === cell.column) ?? cell);
		await updateOne(client, { ...write, expects });
	}
	await client.query('set constraints all immediate');
}

async function updateOne(client: pg.ClientBase, write: PlannedWrite): Promise<void> {
	const rows = await run<{ i: number }>(client, updateStatement([write]));
	if (rows.length !== 1) throw new RowMoved();
}

/** Groups of updates of one table of which each wants a value that another one of the group has. */
function exchangesIn(writes: readonly PlannedWrite[]): PlannedWrite[][] {
	const tables = new Set(writes.map(({ table }) => table.name));
	return [...tables].flatMap((name) => {
		let group = writes.filter(({ op, table, parts }) => table.name === name && op.kind === 'update' && parts.length === 0);
		for (let before = Infinity; group.length < before; ) {
			before = group.length;
			group = group.filter((write) => parkedCells(write, group).length > 0 && wanted(write, group));
		}
		return group.length > 1 ? [group] : [];
	});
}

/** Whether another one of the group has a value that the write wants. */
function wanted({ op, sets }: PlannedWrite, group: readonly PlannedWrite[]): boolean {
	return group.some((other) => other.op !== op && sets.some((cell) => holds(other, cell)));
}

function holds({ sets, expects, keyColumns }: PlannedWrite, { column, text }: Cell): boolean {
	if (text === null || keyColumns.some((key) => key.column === column)) return false;
	const gives = sets.some((cell) => cell.column === column && cell.text !== text);
	return gives && expects.some((cell) => cell.column === column && cell.text === text);
}

/** Reserved values for what others of the group want to have of the row. */
function parkedCells(write: PlannedWrite, group: readonly PlannedWrite[]): Cell[] {
	return write.expects.flatMap((cell): Cell[] => {
		const isWanted = group.some(({ op, sets }) => op !== write.op && sets.some((set) => set.column === cell.column && holds(write, set)));
		const text = isWanted ? reservedText(write.op.id, cell) : null;
		return text === null ? [] : [{ ...cell, text }];
	});
}

/** By type number: text, varchar, int8, int4, int2, numeric, uuid. */
const TEXTS: ReadonlySet<number> = new Set([25, 1043]);
const NUMBERS: ReadonlyMap<number, number> = new Map([[20, 2 ** 31], [23, 2 ** 31], [21, 2 ** 15], [1700, 2 ** 31]]);
const UUID = 2950;

/** A value that nobody is likely to have; null where the type has none to spare. */
function reservedText(id: string, { type }: Cell): string | null {
	const hash = sha256Hex(id);
	if (TEXTS.has(type.oid)) return `~${hash.slice(0, 7)}`;
	const range = NUMBERS.get(type.oid);
	if (range !== undefined) return String(-1 - (Number.parseInt(hash.slice(0, 8), 16) % range));
	return type.oid === UUID ? hash.slice(0, 32) : null;
}
