import { indexable } from './identity-text';

/**
 * What a policy is kept in. All of it shares one hash tag, so that a script finds it on one node of a cluster.
 *
 * - `policy` (hash): the version in force, its mode, `bumps` (see `redis-lua.ts`), `seq` (the last journal entry's number).
 * - `versions` (hash): by number, what was published.
 * - `streams` (hash): by part and system, a registration, its position, what was acknowledged, the columns.
 * - `heads`, `states` (hashes): by link, what scripts look at, and the document, which they never read.
 * - `ids` (sorted set, all scores 1), `entities` (lexicographic): links in the order of their ids, and those of each entity.
 * - `counts` (hash): by entity, how many records there are.
 * - `keys`, `matches` (hashes): where a key and a match key lead.
 * - `due` (sorted set): links by when they are offered to the sweep, in milliseconds since 1970.
 * - `dates`, `waits`, `blocks` (lexicographic): links by a date, by what they wait for, by what they are found by.
 * - `likeness` (hash): by link, what is to be compared.
 * - `journal` (stream), `history` (lexicographic): entries by number, and the numbers of each link.
 * - `reviews` (hash), `asked`, `open` (sorted sets, by age), `about` (lexicographic): review items, those of each link.
 * - `samples` (hash), `sampled` (lexicographic): figures kept over time, by grain, series and time.
 */
export type PolicyPart =
	| 'policy'
	| 'versions'
	| 'streams'
	| 'heads'
	| 'states'
	| 'ids'
	| 'entities'
	| 'counts'
	| 'keys'
	| 'matches'
	| 'due'
	| 'dates'
	| 'waits'
	| 'blocks'
	| 'likeness'
	| 'journal'
	| 'history'
	| 'reviews'
	| 'asked'
	| 'open'
	| 'about'
	| 'samples'
	| 'sampled';

/** Stands between the parts of a member of a lexicographic set; no indexable text holds it. */
export const SEPARATOR = '\0';

/** The names of a store's keys. The prefix holds no colon and no brace, so that different things have different names. */
export class RedisKeys {
	/** Hash: the store's id, its MAC key, its epoch and the version of its layout. */
	readonly identity: string;
	/** Set: the policies that have, or had, review items. */
	readonly policies: string;
	readonly #prefix: string;

	constructor(prefix: string) {
		this.#prefix = prefix;
		this.identity = `{${prefix}}:identity`;
		this.policies = `{${prefix}}:policies`;
	}

	ofPolicy(policy: string, part: PolicyPart): string {
		return `{${this.#prefix}:${tagged(policy)}}:${part}`;
	}

	/** Counts the claims of a scope, for ever: an old token must never be given out again. */
	claimToken(scope: string): string {
		return `${this.#claims(scope)}:token`;
	}

	claim(scope: string, key: string): string {
		return `${this.#claims(scope)}:claim:${indexable(key)}`;
	}

	bucket(name: string): string {
		return `{${this.#prefix}:buckets:${tagged(name)}}:bucket`;
	}

	#claims(scope: string): string {
		return `{${this.#prefix}:claims:${tagged(scope)}}`;
	}
}

/** Without braces, which would end the tag, and without colons, which separate its parts. */
function tagged(text: string): string {
	return encodeURIComponent(indexable(text));
}
