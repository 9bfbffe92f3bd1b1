import type { Json } from '../core/canonical-json';
import type { SignOffRule } from '../core/policy';
import type { PublishedPolicy } from './sync-store';

/**
 * The version as the nodes are to act on it: where it must be signed and is not, a live policy only observes. Shadow
 * mode stays what it is: it writes nothing, and shows what the person who is to sign would agree to.
 */
export function inEffect(published: PublishedPolicy): PublishedPolicy {
	const mustWait = published.mode === 'live' && signOffOf(published.document) === 'required' && !isSigned(published);
	return mustWait ? { ...published, mode: 'unsigned' } : published;
}

/** Whether anybody has signed the version in force. */
export function isSigned({ hash, signatures }: Pick<PublishedPolicy, 'hash' | 'signatures'>): boolean {
	return signatures.some((one) => one.hash === hash);
}

/** What a person must know of a version that goes on unsigned; null: nothing. */
export function noteOnSignature(published: PublishedPolicy): string | null {
	const { version, signatures, document } = published;
	const last = signatures.at(-1);
	if (last === undefined || isSigned(published) || signOffOf(document) === 'off') return null;
	return `Nobody has signed version ${version} of the policy, which is in force; the version signed last (by ${last.by}) is another one. Run Sync Policy: Sign-Off Sheet, and when it says what both sides have agreed on, Sign.`;
}

/** Read from the normal form, in which the default is left out. */
function signOffOf(document: Json): SignOffRule {
	const { signOff } = (typeof document === 'object' ? document : null) as { readonly signOff?: SignOffRule } | null ?? {};
	return signOff ?? 'warn';
}
