import type { LinkState } from '../../src/core/link';
import type { WitnessedRow, WitnessedTransaction } from '../support/witness';

/** The columns of the field whose changes are added up, by table. */
const COLUMNS: Readonly<Record<string, string>> = { customers: 'stock', accounts: 'in_stock' };
const FIELD = 'stock';

/**
 * Adds up what users added to and took from a number on both sides: the total must be in both systems
 * in the end, each change in it once (I5).
 */
export class Sums {
	/** Of all records; null: not known, because changes were missed. */
	#expected: bigint | null = 0n;

	/** What happened cannot be added up until everything is at rest again: a system or the store went back. */
	forget(): void {
		this.#expected = null;
	}

	add(transactions: readonly WitnessedTransaction[]): void {
		for (const { rows } of transactions) {
			for (const row of rows) if (row.marker === null && this.#expected !== null) this.#expected += changeOf(row);
		}
	}

	/** @returns what is wrong with the total; from now on the one that is there is right */
	compare(states: readonly LinkState[]): string[] {
		const found = states.reduce((sum, { fields }) => sum + BigInt(String(fields[FIELD]?.merged?.canon ?? 0)), 0n);
		const expected = this.#expected ?? found;
		this.#expected = found;
		if (found === expected) return [];
		return [`I5 users have brought the sum of ${FIELD} to ${expected}, and it is ${found}`];
	}
}

function changeOf({ table, before, after }: WitnessedRow): bigint {
	const column = COLUMNS[table];
	if (column === undefined) return 0n;
	const numberIn = (values: WitnessedRow['before']): bigint => BigInt(String(values?.[column] ?? 0));
	return numberIn(after) - numberIn(before);
}
