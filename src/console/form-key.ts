import { createHmac, timingSafeEqual } from 'node:crypto';

/** What a form may be used for. */
export interface FormGrant {
	readonly person: string;
	readonly review: string;
	/** Of the item as the page showed it. */
	readonly token: string;
	/** Unguessable, and another one for each page that is made: the form's key can be used once. */
	readonly nonce: string;
	/** Milliseconds since 1970. */
	readonly untilMs: number;
}

/**
 * The hidden key of a form: whoever posts it has seen the page, as this person, and not long ago. Another site cannot make one,
 * so it cannot post in a person's name although the browser sends their password along.
 *
 * @param secret - of the store
 */
export function formKey(grant: FormGrant, secret: string): string {
	return `${grant.untilMs}.${grant.nonce}.${signature(grant, secret)}`;
}

/** @returns the key's nonce; null when it was not made for this, or is too old */
export function openFormKey(key: string, expected: Omit<FormGrant, 'nonce' | 'untilMs'>, { secret, nowMs }: { secret: string; nowMs: number }): string | null {
	const [, until = '', nonce = '', given = ''] = /^(\d{1,16})\.([A-Za-z0-9_-]{16,64})\.([A-Za-z0-9_-]{43})$/.exec(key) ?? [];
	if (given === '' || Number(until) < nowMs) return null;
	const wanted = signature({ ...expected, nonce, untilMs: Number(until) }, secret);
	return timingSafeEqual(Buffer.from(given), Buffer.from(wanted)) ? nonce : null;
}

function signature({ person, review, token, nonce, untilMs }: FormGrant, secret: string): string {
	return createHmac('sha256', secret)
		.update(JSON.stringify(['bisync console form', person, review, token, nonce, untilMs]))
		.digest('base64url');
}
