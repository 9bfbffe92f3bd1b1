import { hasRowIn } from '../../src/core/link';
import { type Position, STREAM_START } from '../../src/core/position';
import { connect, type PgSettings } from '../../src/postgres/connect';
import { tryReadEntries } from '../../src/postgres/ledger-claims';
import type { StreamId } from '../../src/store/stream-record';
import type { SyncStore } from '../../src/store/sync-store';

const PAGE = 1_000;

interface LedgerRequest {
	readonly stream: StreamId;
	readonly connection: PgSettings;
	readonly storeId: string;
}

/**
 * Whether a database is an older copy of itself, by what stands in it: the ledger has not heard of writes that its stream
 * has shown as applied. A dump that was loaded again has the server's identity and its log; nothing else tells.
 *
 * @returns the start of the stream, for which rows are as old as the dump nobody can say; null: the ledger has heard
 * of everything, or may not be read
 */
export async function placeOfCopy(
	store: Pick<SyncStore, 'scanLinks'>,
	{ stream: { policy, system }, connection, storeId }: LedgerRequest,
): Promise<Position | null> {
	const client = await connect(connection);
	try {
		for (let afterId: string | undefined = undefined; ; ) {
			const page: Awaited<ReturnType<SyncStore['scanLinks']>> = await store.scanLinks({ policy, limit: PAGE, ...(afterId === undefined ? {} : { afterId }) });
			const written = page.flatMap(({ state }) => {
				const { id: link, applied } = state;
				const number = applied?.[system];
				return number === undefined || !hasRowIn(state, system) ? [] : [{ id: link, link, system, number }];
			});
			const entries = await tryReadEntries(client, storeId, written);
			if (entries === 'unreadable') return null;
			// Something was written with it, so a copy without one is of a time before that.
			if (entries === 'missing') return STREAM_START;
			if (written.some(({ id, number }) => (entries.get(id)?.number ?? 0) < number)) return STREAM_START;
			afterId = page.at(-1)?.state.id;
			if (page.length < PAGE || afterId === undefined) return null;
		}
	} finally {
		await client.end();
	}
}
