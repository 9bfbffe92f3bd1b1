import { canonicalJson, type Json } from '../../src/core/canonical-json';
import type { Operation } from '../../src/core/link';
import { partOfField } from '../../src/core/record-parts';
import type { Policy } from '../../src/core/policy';
import type { WitnessedWrite } from './witness';

export interface Account {
	/** Every operation that was ever decided, by id. */
	readonly operations: ReadonlyMap<string, Operation>;
	readonly policy: Policy;
}

/**
 * What is wrong with writes that stand in the systems' own logs: each operation must be in the
 * journal, have its effect once (I5), and have found in the row what it expected (I4).
 */
export function wrongWrites(writes: readonly WitnessedWrite[], account: Account): string[] {
	const marked = new Set<string>();
	return writes.flatMap((write) => {
		const { op: id, outcome } = write.marker;
		const op = account.operations.get(id);
		const twice = marked.has(id);
		marked.add(id);
		if (twice) return [`I5 ${id} was marked twice`];
		if (!op) return [`I9 ${id} is not in the journal`];
		if (outcome === 'applied') return overwritten(write, op, account.policy);
		const wrote = write.before !== null || write.after !== null;
		return wrote ? [`I4 ${id} wrote although it was ${outcome}`] : [];
	});
}

/** Fields in which the row, before the write, did not hold what the operation expected. */
function overwritten(
	{ before, after, system }: WitnessedWrite,
	op: Operation,
	policy: Policy,
): string[] {
	const staysArchived = policy.entities.get(op.entity)?.deletes.as.has(system) === true;
	const found = { insert: [false, true], update: [true, true], delete: [true, staysArchived] }[op.kind];
	if ((before !== null) !== found[0] || (after !== null) !== found[1]) {
		return [`I4 ${op.id} is an ${op.kind}, and its row is not`];
	}
	if (before === null) return [];
	const entity = policy.entities.get(op.entity);
	return Object.entries(op.fields)
		.filter(([field, { expected }]) => {
			const column = entity?.fields.get(field)?.columns.get(system)?.column ?? field;
			// Of a part that has no row, nothing or null is expected.
			if (entity && partOfField(entity, system, field)) return !isSame(before[column] ?? null, expected ?? null);
			return !isSame(before[column], expected);
		})
		.map(([field]) => `I4 ${op.id} overwrote another value of ${field} than it expected`);
}

function isSame(left: Json | undefined, right: Json | undefined): boolean {
	return left !== undefined && right !== undefined && canonicalJson(left) === canonicalJson(right);
}
