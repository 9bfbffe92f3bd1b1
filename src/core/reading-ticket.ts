import { attemptOf, type Attempt } from './api-record';
import type { LinkState } from './link';

/**
 * What was known of a record before it was read: with it, whoever brings the reading can be told whether
 * anything has been learnt of the record meanwhile. A text that means nothing to anybody else.
 *
 * @param state - null when no link knows the record
 */
export function readingTicket(state: LinkState | null, system: string): string {
	const attempt = state && attemptOf(state, system);
	return `${state?.seen[system] ?? '-'} ${attempt ? endingText(attempt) : ''}`.trimEnd();
}

/** What a ticket says of a reading now. `ended`: no request for the operation in flight was under way when it was taken, nor has one been begun since. */
export interface TicketVerdict {
	readonly isCurrent: boolean;
	readonly ended: boolean;
}

export function judgeTicket(ticket: string, state: LinkState | null, system: string): TicketVerdict {
	const [seen, ending = ''] = ticket.split(' ');
	const attempt = state && attemptOf(state, system);
	const isCurrent = seen === (state?.seen[system] ?? '-');
	return { isCurrent, ended: isCurrent && attempt !== null && ending !== '' && ending === endingText(attempt) };
}

/** Empty while the request is under way: what is read then may be from before it or after it. */
function endingText({ op, count, state }: Attempt): string {
	return state === 'running' ? '' : `${op}#${count}`;
}
