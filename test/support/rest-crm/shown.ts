import { type Customer, PROPERTIES } from './customer';
import type { Version } from './records';

/**
 * What the client has been shown: per record and property, the last version whose value stood in a reply or in
 * an event sent to it. Whoever writes over a later value than that has not seen what it overwrites.
 */
export class Shown {
	readonly #versions = new Map<string, Map<string, number>>();

	/** @param names - the properties that were shown; default all */
	note({ id, version }: Version, names: readonly string[] = PROPERTIES): void {
		const known = this.#versions.get(id) ?? new Map<string, number>();
		this.#versions.set(id, known);
		for (const name of names) known.set(name, Math.max(known.get(name) ?? 0, version));
	}

	of(id: string): Record<string, number> {
		return Object.fromEntries(this.#versions.get(id) ?? []);
	}
}

/** A user's value that the client wrote over without having been shown it. */
export interface Overwritten {
	readonly id: string;
	readonly property: string;
	readonly by: string;
	readonly value: unknown;
	/** The version that took its place. */
	readonly version: number;
}

/** @param log - every version in the order of its commit */
export function overwrittenUnseen(log: readonly Version[], client: string): Overwritten[] {
	const holders = new Map<string, Version>();
	const found: Overwritten[] = [];
	for (const version of log) {
		for (const property of version.changed) {
			const holder = holders.get(`${version.id} ${property}`);
			if (holder && isUnseen(holder, version, { property, client })) {
				const value = holder.customer?.[property as keyof Customer];
				found.push({ id: version.id, property, by: holder.by, value, version: version.version });
			}
			holders.set(`${version.id} ${property}`, version);
		}
	}
	return found;
}

function isUnseen(
	holder: Version,
	{ by, seen }: Version,
	{ property, client }: { property: string; client: string },
): boolean {
	return by === client && holder.by !== client && (seen[property] ?? 0) < holder.version;
}

/** Requests of the client, by their Idempotency-Key, that made more than one version. */
export function doneTwice(log: readonly Version[]): string[] {
	const requests = log.flatMap(({ request }) => request ?? []);
	return [...new Set(requests.filter((request, n) => requests.indexOf(request) !== n))];
}
