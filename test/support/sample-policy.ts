import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SyncError } from '../../src/core/errors';
import { parsePolicy } from '../../src/core/parse-policy';
import type { EntityPolicy, Policy } from '../../src/core/policy';

/** The text of `test/fixtures/crm-billing.policy.yaml`. */
export const SAMPLE_POLICY = readFileSync(
	join(__dirname, '../fixtures/crm-billing.policy.yaml'),
	'utf8',
);

/**
 * The sample policy's text with one place changed.
 *
 * @param before - must stand in the text, so that a test cannot go stale unnoticed
 */
export function samplePolicyWith(before: string, after: string, text = SAMPLE_POLICY): string {
	if (!text.includes(before)) throw new Error(`The sample policy has no "${before}"`);
	return text.replace(before, after);
}

/** The sample policy (or another text) parsed, and its entity `customer`. */
export function sampleCustomer(text = SAMPLE_POLICY): { policy: Policy; customer: EntityPolicy } {
	const policy = parsePolicy(text);
	const customer = policy.entities.get('customer');
	if (!customer) throw new Error('The policy has no customer');
	return { policy, customer };
}

/** What `parsePolicy` finds wrong with a text, `path: message` one by one; none for a valid policy. */
export function policyProblems(text: string): string[] {
	try {
		parsePolicy(text);
	} catch (error) {
		if (!(error instanceof SyncError) || error.code !== 'POLICY_INVALID') throw error;
		return error.message.split('\n- ').slice(1);
	}
	return [];
}
