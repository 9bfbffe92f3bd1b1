import type { IExecuteFunctions } from 'n8n-workflow';

import type { PolicyMode } from '../../src/core/journal';
import type { ObservedItem } from './observe-items';

/** What a person at the canvas must know about a policy that does not write; null when it does. */
export function noteOnMode(mode: PolicyMode): string | null {
	switch (mode) {
		case 'live':
			return null;
		case 'first-contact':
			return 'The policy waits for the approval of its first contact, so nothing is decided yet. Run Sync Policy: First Contact Report, then Approve First Contact.';
		case 'stopped':
			return 'The policy is stopped, so nothing is decided. Changes are kept; Sync Policy, Set Mode, Live turns it on again.';
		case 'unsigned':
			return 'The policy must be signed, and nobody has signed the version in force, so nothing is decided. Changes are kept. Run Sync Policy: Sign-Off Sheet, and when it says what both sides have agreed on, Sign.';
		case 'shadow':
			return 'The policy is in shadow mode: what would be written is in the journal, and nothing is.';
	}
}

/** Shows on the node that the policy does not write, by what was observed in this run. */
export function hintOnMode(
	context: Pick<IExecuteFunctions, 'addExecutionHints'>,
	observed: readonly ObservedItem[],
): void {
	const mode = observed.find(({ found }) => found.mode !== undefined)?.found.mode ?? 'live';
	const message = noteOnMode(mode);
	if (message !== null) context.addExecutionHints({ message });
}
