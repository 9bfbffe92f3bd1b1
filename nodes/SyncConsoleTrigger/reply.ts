import { createHash } from 'node:crypto';

import { STYLE } from '../../src/console/style';

/** The part of an HTTP response that is used. */
export interface Response {
	status(code: number): Response;
	set(headers: Readonly<Record<string, string>>): Response;
	send(body: string): unknown;
}

const STYLE_HASH = createHash('sha256').update(STYLE).digest('base64');

/**
 * The pages stand under n8n's own address, where a script of theirs could act as whoever is signed in to n8n. So nothing in
 * them may run or load, and the sandbox gives them an origin of their own; forms may be sent to the console alone.
 */
const HEADERS: Readonly<Record<string, string>> = {
	'Content-Type': 'text/html; charset=utf-8',
	'Content-Security-Policy': `sandbox allow-forms allow-top-navigation-by-user-activation; default-src 'none'; style-src 'sha256-${STYLE_HASH}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`,
	'X-Content-Type-Options': 'nosniff',
	'X-Frame-Options': 'DENY',
	'Referrer-Policy': 'no-referrer',
	'Cross-Origin-Resource-Policy': 'same-origin',
	'Cache-Control': 'no-store',
};

export function sendPage(response: Response, { status, body }: { status: number; body: string }): void {
	response.status(status).set(HEADERS).send(body);
}

/** After a decision: reloading the page that comes does not send it again. */
export function sendOn(response: Response, address: string): void {
	response.status(303).set({ ...HEADERS, Location: address }).send('');
}

export function askForPassword(response: Response): void {
	response.status(401).set({ ...HEADERS, 'WWW-Authenticate': 'Basic realm="Sync console", charset="UTF-8"' }).send(plain('Sign in to see this page.'));
}

export function sendPlain(response: Response, status: number, text: string, more: Readonly<Record<string, string>> = {}): void {
	response.status(status).set({ ...HEADERS, ...more }).send(plain(text));
}

/** @param text - of ours, without markup */
const plain = (text: string): string => `<!doctype html><html lang="en"><meta charset="utf-8"><title>Sync console</title><p>${text}</p></html>`;
