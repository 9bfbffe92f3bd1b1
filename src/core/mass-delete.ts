import { sha256Hex, canonicalJson } from './canonical-json';
import type { ChangeEvent } from './change-event';
import type { LinkState } from './link';
import { isOlderRow } from './older-row';
import type { DeletePolicy, Policy } from './policy';
import { commitOf } from './position';
import type { RecordChange } from './record-change';
import type { ReviewItem } from './review';
import { endsRecord } from './row-presence';

/** The foreign deletes of one entity in one transaction. */
export interface DeleteRun {
	readonly system: string;
	readonly entity: string;
	readonly commit: string;
	readonly deletes: number;
	/** Of them, those whose rows are still there: archived, or moved out of the rows that the policy covers. Absent: none. */
	readonly staying?: number;
	/** They were found outside of the stream, and so many were gone there in all. Absent: they are the deletes of one transaction. */
	readonly found?: number;
}

/**
 * Whether a change takes a record away that a link has, other than by an operation of ours: deletes its
 * row, archives it, or moves it out of the rows that the policy covers.
 *
 * @param link - the record's link before the change; undefined when none is known
 */
export function isForeignDelete(change: RecordChange, link: LinkState | undefined, policy: Policy): boolean {
	const entity = policy.entities.get(change.entity);
	if (change.marker !== null || entity === undefined || (link !== undefined && isOlderRow(link, change))) return false;
	return change.exists === false || (link !== undefined && endsRecord(link, change, entity));
}

/** Of the transactions that come in several executions, by entity: how many rows of them are here, and how many there are. */
export type TransactionShares = ReadonlyMap<string, { readonly here: number; readonly all: number }>;

export function transactionShares(events: readonly ChangeEvent[]): TransactionShares {
	const shares = new Map<string, { here: number; all: number }>();
	for (const { system, entity, op, source } of events) {
		const { position, txRows } = source;
		if (txRows === undefined || position === null || op === 'm' || op === 't') continue;
		const id = canonicalJson([system, entity, commitOf(position)]);
		shares.set(id, { here: (shares.get(id)?.here ?? 0) + 1, all: txRows });
	}
	return shares;
}

/**
 * How many records of each entity every transaction deleted; see `isForeignDelete` for which changes are to be given. Of a
 * transaction that comes in several executions nobody knows yet: as many in proportion as in the part that is here.
 */
export function deleteRuns(deletes: Iterable<RecordChange>, shares: TransactionShares = new Map()): DeleteRun[] {
	const runs = new Map<string, DeleteRun>();
	for (const { system, entity, position, exists, fresh } of deletes) {
		const commit = commitOf(position);
		const id = canonicalJson([system, entity, commit]);
		const { deletes: count = 0, staying = 0 } = runs.get(id) ?? {};
		const stays = exists === true ? { staying: staying + 1 } : staying > 0 ? { staying } : {};
		runs.set(id, { system, entity, commit, deletes: count + 1, ...stays, ...(fresh === undefined ? {} : { found: fresh.gone }) });
	}
	// However the items of a reconcile were divided on their way, they are one delete.
	return [...runs].map(([id, run]) => ({ ...run, deletes: Math.max(run.deletes, run.found ?? 0, inProportion(run, shares.get(id))) }));
}

function inProportion({ deletes }: DeleteRun, share: { readonly here: number; readonly all: number } | undefined): number {
	return share === undefined ? deletes : Math.ceil((deletes * share.all) / Math.max(share.here, 1));
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
	const { system, entity, commit, deletes, staying = 0, found } = run;
	const how = found === undefined ? `${system} deleted ${deletes} records of ${entity} in one transaction` : `${deletes} records of ${entity} are gone from ${system}, as a reconcile has found`;
	const what = staying > 0 ? ` (${staying} of them archived, or moved out of the rows that the policy covers)` : '';
	return {
		id: `mass-delete-${sha256Hex(canonicalJson([policy.name, system, entity, commit])).slice(0, 16)}`,
		kind: 'approval',
		policy: policy.name,
		link: null,
		entity,
		fields: [],
		reason: `${how}${what}; they stay in the other systems until a person has approved`,
		token: commit,
		detail: { massDelete: true, system, entity, commit, deletes },
	};
}

/** Whether the change is one of the run's deletes. */
export function isOfRun({ system, entity, position }: RecordChange, run: DeleteRun): boolean {
	return system === run.system && entity === run.entity && commitOf(position) === run.commit;
}
