import type { Operation } from './link';

/** What came back from an HTTP request that wrote something; see `outcomeOfReply`. */
export interface HttpReply {
	/** Null: no answer came. */
	readonly status: number | null;
	/** By name, in any case. */
	readonly headers: Readonly<Record<string, string>>;
	/** Of the connection (`ECONNREFUSED`), where no answer came. */
	readonly errorCode?: string | undefined;
}

/** What a reply says of the write. */
export type HttpOutcome =
	| { readonly kind: 'applied' }
	/** The record was not as expected: nothing was written. */
	| { readonly kind: 'stale' }
	/** An insert found its place taken. */
	| { readonly kind: 'exists' }
	/** There is no such record. */
	| { readonly kind: 'gone' }
	/** The value or the request is refused, and will be again. `said` completes "It …" and holds no value. */
	| { readonly kind: 'refused'; readonly said: string }
	/** Our credential is refused: no fault of the record. */
	| { readonly kind: 'forbidden'; readonly said: string }
	/** It may succeed later. `isSure`: for certain nothing was written. */
	| { readonly kind: 'later'; readonly isSure: boolean; readonly retryAfterMs: number | null; readonly said: string };

/** Codes of Node.js by which nothing has been sent, or not a whole request. */
const NEVER_SENT = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'EHOSTDOWN']);
const CERTIFICATE = /^(CERT_|ERR_TLS_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_)/;

/** Answered before the request was worked on. */
const TURNED_AWAY = new Set([423, 425, 429]);

/** What no later attempt will change, although it is an error of the server. */
const NEVER_SUPPORTED = new Set([501, 505, 510, 511]);

/**
 * What became of a write to an API, by its answer (RFC 9110 section 15, RFC 6585, RFC 9110 section 10.2.3 for
 * Retry-After). Only the codes count, never the words: they differ from provider to provider.
 *
 * @param nowMs - milliseconds since 1970, for a Retry-After that names a date
 */
export function outcomeOfReply({ status, headers, errorCode = '' }: HttpReply, kind: Operation['kind'], nowMs: number): HttpOutcome {
	if (status === null) {
		const isSure = NEVER_SENT.has(errorCode) || CERTIFICATE.test(errorCode);
		return { kind: 'later', isSure, retryAfterMs: null, said: `gave no answer${errorCode === '' ? '' : ` (${errorCode})`}` };
	}
	if (status >= 200 && status < 300) return { kind: 'applied' };
	const retryAfterMs = retryAfter(headerOf(headers, 'retry-after'), nowMs);
	const answer = { status, retryAfterMs, said: `answered ${status}` };
	return ofRecord(answer, kind) ?? ofServer(answer);
}

interface Answer {
	readonly status: number;
	readonly retryAfterMs: number | null;
	readonly said: string;
}

/** What the answer says of the record; null: nothing. */
function ofRecord({ status, said }: Answer, kind: Operation['kind']): HttpOutcome | null {
	if (status === 404 || status === 410) return ofMissing(kind, said);
	if (status === 412 || status === 409) return { kind: kind === 'insert' ? 'exists' : 'stale' };
	return null;
}

function ofServer({ status, retryAfterMs, said }: Answer): HttpOutcome {
	if (status === 401 || status === 407) return { kind: 'forbidden', said };
	// Some providers answer 403 when there were too many requests.
	const isTurnedAway = TURNED_AWAY.has(status) || (status === 403 && retryAfterMs !== null);
	if (isTurnedAway) return { kind: 'later', isSure: true, retryAfterMs, said };
	if (status === 408) return { kind: 'later', isSure: false, retryAfterMs, said };
	if (status < 500 || NEVER_SUPPORTED.has(status)) return { kind: 'refused', said };
	return { kind: 'later', isSure: status === 503 && retryAfterMs !== null, retryAfterMs, said };
}

/** A record that is gone already is deleted; an insert has no record, so it is the address that is wrong. */
function ofMissing(kind: Operation['kind'], said: string): HttpOutcome {
	if (kind === 'delete') return { kind: 'applied' };
	return kind === 'insert' ? { kind: 'refused', said } : { kind: 'gone' };
}

/** The value of a header, whatever its case; undefined when it is not there. */
export function headerOf(headers: HttpReply['headers'], name: string): string | undefined {
	const found = Object.entries(headers).find(([one]) => one.toLowerCase() === name);
	return found?.[1];
}

/** The longest that is waited for: a date in a far future is somebody's mistake. */
const MAX_RETRY_AFTER_MS = 24 * 3_600_000;

/**
 * The time to wait by a Retry-After header, which has whole seconds or an HTTP date.
 *
 * @returns milliseconds, 0 when the date has passed, a day at most; null when the header says neither
 */
export function retryAfter(value: string | undefined, nowMs: number): number | null {
	const text = value?.trim() ?? '';
	if (/^\d+$/.test(text)) return Math.min(MAX_RETRY_AFTER_MS, Number(text) * 1000);
	// Only dates with a day's name or a month's: Date.parse takes almost any text with a number for a date.
	if (!/^[A-Za-z]{3,9},? .*\d/.test(text)) return null;
	const atMs = Date.parse(text);
	return Number.isNaN(atMs) ? null : Math.min(MAX_RETRY_AFTER_MS, Math.max(0, atMs - nowMs));
}
