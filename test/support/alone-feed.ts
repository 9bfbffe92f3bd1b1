import { randomBytes } from 'node:crypto';

import { PostgresCdcTrigger } from '../../nodes/PostgresCdcTrigger/PostgresCdcTrigger.node';
import type { ChangeEvent } from '../../src/core/change-event';
import { type FakeN8n, fakeN8n } from './fake-n8n';
import { fakeTriggerContext } from './fake-trigger-context';
import type { PostgresVersion } from './postgres-binaries';
import { openTestDatabase } from './test-database';
import { waitUntil } from './wait-until';

/** A trigger without a sync store that reads from a server of some version, and the events of one statement at a time. */
export interface AloneFeed {
	readonly n8n: FakeN8n;
	/** The first events: the rows that were there. */
	readonly read: readonly ChangeEvent[];
	sql(text: string): Promise<void>;
	/** Runs statements, as one transaction unless they say otherwise. @returns the events of all that was committed since the call before */
	told(text: string): Promise<ChangeEvent[]>;
	close(): Promise<void>;
}

export interface FeedOptions {
	readonly version: PostgresVersion;
	/** Before the trigger starts; `$publication` is the name of the publication that it will use. */
	readonly setup: string;
	readonly tables: string;
	readonly parameters?: Record<string, unknown>;
}

/** A row of this table ends what is asked for: the log has one order, so all that was committed before has come by then. */
const FENCE = 'public.fence';

export async function openAloneFeed({ version, setup, tables, parameters }: FeedOptions): Promise<AloneFeed> {
	const database = await openTestDatabase('feed', { version });
	const slot = `feed_${randomBytes(6).toString('hex')}`;
	const sql = async (text: string): Promise<void> => void (await database.pool.query(text));
	await sql(`create table fence (id int primary key); ${setup.replaceAll('$publication', slot)}`);
	const n8n = fakeN8n(async () => 'success');
	const context = fakeTriggerContext(n8n, {
		parameters: {
			connectWith: 'postgres',
			useStore: false,
			tables: `fence, ${tables}`,
			publication: slot,
			slot,
			existingRows: 'initial',
			options: { maxWaitMs: 0 },
			...parameters,
		},
		credentials: { postgres: { ...database.settings, ssl: 'disable' } },
	});
	const { closeFunction } = await new PostgresCdcTrigger().trigger.call(context);
	const close = async (): Promise<void> => {
		await closeFunction?.();
		await database.drop();
	};
	let [seen, fences] = [0, 0];
	const told = async (text: string): Promise<ChangeEvent[]> => {
		await sql(text);
		fences += 1;
		await sql(`insert into fence values (${fences})`);
		const isEnd = ({ entity, key }: ChangeEvent): boolean => entity === FENCE && key['id'] === String(fences);
		await waitUntil(`what "${text}" does`, () => n8n.events().some(isEnd), { everyMs: 5 });
		const news = n8n.events().slice(seen);
		seen += news.length;
		return news.filter(({ entity }) => entity !== FENCE);
	};
	try {
		await n8n.waitForLog(`Made the slot "${slot}"`);
		return { n8n, read: await told('select 1'), sql, told, close };
	} catch (error) {
		await close();
		throw error;
	}
}
