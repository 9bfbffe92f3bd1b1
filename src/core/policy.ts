import { canonicalJson, sha256Hex, type Json } from './canonical-json';
import type { Codec } from './codecs/codec';

/**
 * What a business agreed on, ready to execute: which columns mean the same, who owns each field,
 * and what happens when two systems changed one. Made by `parsePolicy`, which has checked
 * everything named here against everything else.
 *
 * Maps are ordered by name (systems by their place in `systems`), so that two documents with the
 * same hash also decide in the same order.
 */
export interface Policy {
	readonly name: string;
	/** In the order of the document; the order has meaning (see `map`). */
	readonly systems: readonly string[];
	readonly entities: ReadonlyMap<string, EntityPolicy>;
	/** The normal form: plain JSON, every default written out. Parsing it gives this policy again. */
	readonly document: Json;
}

export interface EntityPolicy {
	readonly name: string;
	/** By system. */
	readonly tables: ReadonlyMap<string, TableBinding>;
	/** Rules in order of trust; each a list of fields that together identify a record. */
	readonly match: readonly (readonly string[])[];
	readonly fields: ReadonlyMap<string, FieldPolicy>;
	readonly deletes: DeletePolicy;
	/** Fields to be masked wherever a person or a log can read them. */
	readonly sensitive: ReadonlySet<string>;
}

export interface TableBinding {
	readonly system: string;
	readonly schema: string;
	readonly table: string;
	/** Columns of a unique key, in the order of the document. */
	readonly key: readonly string[];
	/** Values for unmapped columns of a new row, by column. */
	readonly insert: ReadonlyMap<string, InsertValue>;
	/** Values for unmapped columns of every row we write, by column; not compared. */
	readonly stamp: ReadonlyMap<string, StampValue>;
}

/** A constant, or the column's own default. */
export type InsertValue =
	| { readonly kind: 'constant'; readonly value: Scalar }
	| { readonly kind: 'default' };

/** A constant, or the target's time at the write. */
export type StampValue =
	| { readonly kind: 'constant'; readonly value: Scalar }
	| { readonly kind: 'now' };

export type Scalar = null | boolean | number | string;

export interface FieldPolicy {
	readonly name: string;
	/** By system; a system that is missing does not carry the field. */
	readonly columns: ReadonlyMap<string, ColumnBinding>;
	readonly authority: Authority;
	/** Value pairs: the first carrying system's text → the other one's value. Null: no `map`. */
	readonly map: ReadonlyMap<string, Scalar> | null;
}

export interface ColumnBinding {
	readonly column: string;
	/** The specs as the document names them, in normal form, in order; [] compares values as they are. */
	readonly specs: readonly string[];
	/** All codecs of this column in one, the field's `map` last. */
	readonly codec: Codec;
}

/** Who decides a field. */
export type Authority =
	| { readonly kind: 'owned'; readonly owner: string; readonly onForeignEdit: ForeignEdit }
	| { readonly kind: 'shared'; readonly resolve: Strategy };

/** What happens when a system that does not own the field changed it. */
export type ForeignEdit = 'revert' | 'ignore' | 'review';

/** What decides between concurrent changes of a shared field. */
export type Strategy =
	| { readonly kind: 'prefer'; readonly system: string }
	| { readonly kind: 'review' };

export interface DeletePolicy {
	/** A delete that has not seen an update of the other system. */
	readonly conflict: 'review';
	/** More deletes than this in one transaction wait for approval; null: that limit is off. */
	readonly massDelete: { readonly rows: number | null; readonly percent: number | null };
}

/** The hash that every decision records: SHA-256 of the normal form's canonical JSON. Take it once per batch. */
export function policyHash(policy: Pick<Policy, 'document'>): string {
	return sha256Hex(canonicalJson(policy.document));
}
