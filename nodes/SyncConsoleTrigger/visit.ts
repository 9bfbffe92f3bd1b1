import type { Reader } from '../../src/console/moment';
import type { SyncStore } from '../../src/store/sync-store';
import type { Visitor } from './who';

/** What pages are made from. */
export type ConsoleStore = Pick<SyncStore, 'listReviews' | 'load' | 'readJournal' | 'scanLinks' | 'figures' | 'readSamples' | 'listVersions'>;

/** One request of one person. */
export interface Visit {
	readonly store: ConsoleStore;
	readonly policy: string;
	readonly visitor: Visitor;
	readonly reader: Reader;
}
