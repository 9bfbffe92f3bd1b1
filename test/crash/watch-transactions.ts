import { EventEmitter } from 'node:events';

import pg from 'pg';

/** Of the replication protocol's XLogData, whose payload begins with the tag of a pgoutput message. */
const XLOG_DATA = 'w'.charCodeAt(0);
const PAYLOAD_AT = 25;

/**
 * Calls `reached` when so many rows of one transaction have been received and its end has not:
 * what there is of it is in this process only. Watches all connections of the process.
 */
export function watchLargeTransactions(rows: number, reached: () => void): void {
	const emit = EventEmitter.prototype.emit;
	let count = 0;
	pg.Connection.prototype.emit = function (this: pg.Connection, name: string, ...args: unknown[]) {
		const tag = name === 'copyData' ? tagOf(args[0]) : '';
		if (tag === 'B') count = 0;
		else if ('IUD'.includes(tag) && tag !== '') count += 1;
		if (count >= rows) {
			count = 0;
			reached();
		}
		return Reflect.apply(emit, this, [name, ...args]) as boolean;
	};
}

function tagOf(message: unknown): string {
	const { chunk } = message as { chunk: Buffer };
	return chunk[0] === XLOG_DATA ? String.fromCharCode(chunk[PAYLOAD_AT] ?? 0) : '';
}
