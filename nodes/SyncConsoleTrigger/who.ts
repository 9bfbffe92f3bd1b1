import { createHash, timingSafeEqual } from 'node:crypto';

import type { SyncStore } from '../../src/store/sync-store';

/** A person who has shown who they are. */
export interface Visitor {
	readonly name: string;
	readonly isReader: boolean;
}

export type Authentication =
	| { readonly kind: 'basic'; readonly user: string; readonly password: string }
	/** A secret header that a proxy in front of n8n sends, and one in which it names the person. */
	| { readonly kind: 'header'; readonly name: string; readonly value: string; readonly personHeader: string };

export interface Knock {
	readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
	readonly address: string;
}

export type Admission = { readonly kind: 'in'; readonly visitor: Visitor } | { readonly kind: 'unknown' } | { readonly kind: 'too-often'; readonly waitMs: number };

/** Failed log-ins of one address: ten at once, and one every six seconds. */
const RATE = { capacity: 10, perSecond: 1 / 6 };
const REST_MS = 60_000;
const MAX_NAME = 100;

/**
 * Who is at the door. Whoever fails too often is not even listened to for a while: otherwise the right password among many
 * guesses would still be let in.
 */
export async function admit(store: Pick<SyncStore, 'take' | 'pause'>, knock: Knock, { authentication, readers }: { authentication: Authentication; readers: readonly string[] }): Promise<Admission> {
	const door = `console-door:${knock.address}`;
	const [open] = await store.take([{ bucket: door, wanted: 1, rate: null }]);
	if (open && open.granted === 0) return { kind: 'too-often', waitMs: open.waitMs };
	const name = nameOf(knock, authentication);
	if (name !== null) return { kind: 'in', visitor: { name, isReader: readers.some((reader) => isSameName(reader, name)) } };
	if (!hasCredentials(knock, authentication)) return { kind: 'unknown' }; // The browser's first question; nobody has guessed anything.
	const [failed] = await store.take([{ bucket: `console-failed:${knock.address}`, wanted: 1, rate: RATE }]);
	if (failed && failed.granted === 0) await store.pause(door, REST_MS);
	return { kind: 'unknown' };
}

/** However it is written: whoever may only look must not get more by a capital letter. */
const isSameName = (one: string, other: string): boolean => one.normalize('NFKC').toLowerCase() === other.normalize('NFKC').toLowerCase();

function hasCredentials({ headers }: Knock, authentication: Authentication): boolean {
	return headers[authentication.kind === 'basic' ? 'authorization' : authentication.name.toLowerCase()] !== undefined;
}

function nameOf({ headers }: Knock, authentication: Authentication): string | null {
	if (authentication.kind === 'header') {
		if (!isSame(headerText(headers, authentication.name), authentication.value)) return null;
		const person = headerText(headers, authentication.personHeader).trim();
		return person === '' || person.length > MAX_NAME ? null : person;
	}
	const [, encoded = ''] = /^Basic ([A-Za-z0-9+/=]+)$/i.exec(headerText(headers, 'authorization')) ?? [];
	const [user = '', ...rest] = Buffer.from(encoded, 'base64').toString('utf8').split(':');
	const isUser = isSame(user, authentication.user);
	const isPassword = isSame(rest.join(':'), authentication.password);
	return isUser && isPassword ? authentication.user : null;
}

function headerText(headers: Knock['headers'], name: string): string {
	const value = headers[name.toLowerCase()];
	return typeof value === 'string' ? value : '';
}

/** In a time that says nothing of where they differ. An empty secret lets nobody in. */
function isSame(given: string, wanted: string): boolean {
	const hash = (text: string): Buffer => createHash('sha256').update(text).digest();
	return timingSafeEqual(hash(given), hash(wanted)) && wanted !== '';
}
