import { SyncError } from '../core/errors';
import { inForce, type PolicyInForce } from '../core/observe';
import { policyOf } from '../core/parse-policy';
import { inEffect } from './in-effect';
import type { Loaded, PublishedPolicy } from './sync-store';

/** Compiled once per published version and what is pending in it; a hash names one document for ever. */
const compiled = new Map<string, PolicyInForce>();
const MAX_COMPILED = 50;

/** The policy that a published version says, ready to execute. */
export function policyInForce({ hash, document, pending, epoch }: PublishedPolicy): PolicyInForce {
	const version = [hash, epoch, ...pending].join(' ');
	const known = compiled.get(version);
	if (known) return known;
	if (compiled.size >= MAX_COMPILED) compiled.clear();
	const policy = inForce(policyOf(document), new Set(pending), epoch);
	compiled.set(version, policy);
	return policy;
}

/** The version in force, as the nodes are to act on it. @throws SyncError POLICY_UNPUBLISHED before the first publish */
export function requirePublished(loaded: Pick<Loaded, 'policy'>, name: string): PublishedPolicy {
	if (loaded.policy) return inEffect(loaded.policy);
	throw new SyncError('POLICY_UNPUBLISHED', `The policy "${name}" has not been published to this sync store`);
}
