import type { IDataObject } from 'n8n-workflow';

import { SyncError } from '../../src/core/errors';
import type { LintFinding } from '../../src/core/lint-finding';
import { parsePolicy } from '../../src/core/parse-policy';
import { type Policy, policyHash } from '../../src/core/policy';
import { lintPolicy } from '../../src/core/policy-lint';
import type { TableFacts } from '../../src/core/table-facts';
import { newScopes, scopesIn } from '../../src/core/scopes';
import { firstContactReviewId, waitsForApproval } from '../../src/store/approve-first-contact';
import { inEffect, noteOnSignature } from '../../src/store/in-effect';
import { indexLikeness } from '../../src/store/index-likeness';
import { policyInForce } from '../../src/store/published-policy';
import { retryContended } from '../../src/store/retry-contended';
import type { PublishedPolicy, SyncStore } from '../../src/store/sync-store';

/**
 * What is wrong with a document and what may surprise, without publishing it.
 *
 * @param facts - about the tables of its systems; without them only the document is judged
 * @throws SyncError POLICY_INVALID when it is no policy at all
 */
export function lintDocument(document: string, facts: readonly TableFacts[] = []): IDataObject {
	const policy = parsePolicy(document);
	const findings = lintPolicy(policy, facts);
	const count = (severity: LintFinding['severity']): number =>
		findings.filter((finding) => finding.severity === severity).length;
	return {
		...summaryOf(policy),
		publishable: count('error') === 0,
		described: [...new Set(facts.map(({ system }) => system))],
		errors: count('error'),
		warnings: count('warning'),
		findings: findings.map(asData),
	};
}

/**
 * Puts a version of the policy into force. The first one observes only, until its first contact
 * is approved; a later one keeps the mode in force, and what is new in it (a field, a table, a system, another
 * column) waits for a first contact of its own, while all else goes on.
 *
 * @throws SyncError POLICY_INVALID when lint finds errors: nothing is published then
 */
export async function publish(
	store: Pick<SyncStore, 'migrate' | 'load' | 'publishPolicy' | 'changeReviews' | 'scanLinks' | 'commit'>,
	{ document, by }: { document: string; by: string },
): Promise<IDataObject> {
	const policy = parsePolicy(document);
	const findings = lintPolicy(policy);
	refuseErrors(policy, findings);
	const hash = policyHash(policy);
	const { before, published } = await putIntoForce(store, { policy, hash, by });
	const { version, mode, pending } = published;
	// What was new has left the policy again: nobody need approve it.
	if (before && before.pending.length > 0 && !waitsForApproval(published))
		await closeApproval(store, policy.name, by);
	return {
		...summaryOf(policy),
		version,
		mode,
		changed: before?.hash !== hash,
		pending: [...pending],
		findings: findings.map(asData),
		nextStep: nextStep(published),
	};
}

async function closeApproval(
	store: Pick<SyncStore, 'changeReviews'>,
	policy: string,
	by: string,
): Promise<void> {
	await store.changeReviews(policy, [
		{ action: 'close', id: firstContactReviewId(policy), how: 'superseded', by },
	]);
}

/** What is new depends on what is in force, so whoever loses to another publisher looks again. */
async function putIntoForce(
	store: Pick<SyncStore, 'migrate' | 'load' | 'publishPolicy' | 'scanLinks' | 'commit'>,
	{ policy, hash, by }: { policy: Policy; hash: string; by: string },
): Promise<{ before: PublishedPolicy | null; published: PublishedPolicy }> {
	const { name, document } = policy;
	// A store that has lost its data since it was opened begins anew with this.
	await store.migrate();
	return await retryContended(async (isLast) => {
		const before = (await store.load({ policy: name })).policy;
		await indexLikeness(store, { before: before && policyInForce(before).policy, after: policy });
		const published = await store.publishPolicy({
			name,
			document,
			hash,
			by,
			initialMode: 'first-contact',
			pending: pendingAfter(before, policy),
			after: before?.hash ?? null,
		});
		if (published.hash === hash) return { before, published };
		if (!isLast) return null;
		throw new SyncError('COMMIT_CONTENDED', `Others publish the policy "${name}" at the same time`);
	});
}

/** In first contact everything waits anyway. */
function pendingAfter(before: PublishedPolicy | null, policy: Policy): string[] {
	if (before === null || before.mode === 'first-contact') return [];
	const added = newScopes(policyInForce(before).policy, policy);
	return [...new Set([...added, ...scopesIn(policy, before.pending)])].sort();
}

function refuseErrors(policy: Policy, findings: readonly LintFinding[]): void {
	const errors = findings.filter(({ severity }) => severity === 'error');
	if (errors.length === 0) return;
	const lines = errors.map(({ path, message, fix }) => `${path}: ${message} ${fix}`);
	throw new SyncError(
		'POLICY_INVALID',
		`The policy "${policy.name}" was not published:\n${lines.join('\n')}`,
	);
}

function summaryOf(policy: Policy): IDataObject {
	return {
		policy: policy.name,
		hash: policyHash(policy),
		systems: [...policy.systems],
		entities: [...policy.entities.keys()],
	};
}

/** What the person does now, by what is in force. */
export function nextStep(published: PublishedPolicy): string {
	const { mode, pending } = published;
	if (pending.length === 0 || mode === 'first-contact') return stepInMode(published);
	return `New in this version, and only observed until its first contact is approved: ${pending.join(', ')}. A new system needs its trigger, its output of Field Authority Merge and its Sync Write in the workflow. When the triggers have read the rows, run Sync Policy: First Contact Report, then Approve First Contact. ${stepInMode(published)}`;
}

function stepInMode(published: PublishedPolicy): string {
	const { mode, name: policy } = inEffect(published);
	switch (mode) {
		case 'first-contact':
			return `Activate the workflow with the triggers of "${policy}". Each reads the rows that are there; nothing is written. Then run Sync Policy: First Contact Report, and when it says what you expect, Approve First Contact.`;
		case 'live':
			return ['This version is in force: every record is looked at again under it, as the workflow runs.', noteOnSignature(published) ?? ''].join(' ').trimEnd();
		case 'unsigned':
			return `Nothing is written until somebody has signed this version: run Sync Policy: Sign-Off Sheet, then Sign.`;
		case 'shadow':
			return 'The policy is in shadow mode: it decides and writes nothing. Set Mode, Live turns the writes on.';
		case 'stopped':
			return 'The policy is stopped: nothing is decided or written. Set Mode, Live turns it on again.';
	}
}

const asData = (finding: LintFinding): IDataObject => ({ ...finding });
