import { setImmediate as nextTurn } from 'node:timers/promises';

import type { ChangeEvent } from '../core/change-event';
import type { ChangeSpool } from './change-spool';
import type { EventOrigin } from './event-envelope';
import { malformed, type Tuple } from './pgoutput-reader';
import { RecordGroups } from './record-groups';
import type { Relation, SourceChange, SourceTransaction } from './source-transaction';
import { announce, relationOf, rowChange, truncation } from './transaction-assembler';
import { type Draft, drafting, eventsOf, recordsOf } from './transaction-events';

/** A record that was changed more often than this comes in several parts after all: they have to fit into memory. */
const MAX_GROUP_CHANGES = 20_000;
/** n8n has other things to do, too. */
const CHANGES_PER_TURN = 1_000;

/**
 * The events of a transaction that is too large for memory, in parts that are not.
 *
 * A part holds all changes of each of its records, so whoever folds a part to one change per record gets
 * what the whole transaction would have given, and each marker is with its row. Records are in the order of their
 * first changes; so the events have other indexes than those of a smaller transaction would have, but the same ones
 * whenever this transaction is read, whatever the size of the parts.
 *
 * @param maxEvents - a part has no more, unless a single record has
 * @throws SyncError KEY_INCOMPLETE, DECODE_FAILED, SPOOL_FAILED
 */
export async function* largeTransactionEvents(
	transaction: SourceTransaction & { readonly spool: ChangeSpool },
	origin: EventOrigin,
	maxEvents: number,
): AsyncGenerator<readonly ChangeEvent[], void, undefined> {
	const index = await indexChanges(transaction, origin);
	const draftsOf = drafting(origin);
	let drafts: Draft[] = [];
	let group: Draft[] = [];
	let firstIndex = 0;
	const part = (): readonly ChangeEvent[] => {
		const events = eventsOf(drafts, { transaction, origin, firstIndex, rowCounts: index.rowCounts });
		firstIndex += events.length;
		drafts = [];
		return events;
	};
	for (const { item, isLastOfGroup } of index.groups.inOrder()) {
		group.push(...draftsOf(index.changeAt(item)));
		if (!isLastOfGroup && group.length < MAX_GROUP_CHANGES) continue;
		if (drafts.length > 0 && drafts.length + group.length > maxEvents) yield part();
		for (const draft of group) drafts.push(draft);
		group = [];
	}
	if (drafts.length > 0) yield part();
}

/** Where the changes are that concern us, and which of them are of the same record. */
class ChangeIndex {
	readonly groups = new RecordGroups();
	/** Row events of each entity. */
	readonly rowCounts = new Map<string, number>();
	/** By item: where it stands in the spool; or -1 less its place in `#inMemory`. */
	#places = new Float64Array(1_024);
	#relationNrs = new Uint16Array(1_024);
	readonly #inMemory: SourceChange[] = [];
	readonly #relations: Relation[] = [];

	constructor(private readonly spool: ChangeSpool) {}

	/** @param at - where a row change stands in the spool; null: it is kept here */
	add(change: SourceChange, drafts: readonly Draft[], at: number | null): void {
		if (drafts.length === 0) return;
		const item = this.groups.count;
		this.groups.add(drafts.flatMap((draft) => recordsOf(draft)));
		for (const { op, entity } of drafts) {
			if (op !== 'm' && op !== 't') this.rowCounts.set(entity, (this.rowCounts.get(entity) ?? 0) + 1);
		}
		this.#reserve(item);
		if (at === null || change.kind !== 'row') {
			this.#places[item] = -1 - this.#inMemory.length;
			this.#inMemory.push(change);
		} else {
			this.#places[item] = at;
			this.#relationNrs[item] = this.#numberOf(change.relation);
		}
	}

	changeAt(item: number): SourceChange {
		const place = this.#places[item] ?? 0;
		const kept = place < 0 ? this.#inMemory[-1 - place] : undefined;
		if (kept) return kept;
		const { message, lsn } = this.spool.read(place);
		const relation = this.#relations[this.#relationNrs[item] ?? 0];
		if (!relation || (message.tag !== 'insert' && message.tag !== 'update' && message.tag !== 'delete')) throw malformed('another kind than before');
		return rowChange(relation, message, lsn);
	}

	#numberOf(relation: Relation): number {
		if (this.#relations.at(-1) !== relation && !this.#relations.includes(relation)) this.#relations.push(relation);
		return this.#relations.lastIndexOf(relation);
	}

	#reserve(item: number): void {
		if (item < this.#places.length) return;
		const [places, numbers] = [new Float64Array(2 * item), new Uint16Array(2 * item)];
		places.set(this.#places);
		numbers.set(this.#relationNrs);
		[this.#places, this.#relationNrs] = [places, numbers];
	}
}

/** As `drafting`, of the key columns alone: the others are not looked at before their turn comes. */
function ofKeys(origin: EventOrigin): (change: SourceChange) => readonly Draft[] {
	const draftsOf = drafting(origin);
	const narrow = new Map<Relation, { readonly relation: Relation; readonly places: readonly number[] }>();
	return (change) => {
		if (change.kind !== 'row') return draftsOf(change);
		const { relation } = change;
		let keys = narrow.get(relation);
		if (!keys) {
			const key = origin.tables.find(relation.schema, relation.name)?.table.key ?? [];
			const places = relation.columns.flatMap(({ name }, at) => (key.includes(name) ? [at] : []));
			keys = { relation: { ...relation, columns: places.map((at) => relation.columns[at]!) }, places };
			narrow.set(relation, keys);
		}
		const { places } = keys;
		const ofKey = (tuple: Tuple | null): Tuple | null => tuple && places.map((at) => tuple[at] ?? null);
		return draftsOf({ ...change, relation: keys.relation, old: ofKey(change.old), new: ofKey(change.new) });
	};
}

async function indexChanges({ changes, spool }: SourceTransaction & { readonly spool: ChangeSpool }, origin: EventOrigin): Promise<ChangeIndex> {
	const index = new ChangeIndex(spool);
	const draftsOf = ofKeys(origin);
	for (const change of changes) index.add(change, draftsOf(change), null);
	const relations = new Map(spool.relations);
	let turns = 0;
	for (let at = 0; at < spool.size; ) {
		const { message, lsn, next } = spool.read(at);
		switch (message.tag) {
			case 'relation':
				announce(relations, message);
				break;
			case 'truncate':
				for (const oid of message.relationOids) {
					const change = truncation(relationOf(relations, oid), lsn);
					index.add(change, draftsOf(change), null);
				}
				break;
			case 'message': {
				if (!message.transactional) break;
				const change = { kind: 'message', lsn, prefix: message.prefix, content: message.content } as const;
				index.add(change, draftsOf(change), null);
				break;
			}
			case 'insert':
			case 'update':
			case 'delete': {
				const change = rowChange(relationOf(relations, message.relationOid), message, lsn);
				index.add(change, draftsOf(change), at);
				break;
			}
			default:
				throw malformed(`a ${message.tag} within a transaction`);
		}
		at = next;
		if (++turns % CHANGES_PER_TURN === 0) await nextTurn();
	}
	return index;
}
