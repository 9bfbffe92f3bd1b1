import type { TableReading } from '../../src/store/stream-record';
import type { KnownPage } from './known-records';
import type { ReadingKeeper } from './row-reading';
import type { TablesMemory, TablesRecord } from './tables-start';

/**
 * Keeps with the workflow how far rows have been read. n8n stores it with the next execution, so it is told after each page:
 * a kill repeats the pages that were under way.
 */
export class TablesKeeper implements ReadingKeeper {
	readonly everyMs = 0;

	constructor(
		private readonly memory: TablesMemory,
		private readonly onDone: () => void = () => undefined,
	) {}

	/** As a whole: n8n notices that something was assigned, not what became of things in it. */
	keep(record: TablesRecord): void {
		this.memory.stream = record;
	}

	async note(reading: readonly TableReading[]): Promise<void> {
		const { stream } = this.memory;
		if (stream) this.keep({ ...stream, reading });
	}

	async finish(reading: readonly TableReading[]): Promise<void> {
		await this.note(reading);
		this.onDone();
	}

	async known(): Promise<KnownPage> {
		return { changes: [], after: null };
	}
}
