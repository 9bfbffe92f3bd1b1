import type { FastifyReply, FastifyRequest } from 'fastify';

import type { Customer } from './customer';
import type { Shown } from './shown';
import type { Version } from './records';
import type { Switches } from './switches';

export function etagOf({ version }: Pick<Version, 'version'>): string {
	return `"v${version}"`;
}

/**
 * The version that If-Match asks for, null for none (also "*", which any version fulfils).
 *
 * A weak or unknown tag equals no version: If-Match compares strongly (RFC 9110, 13.1.1).
 */
export function versionAskedFor(request: FastifyRequest): number | null {
	const given = request.headers['if-match'];
	if (given === undefined || given.trim() === '*') return null;
	return Number(/^"v(\d+)"$/.exec(given.trim())?.[1] ?? -1);
}

/** A record as the API shows it. */
export function bodyOf(
	{ id, version, at, customer }: Version,
	{ versions }: Pick<Switches, 'versions'>,
	names?: readonly string[],
): Record<string, unknown> {
	const values = Object.entries(customer ?? {}).filter(([name]) => names?.includes(name) ?? true);
	const ofVersion = versions === 'none' ? {} : { version, updated_at: at };
	return { id, ...Object.fromEntries(values), ...ofVersion };
}

interface Showing {
	readonly version: Version;
	readonly switches: Switches;
	readonly shown: Shown;
	/** Only these properties; default all. */
	readonly names?: readonly string[];
	readonly more?: Record<string, unknown>;
}

/** Answers with a record, and remembers that it was shown. */
export async function show(reply: FastifyReply, showing: Showing): Promise<FastifyReply> {
	const { version, switches, shown, names, more } = showing;
	if (switches.versions !== 'none') reply.header('etag', etagOf(version));
	// Noted before it is sent: whoever answers it may have read it before this goes on.
	shown.note(version, names);
	return await reply.send({ ...bodyOf(version, switches, names), ...more });
}

/** Former values by property, the present one first. */
export function historyOf(
	log: readonly Version[],
	names: readonly string[],
): Record<string, readonly unknown[]> {
	const valuesOf = (name: string): unknown[] =>
		log
			.filter(({ changed }) => changed.includes(name))
			.map(({ customer, version, at, by }) => ({
				value: customer?.[name as keyof Customer] ?? null,
				version,
				at,
				by,
			}));
	return Object.fromEntries(names.map((name) => [name, valuesOf(name)]));
}
