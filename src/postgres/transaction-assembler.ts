import type {
	BeginMessage,
	CommitMessage,
	PgoutputMessage,
	RelationMessage,
	RowMessage,
	TruncateMessage,
} from './pgoutput';
import { malformed, type Tuple, UNCHANGED } from './pgoutput-reader';
import type { Relation, RowChange, SourceChange, SourceTransaction } from './source-transaction';

interface OpenTransaction {
	readonly begin: BeginMessage;
	origin: string | null;
	readonly changes: SourceChange[];
}

/**
 * Puts the messages of one stream together to transactions. Pure bookkeeping: the same messages
 * give the same transactions.
 */
export class TransactionAssembler {
	readonly #relations = new Map<number, Relation>();
	#open: OpenTransaction | null = null;

	/** Whether a transaction has begun and not yet committed. */
	get isOpen(): boolean {
		return this.#open !== null;
	}

	/** The tables as they were announced last. */
	get relations(): ReadonlyMap<number, Relation> {
		return this.#relations;
	}

	/** Changes of the transaction that is being read. */
	get openChangeCount(): number {
		return this.#open?.changes.length ?? 0;
	}

	/** Those. */
	get openChanges(): readonly SourceChange[] {
		return this.#open?.changes ?? [];
	}

	/**
	 * Takes the next message.
	 *
	 * Messages outside of a transaction are left out: they were emitted with `transactional = false`
	 * and are sent even when their transaction was rolled back, so they prove nothing.
	 *
	 * @param lsn - the position the server gave for the message
	 * @returns the transaction that this message completes
	 * @throws SyncError DECODE_FAILED for a message that cannot stand here
	 */
	push(message: PgoutputMessage, lsn: bigint): SourceTransaction | null {
		switch (message.tag) {
			case 'begin':
				if (this.#open) throw malformed('a transaction inside another one');
				this.#open = { begin: message, origin: null, changes: [] };
				return null;
			case 'commit':
				return this.#commit(message);
			case 'origin':
				this.#transaction('an origin').origin = message.name;
				return null;
			case 'relation':
				this.#setRelation(message, lsn);
				return null;
			case 'message':
				if (!message.transactional) return null;
				this.#add({ kind: 'message', lsn, prefix: message.prefix, content: message.content });
				return null;
			case 'truncate':
				this.#truncate(message, lsn);
				return null;
			case 'type':
				return null;
			case 'insert':
			case 'update':
			case 'delete':
				this.#addRow(message, lsn);
				return null;
		}
	}

	#commit({ commitLsn, endLsn, commitTsMs }: CommitMessage): SourceTransaction {
		const { begin, origin, changes } = this.#transaction('a commit');
		if (begin.commitLsn !== commitLsn) throw malformed('a commit of another transaction');
		this.#open = null;
		return { xid: begin.xid, commitLsn, endLsn, commitTsMs, origin, changes };
	}

	/** Relations come inside transactions, but what they say holds until the next one for the same table. */
	#setRelation(message: RelationMessage, lsn: bigint): void {
		const previous = this.#relations.get(message.oid) ?? null;
		const relation = announce(this.#relations, message);
		if (relation) this.#add({ kind: 'relation', lsn, relation, previous });
	}

	#addRow(message: RowMessage, lsn: bigint): void {
		this.#add(rowChange(this.#relation(message.relationOid), message, lsn));
	}

	#truncate({ relationOids }: TruncateMessage, lsn: bigint): void {
		for (const oid of relationOids) this.#add(truncation(this.#relation(oid), lsn));
	}

	#relation(oid: number): Relation {
		return relationOf(this.#relations, oid);
	}

	#add(change: SourceChange): void {
		this.#transaction('a change').changes.push(change);
	}

	#transaction(what: string): OpenTransaction {
		if (!this.#open) throw malformed(`${what} outside of a transaction`);
		return this.#open;
	}
}

/** @returns the table, unless it is known in this shape */
export function announce(relations: Map<number, Relation>, { tag: _tag, ...relation }: RelationMessage): Relation | null {
	const previous = relations.get(relation.oid);
	if (previous && isSameShape(previous, relation)) return null;
	relations.set(relation.oid, relation);
	return relation;
}

/** @throws SyncError DECODE_FAILED for a table that was not announced */
export function relationOf(relations: ReadonlyMap<number, Relation>, oid: number): Relation {
	const relation = relations.get(oid);
	if (!relation) throw malformed(`a row of the unannounced table ${oid}`);
	return relation;
}

/** @throws SyncError DECODE_FAILED for a row that is none of this table */
export function rowChange(relation: Relation, message: RowMessage, lsn: bigint): RowChange {
	requireLength(relation, message.old);
	requireLength(relation, message.new);
	return new ChangedRow(relation, message, lsn);
}

function requireLength({ schema, name, columns }: Relation, tuple: Tuple | null): void {
	if (tuple && tuple.length !== columns.length) throw malformed(`a row of ${tuple.length} columns for ${schema}.${name}`);
}

/**
 * A class for the sake of memory. Where object literals outlive a collection of garbage, as those of a transaction that is being
 * read do, V8 makes the later ones in its old generation, from which they go late: up to three times the memory, and slower.
 */
class ChangedRow implements RowChange {
	readonly kind = 'row';
	readonly op: RowChange['op'];
	readonly old: Tuple | null;
	readonly oldIsKeyOnly: boolean;
	readonly new: Tuple | null;

	constructor(
		readonly relation: Relation,
		message: RowMessage,
		readonly lsn: bigint,
	) {
		this.op = OPS[message.tag];
		this.old = message.old;
		this.oldIsKeyOnly = message.oldIsKeyOnly;
		this.new = message.new && fillUnchanged(relation, message, message.new);
	}
}

export function truncation(relation: Relation, lsn: bigint): RowChange {
	return { kind: 'row', op: 't', relation, lsn, old: null, oldIsKeyOnly: false, new: null };
}

export function isRow(message: PgoutputMessage): message is RowMessage {
	return message.tag === 'insert' || message.tag === 'update' || message.tag === 'delete';
}

const OPS = { insert: 'i', update: 'u', delete: 'd' } as const;

/** With `replica identity full` the old version has the large values that the new one leaves out. */
function fillUnchanged(relation: Relation, { old, oldIsKeyOnly }: RowMessage, row: Tuple): Tuple {
	if (!old || !row.includes(UNCHANGED)) return row;
	return row.map((text, index) => {
		const isKnown = !oldIsKeyOnly || relation.columns[index]?.isIdentity === true;
		return text === UNCHANGED && isKnown ? (old[index] ?? null) : text;
	});
}

function isSameShape(a: Relation, b: Relation): boolean {
	return (
		a.schema === b.schema &&
		a.name === b.name &&
		a.replicaIdentity === b.replicaIdentity &&
		a.columns.length === b.columns.length &&
		a.columns.every((column, index) => {
			const other = b.columns[index];
			return (
				column.name === other?.name &&
				column.typeOid === other.typeOid &&
				column.typeModifier === other.typeModifier &&
				column.isIdentity === other.isIdentity
			);
		})
	);
}
