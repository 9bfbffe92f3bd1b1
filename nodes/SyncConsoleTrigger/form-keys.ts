import { randomBytes } from 'node:crypto';

import { formKey, openFormKey } from '../../src/console/form-key';
import type { PublishedPolicy } from '../../src/store/sync-store';
import type { Visit } from './visit';

/** For how long a page's forms may be posted. */
const FORM_MS = 12 * 3_600_000;

/** What a form is about: an item as it was seen, the fields of a record, or a selection of items. */
export interface FormSubject {
	/** An item's id, `record:<link>` or `bulk`. */
	readonly about: string;
	/** The item's token; '' for anything else. */
	readonly token: string;
}

export const ofRecord = (link: string): FormSubject => ({ about: `record:${link}`, token: '' });
export const OF_SELECTION: FormSubject = { about: 'bulk', token: '' };

/** A key for the forms of one page that is made now. */
export function keyFor({ visitor, reader }: Visit, { about, token }: FormSubject, { macKey }: PublishedPolicy): string {
	return formKey({ person: visitor.name, review: about, token, nonce: randomBytes(18).toString('base64url'), untilMs: reader.nowMs + FORM_MS }, macKey);
}

/** @returns the nonce; null when the key was not made for this person and subject, or is too old */
export function nonceOf(key: string | undefined, { visitor, reader }: Visit, { about, token, macKey }: FormSubject & Pick<PublishedPolicy, 'macKey'>): string | null {
	return openFormKey(key ?? '', { person: visitor.name, review: about, token }, { secret: macKey, nowMs: reader.nowMs });
}
