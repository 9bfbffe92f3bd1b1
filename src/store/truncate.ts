import type { ChangeEvent } from '../core/change-event';
import { sha256Hex } from '../core/canonical-json';
import type { PublishedPolicy, SyncStore } from './sync-store';

/**
 * TRUNCATE says nothing about the rows it removed, and is seldom meant for the other system too:
 * the policy stops and a person decides. Done before the event is observed, with an id of its own,
 * so that a crash in between only does it again.
 */
export async function holdTruncates(
	store: Pick<SyncStore, 'changeReviews' | 'setMode'>,
	published: PublishedPolicy,
	events: readonly ChangeEvent[],
): Promise<void> {
	const truncates = events.filter(({ op }) => op === 't');
	if (truncates.length === 0) return;
	await store.changeReviews(
		published.name,
		truncates.map(({ changeId, system, entity }) => ({
			action: 'open',
			item: {
				id: `truncate-${sha256Hex(changeId).slice(0, 16)}`,
				kind: 'approval',
				policy: published.name,
				link: null,
				entity,
				fields: [],
				reason: `${system} truncated the table of ${entity}. Nothing is written until a person has looked at both systems and turned the policy on again`,
				token: changeId,
				detail: { system, entity, changeId },
			},
		})),
	);
	if (published.mode === 'live' || published.mode === 'unsigned') await store.setMode(published.name, 'stopped');
}
