import { randomBytes } from 'node:crypto';

import pg from 'pg';

import { openChangeStream } from '../../src/postgres/change-stream';
import type { SourceTransaction } from '../../src/postgres/source-transaction';
import type { ConnectionSettings } from './embedded-postgres';

const FENCE = 'end of the log';

export interface LogPlace {
	readonly connection: ConnectionSettings;
	readonly slot: string;
	readonly publications: readonly string[];
}

/**
 * Everything that was committed up to now and was not read through this slot before, whole and in
 * order. Ends at a message that it puts into the log itself.
 */
export async function readLog({ connection, slot, publications }: LogPlace): Promise<SourceTransaction[]> {
	const stream = await openChangeStream({ connection, slot, publications });
	try {
		const fence = await emitFence(connection);
		const transactions: SourceTransaction[] = [];
		for await (const transaction of stream.transactions()) {
			stream.acknowledge(transaction.endLsn);
			if (isFence(transaction, fence)) break;
			transactions.push(transaction);
		}
		return transactions;
	} finally {
		await stream.close();
	}
}

async function emitFence(connection: ConnectionSettings): Promise<string> {
	const fence = randomBytes(8).toString('hex');
	const client = new pg.Client(connection);
	await client.connect();
	try {
		await client.query('select pg_logical_emit_message(true, $1, $2)', [FENCE, fence]);
	} finally {
		await client.end();
	}
	return fence;
}

function isFence({ changes }: SourceTransaction, fence: string): boolean {
	return changes.some(
		(change) => change.kind === 'message' && change.prefix === FENCE && change.content === fence,
	);
}
