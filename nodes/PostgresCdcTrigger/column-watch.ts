import { canonicalJson } from '../../src/core/canonical-json';
import { scopesOf } from '../../src/core/table-drift';
import type { ColumnLook } from './gone-columns';
import type { Chore } from './read-stream';

interface WatchParts {
	/** What was found when reading started. */
	readonly before: ColumnLook;
	readonly look: () => Promise<ColumnLook>;
	/** What waits for its first contact, as the policy was last looked up. */
	readonly pending: () => readonly string[];
	readonly everyMs: number;
}

/** Notices columns that come or go while the stream is read: no change in the stream need tell. */
export class ColumnWatch implements Chore {
	dueMs: number;
	/** Whether reading has to be started anew. */
	isOutdated = false;

	constructor(private readonly parts: WatchParts) {
		this.dueMs = performance.now() + parts.everyMs;
	}

	async run(): Promise<void> {
		const { before, look, pending, everyMs } = this.parts;
		try {
			const now = await look();
			// A version that was published at the same time may have let them go on.
			const areHeld = scopesOf(now.gone).every((scope) => pending().includes(scope));
			this.isOutdated = canonicalJson([...now.present]) !== canonicalJson([...before.present]) || !areHeld;
		} catch {
			// The stream has a connection to the same server, and says what is wrong with it.
		}
		this.dueMs = performance.now() + everyMs;
	}
}

/** Several chores as one. */
export class Chores implements Chore {
	constructor(private readonly all: readonly Chore[]) {}

	get dueMs(): number {
		return Math.min(...this.all.map(({ dueMs }) => dueMs));
	}

	async run(): Promise<void> {
		for (const chore of this.all) if (performance.now() >= chore.dueMs) await chore.run();
	}
}
