import { sha256Hex, canonicalJson } from './canonical-json';
import type { DeletePolicy, Policy } from './policy';
import { commitOf } from './position';
import type { RecordChange } from './record-change';
import type { ReviewItem } from './review';

/** The foreign deletes of one entity in one transaction. */
export interface DeleteRun {
	readonly system: string;
	readonly entity: string;
	readonly commit: string;
	readonly deletes: number;
}

/** How many records of each entity every transaction deleted, our own deletes not counted. */
export function deleteRuns(changes: readonly RecordChange[]): DeleteRun[] {
	const runs = new Map<string, DeleteRun>();
	for (const { system, entity, exists, marker, position } of changes) {
		if (exists !== false || marker !== null) continue;
		const commit = commitOf(position);
		const id = canonicalJson([system, entity, commit]);
		runs.set(id, { system, entity, commit, deletes: (runs.get(id)?.deletes ?? 0) + 1 });
	}
	return [...runs.values()];
}

/** Whether the policy needs to know how many records there are, to judge the run. */
export function asksForShare({ deletes }: DeleteRun, { massDelete }: DeletePolicy): boolean {
	const isOverRows = massDelete.rows !== null && deletes > massDelete.rows;
	return massDelete.percent !== null && deletes > 1 && !isOverRows;
}

/**
 * Whether the deletes wait for approval. A single delete is never a mass: in a small table it may
 * be a large share all the same.
 *
 * @param records - how many records of the entity there were; asked for where `asksForShare`
 */
export function isMassDelete(run: DeleteRun, { massDelete }: DeletePolicy, records: number): boolean {
	const { rows, percent } = massDelete;
	if (rows !== null && run.deletes > rows) return true;
	return percent !== null && run.deletes > 1 && run.deletes * 100 > percent * records;
}

/** The item that a person approves; the same for the same transaction, however often it is delivered. */
export function massDeleteReview(policy: Policy, run: DeleteRun): ReviewItem {
	const { system, entity, commit, deletes } = run;
	return {
		id: `mass-delete-${sha256Hex(canonicalJson([policy.name, system, entity, commit])).slice(0, 16)}`,
		kind: 'approval',
		policy: policy.name,
		link: null,
		entity,
		fields: [],
		reason: `${system} deleted ${deletes} records of ${entity} in one transaction; they stay in the other systems until a person has approved`,
		token: commit,
		detail: { massDelete: true, system, entity, commit, deletes },
	};
}

/** The changes, with those that belong to the run waiting for its item. */
export function awaiting(changes: readonly RecordChange[], run: DeleteRun, item: ReviewItem): RecordChange[] {
	const { id: review, reason } = item;
	return changes.map((change) => {
		const { system, entity, exists, marker, position } = change;
		const isOfRun = system === run.system && entity === run.entity && commitOf(position) === run.commit;
		return isOfRun && exists === false && marker === null ? { ...change, awaits: { review, reason } } : change;
	});
}
