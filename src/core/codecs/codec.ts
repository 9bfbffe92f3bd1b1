import type { Json } from '../canonical-json';

/**
 * Turns the raw value of one system's column into the canonical value that decisions compare,
 * and back. "Raw" is the event's canonical JSON value; what `toRaw` gives is a value or a text
 * that the column's type accepts.
 *
 * Both directions are total (they never throw) and settle at once: reading back what `toRaw` made
 * of a canonical value gives that canonical value again.
 */
export interface Codec {
	/** The spec in its normal form, `decimal(2)`. */
	readonly name: string;
	/** It is asked about null too; for all other codecs null is null, and they never see it. */
	readonly nulls?: true;
	toCanon(raw: Json): CodecResult;
	toRaw(canon: Json): CodecResult;
}

/** `reason` completes "The value …" and never holds the value itself: it ends in reviews and logs. */
export type CodecResult =
	| { readonly ok: true; readonly value: Json }
	| { readonly ok: false; readonly reason: string };

export function readable(value: Json): CodecResult {
	return { ok: true, value };
}

export function refused(reason: string): CodecResult {
	return { ok: false, reason };
}
