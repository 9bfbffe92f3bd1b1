import { EXISTENCE, type Operation } from '../core/link';
import type { PolicyMode } from '../core/journal';
import { scopeText } from '../core/scopes';
import type { PublishedPolicy } from './sync-store';

const STATE: Readonly<Record<PolicyMode, string>> = {
	live: 'has a new version, and what this operation writes waits for the approval of its first contact',
	stopped: 'is stopped',
	unsigned: 'must be signed, and nobody has signed the version in force',
	shadow: 'is in shadow mode, which observes and writes nothing',
	'first-contact': 'waits for the approval of its first contact',
};

/** Why an operation that was handed out must not be written now: the end of "the policy …". Null: it may be. */
export function heldBack(op: Operation, { mode, pending }: Pick<PublishedPolicy, 'mode' | 'pending'>): string | null {
	return mode === 'live' && !touches(op, pending) ? null : STATE[mode];
}

/** Whether an operation that was decided under an earlier version would write what is not approved in this one. */
function touches({ entity, system, kind, fields }: Operation, pending: readonly string[]): boolean {
	const written = kind === 'update' ? Object.keys(fields) : [EXISTENCE, ...Object.keys(fields)];
	return written.some((field) => pending.includes(scopeText({ entity, field, system })));
}
