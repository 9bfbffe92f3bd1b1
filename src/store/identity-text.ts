import { canonicalJson, sha256Hex } from '../core/canonical-json';
import type { MatchKey, RecordKey } from './sync-store';

/** Longer texts are stored as their hash: a Postgres index row holds at most 2,704 bytes. */
const MAX_PLAIN_LENGTH = 300;
const HASH_PREFIX = 'sha256:';

/** The one text of a record's key within a policy. */
export function keyText({ system, entity, key }: RecordKey): string {
	return canonicalJson([system, entity, key]);
}

/** The one text of a match key within a policy. */
export function matchText({ entity, match }: MatchKey): string {
	return canonicalJson([entity, match]);
}

/**
 * What stands for a text in an index: the text itself, so that people can read the table, or its
 * hash when it is long or holds what a Postgres `text` cannot (NUL, half a surrogate pair).
 * Different texts have different stored texts, a text that looks like a hash included.
 */
export function indexable(text: string): string {
	const plain = text.length <= MAX_PLAIN_LENGTH && !text.startsWith(HASH_PREFIX);
	// Encoded first, because UTF-8 would turn every lone surrogate into the same replacement character.
	return plain && isStorable(text) ? text : `${HASH_PREFIX}${sha256Hex(JSON.stringify(text))}`;
}

function isStorable(text: string): boolean {
	return !text.includes('\0') && !/\p{Surrogate}/u.test(text);
}
