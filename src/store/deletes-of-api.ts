import { canonicalJson, sha256Hex } from '../core/canonical-json';
import { existsIn, type LinkState } from '../core/link';
import type { PolicyInForce } from '../core/observe';
import type { DeletePolicy, EntityPolicy } from '../core/policy';
import { changeOfReading, type Reading } from '../core/reading';
import type { RecordChange } from '../core/record-change';
import { STREAM_START } from '../core/position';
import type { ReviewItem } from '../core/review';
import { endsRecord } from '../core/row-presence';
import { BatchLinks } from './batch-identity';
import type { LoadedLink, SyncStore } from './sync-store';

export type DeleteStore = Pick<SyncStore, 'take' | 'countRecords'>;

/** Readings that wait for a person, and what the person is asked. */
export interface HeldDeletes {
	readonly awaits: ReadonlyMap<Reading, Required<RecordChange>['awaits']>;
	readonly approvals: readonly ReviewItem[];
}

/** Deletes of one kind of record that one batch of readings reports. */
interface ReportedDeletes {
	readonly system: string;
	readonly entity: EntityPolicy;
	readonly readings: Reading[];
}

/** By kind of record, whether there were too many: what was counted is not counted again when the batch is thought out anew. */
export type Counted = Map<string, boolean>;

/** What the policy lets through at once, it lets through in this time. */
const PERIOD_SECONDS = 3_600;

/**
 * Mass deletes of an API. It has no transactions, and a webhook tells of one record: so deletes are counted in the store,
 * over all executions, and what exceeds the policy's limit within an hour waits for approval. A batch waits as a whole.
 */
export class DeletesOfApi {
	constructor(
		readonly store: DeleteStore,
		readonly policy: PolicyInForce,
		readonly counted: Counted,
	) {}

	async hold(readings: readonly Reading[], links: readonly LoadedLink[]): Promise<HeldDeletes> {
		const awaits = new Map<Reading, Required<RecordChange>['awaits']>();
		const approvals: ReviewItem[] = [];
		for (const reported of this.#reported(readings, links)) {
			if (!(await this.#isTooMany(reported))) continue;
			const item = itemOf(this.policy.policy.name, reported);
			approvals.push(item);
			for (const reading of reported.readings) awaits.set(reading, { review: item.id, reason: item.reason });
		}
		return { awaits, approvals };
	}

	#reported(readings: readonly Reading[], links: readonly LoadedLink[]): Iterable<ReportedDeletes> {
		const known = new BatchLinks(this.policy.policy, links);
		const byKind = new Map<string, ReportedDeletes>();
		for (const reading of readings) {
			const entity = this.policy.policy.entities.get(reading.entity);
			const link = known.byKey(reading.system, reading.entity, reading.key)?.state;
			if (!entity || !link || !isDeleteByOthers(link, reading, entity)) continue;
			const id = canonicalJson([reading.system, reading.entity]);
			const reported = byKind.get(id) ?? { system: reading.system, entity, readings: [] };
			reported.readings.push(reading);
			byKind.set(id, reported);
		}
		return byKind.values();
	}

	async #isTooMany({ system, entity, readings }: ReportedDeletes): Promise<boolean> {
		const bucket = `deletes ${this.policy.policy.name} ${system} ${entity.name}`;
		const known = this.counted.get(bucket);
		if (known !== undefined) return known;
		const isTooMany = await this.#count(bucket, readings.length, entity);
		this.counted.set(bucket, isTooMany);
		return isTooMany;
	}

	async #count(bucket: string, wanted: number, { name, deletes }: EntityPolicy): Promise<boolean> {
		const { percent } = deletes.massDelete;
		const records = percent === null ? 0 : await this.store.countRecords(this.policy.policy.name, name);
		const capacity = limitOf(deletes, records);
		if (capacity === null) return false;
		const [taken] = await this.store.take([{ bucket, wanted, rate: { capacity, perSecond: capacity / PERIOD_SECONDS } }]);
		return taken !== undefined && taken.granted < wanted;
	}
}

/** A delete of ours that comes back is no delete by others. */
function isDeleteByOthers(link: LinkState, reading: Reading, entity: EntityPolicy): boolean {
	const { system } = reading;
	if (!existsIn(link, system) || link.inFlight[system]?.kind === 'delete') return false;
	return endsRecord(link, changeOfReading(reading, STREAM_START), entity);
}

/** How many deletes are no mass; a single one never is. Null: there is no limit. */
function limitOf({ massDelete: { rows, percent } }: DeletePolicy, records: number): number | null {
	if (rows === null && percent === null) return null;
	const share = percent === null ? Infinity : Math.max(1, Math.floor((records * percent) / 100));
	return Math.min(rows ?? Infinity, share);
}

/** One item for all that wait, which is changed by each that joins them: an answer given without having seen it is refused. */
function itemOf(policy: string, { system, entity: { name: entity }, readings }: ReportedDeletes): ReviewItem {
	const id = sha256Hex(canonicalJson([policy, system, entity])).slice(0, 16);
	return {
		id: `mass-delete-api-${id}`,
		kind: 'approval',
		policy,
		link: null,
		entity,
		fields: [],
		reason: `${system} has deleted more records of ${entity} within an hour than the policy lets through; they stay in the other systems until a person has approved`,
		token: sha256Hex(canonicalJson(readings.map(({ key, facts: { version = null } }) => [{ ...key }, version]))).slice(0, 16),
		detail: { massDelete: true, system, entity },
	};
}
