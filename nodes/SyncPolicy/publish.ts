import type { IDataObject } from 'n8n-workflow';

import { SyncError } from '../../src/core/errors';
import type { PolicyMode } from '../../src/core/journal';
import type { LintFinding } from '../../src/core/lint-finding';
import { parsePolicy } from '../../src/core/parse-policy';
import { type Policy, policyHash } from '../../src/core/policy';
import { lintPolicy } from '../../src/core/policy-lint';
import type { SyncStore } from '../../src/store/sync-store';

/**
 * What is wrong with a document and what may surprise, without publishing it.
 *
 * @throws SyncError POLICY_INVALID when it is no policy at all
 */
export function lintDocument(document: string): IDataObject {
	const policy = parsePolicy(document);
	const findings = lintPolicy(policy);
	const count = (severity: LintFinding['severity']): number =>
		findings.filter((finding) => finding.severity === severity).length;
	return {
		...summaryOf(policy),
		publishable: count('error') === 0,
		errors: count('error'),
		warnings: count('warning'),
		findings: findings.map(asData),
	};
}

/**
 * Puts a version of the policy into force. The first one observes only, until its first contact
 * is approved; a later one keeps the mode in force.
 *
 * @throws SyncError POLICY_INVALID when lint finds errors: nothing is published then
 */
export async function publish(
	store: Pick<SyncStore, 'load' | 'publishPolicy'>,
	{ document, by }: { document: string; by: string },
): Promise<IDataObject> {
	const policy = parsePolicy(document);
	const findings = lintPolicy(policy);
	refuseErrors(policy, findings);
	const hash = policyHash(policy);
	const before = (await store.load({ policy: policy.name })).policy;
	const published = await store.publishPolicy({
		name: policy.name,
		document: policy.document,
		hash,
		by,
		initialMode: 'first-contact',
	});
	const { version, mode } = published;
	return {
		...summaryOf(policy),
		version,
		mode,
		changed: before?.hash !== hash,
		findings: findings.map(asData),
		nextStep: nextStep(mode, policy.name),
	};
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

/** What the person does now, by the mode that is in force. */
export function nextStep(mode: PolicyMode, policy: string): string {
	switch (mode) {
		case 'first-contact':
			return `Activate the workflow with the triggers of "${policy}". Each reads the rows that are there; nothing is written. Then run Sync Policy: First Contact Report, and when it says what you expect, Approve First Contact.`;
		case 'live':
			return 'This version is in force: every record is looked at again under it, as the workflow runs.';
		case 'shadow':
			return 'The policy is in shadow mode: it decides and writes nothing. Set Mode, Live turns the writes on.';
		case 'stopped':
			return 'The policy is stopped: nothing is decided or written. Set Mode, Live turns it on again.';
	}
}

const asData = (finding: LintFinding): IDataObject => ({ ...finding });
