import type { Checklist } from './checklist';
import type { SyncInN8n } from './start-sync';
import { tellConsole } from './story-console';
import { tellCrash, tellLatency } from './story-crash';
import { tellEdits, tellIdle } from './story-edits';
import { tellFirstContact } from './story-first-contact';
import { tellWitness } from './story-witness';
import { startWitness } from './witness';

export interface StoryOptions {
	/** With the long checks: the crash under load, the witness, the idle time. */
	readonly isComplete: boolean;
	/** Changes per side in the crash; default 2,000. */
	readonly changes?: number;
}

/** The whole story, from two systems that have never met to a crash under load. */
export async function tellStory(
	sync: SyncInN8n,
	checks: Checklist,
	{ isComplete, changes = 2_000 }: StoryOptions,
): Promise<void> {
	const witness = isComplete ? await startWitness(sync.databases) : null;
	await tellFirstContact(sync, checks);
	await tellEdits(sync, checks);
	await tellConsole(sync, checks);
	await tellLatency(sync, checks, isComplete ? 10 : 3);
	if (witness === null) return;
	await tellIdle(sync, checks);
	await tellCrash(sync, checks, { changes, perSecond: 40 });
	await tellWitness(sync, checks, witness);
}
