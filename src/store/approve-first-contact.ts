import { SyncError } from '../core/errors';
import type { Policy } from '../core/policy';
import { unreadScopes } from '../core/scopes';
import { policyInForce, requirePublished } from './published-policy';
import type { Loaded, PublishedPolicy, SyncStore } from './sync-store';

/** The review item in which a person approves the first contact of a policy, or of what is new in it. */
export const firstContactReviewId = (policy: string): string => `first-contact-${policy}`;

/** Whether anything of the policy waits for the approval of its first contact. */
export function waitsForApproval({ mode, pending }: PublishedPolicy): boolean {
	return mode === 'first-contact' || pending.length > 0;
}

export interface Approval {
	readonly policy: string;
	/** The version that was looked at; another one in force by now is not approved. Absent: the one in force. */
	readonly hash?: string;
}

/**
 * Ends the first contact of a policy, or of what is new in it. Not before every system has been
 * read, for a record that has not been read yet looks like one that is not there, and would be made a
 * second time.
 *
 * @returns what was in force before, and what is now
 * @throws SyncError FIRST_CONTACT_INCOMPLETE, naming the systems; POLICY_UNPUBLISHED; REVIEW_CHANGED
 */
export async function approveFirstContact(
	store: Pick<SyncStore, 'load' | 'approve'>,
	{ policy, hash }: Approval,
): Promise<{ readonly before: PublishedPolicy; readonly after: PublishedPolicy }> {
	const loaded = await store.load({ policy });
	const before = requirePublished(loaded, policy);
	if (hash !== undefined && hash !== before.hash) throw outdated(policy);
	if (!waitsForApproval(before)) return { before, after: before };
	const unread = whatIsUnread(loaded, before);
	if (unread.length > 0) {
		throw new SyncError(
			'FIRST_CONTACT_INCOMPLETE',
			`The first contact of "${policy}" cannot be approved yet: ${unread.join('; ')}`,
		);
	}
	const after = await store.approve(policy, before.hash);
	if (after.hash !== before.hash) throw outdated(policy);
	return { before, after };
}

/** Whether a system is reached through an API: it has no stream, and only a person knows whether all of it has been read. */
export function isBehindApi({ entities }: Policy, system: string): boolean {
	const bindings = [...entities.values()].flatMap(({ tables }) => tables.get(system) ?? []);
	return bindings.length > 0 && bindings.every(({ api }) => api !== undefined);
}

/** Why a system has not been read as far as the policy needs it, one sentence each; none when all have. */
export function whatIsUnread(
	{ streams }: Pick<Loaded, 'streams'>,
	published: PublishedPolicy,
): string[] {
	const { policy } = policyInForce(published);
	return policy.systems.flatMap((system) => {
		if (isBehindApi(policy, system)) return [];
		const stream = streams[system];
		if (!stream)
			return [`${system} has not been read at all: activate the workflow with its trigger`];
		const tables = new Set(
			unreadScopes(policy, system, stream.filterHash).map(({ entity }) => entity),
		);
		if (tables.size === 0) return [];
		const isReading = stream.snapshot === 'running';
		const state = isReading ? 'are still being read' : 'have not been read: is its trigger active?';
		return [`the rows of ${system} ${state} (${[...tables].sort().join(', ')})`];
	});
}

function outdated(policy: string): SyncError {
	return new SyncError(
		'REVIEW_CHANGED',
		`Another version of the policy "${policy}" was published since its first contact was looked at`,
	);
}
