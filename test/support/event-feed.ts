import type { ChangeEvent } from '../../src/core/change-event';
import type { Json } from '../../src/core/canonical-json';
import type { Operation } from '../../src/core/link';
import { formatMarker, type Outcome, parseMarker } from '../../src/core/marker';
import { positionOf, STREAM_START, type Position } from '../../src/core/position';

type Row = Record<string, Json>;

/** Makes the events of one system's stream by hand, one per transaction, each chained to the one before. */
export class EventFeed {
	#lsn = 0n;
	#last: Position = STREAM_START;
	/** The system's own clock at its next commit. */
	clockMs = 0;

	constructor(
		readonly system: string,
		/** The column that identifies a row. */
		readonly key: string,
		readonly entity = 'customer',
	) {}

	/** The position of the last event. */
	get last(): Position {
		return this.#last;
	}

	insert(after: Row): ChangeEvent {
		return this.#event({ op: 'c', before: null, after });
	}

	update(after: Row): ChangeEvent {
		return this.#event({ op: 'u', before: null, after });
	}

	delete(before: Row): ChangeEvent {
		return this.#event({ op: 'd', before, after: null });
	}

	/** Our own write of `op` coming back, with the row as it is afterwards; without one for an outcome that wrote none. */
	echo(op: Operation, macKey: string, { row, outcome = 'applied', error }: Echo = {}): ChangeEvent {
		const key = row ? { [this.key]: String(row[this.key] ?? '') } : op.key;
		const claim = {
			op: op.id,
			link: op.link,
			system: op.system,
			entity: op.entity,
			outcome,
			key,
			error,
		};
		const marker = parseMarker(formatMarker(claim, macKey));
		const kind = row ? (op.kind === 'insert' ? 'c' : 'u') : 'm';
		return {
			...this.#event({ op: kind, before: null, after: row ?? null }),
			...(row ? {} : { key: {} }),
			marker,
		};
	}

	#event({ op, before, after }: Pick<ChangeEvent, 'op' | 'before' | 'after'>): ChangeEvent {
		this.#lsn += 16n;
		const prev = this.#last;
		const position = positionOf(this.#lsn, 0);
		this.#last = position;
		const row = after ?? before ?? {};
		return {
			changeId: `${this.system}:${position}`,
			system: this.system,
			entity: this.entity,
			op,
			key: { [this.key]: String(row[this.key] ?? '') },
			before,
			after,
			unchanged: [],
			source: { connector: 'postgresql', position, prev, tsMs: this.clockMs, txId: null, snapshot: false },
			marker: null,
			bisync: {},
		};
	}
}

interface Echo {
	readonly row?: Row;
	readonly outcome?: Outcome;
	/** The database's words when it refused. */
	readonly error?: string;
}
