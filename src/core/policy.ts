import { canonicalJson, sha256Hex, type Json } from './canonical-json';
import type { Codec } from './codecs/codec';
import type { RowScope } from './row-scope';

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
	readonly signOff: SignOffRule;
	/** The normal form: plain JSON, every default written out. Parsing it gives this policy again. */
	readonly document: Json;
}

/**
 * What happens while nobody has signed the version in force.
 *
 * - `required`: it only observes, as if it were stopped.
 * - `warn`: where somebody has signed another version, the nodes say that this one is not signed.
 * - `off`: nothing.
 */
export type SignOffRule = 'required' | 'warn' | 'off';

export interface EntityPolicy {
	readonly name: string;
	/** By system. */
	readonly tables: ReadonlyMap<string, TableBinding>;
	/** Rules in order of trust; each a list of fields that together identify a record. */
	readonly match: readonly (readonly string[])[];
	readonly fields: ReadonlyMap<string, FieldPolicy>;
	readonly deletes: DeletePolicy;
	/** Fields without which a record is not yet created in other systems. */
	readonly required: ReadonlySet<string>;
	/** Which records without a common match key may be the same, for a person to say. Null: no such proposals. */
	readonly similar: SimilarRule | null;
	/** The field that names the record this one is a part of. Null: it is part of none. */
	readonly parent: string | null;
	/** Fields to be masked wherever a person or a log can read them. */
	readonly sensitive: ReadonlySet<string>;
}

/** Fields whose texts are compared, the first one first, and how much they must resemble each other (0 to 1). */
export interface SimilarRule {
	readonly fields: readonly string[];
	readonly above: number;
}

export interface TableBinding {
	readonly system: string;
	/** The records are reached through an API, so that there is no table: `schema` and `table` are ''. Absent: they are rows of a table. */
	readonly api?: ApiTier;
	/** A conditional write names the provider's version of the record. Absent: it names the ETag. */
	readonly condition?: 'version';
	readonly schema: string;
	readonly table: string;
	/** Columns of a unique key, in the order of the document. */
	readonly key: readonly string[];
	/** Values for unmapped columns of a new row, by column. */
	readonly insert: ReadonlyMap<string, InsertValue>;
	/** Values for unmapped columns of every row we write, by column; not compared. */
	readonly stamp: ReadonlyMap<string, StampValue>;
	/** The rows that are records; those outside are none of ours. */
	readonly where: RowScope;
	/** Further tables that hold columns of the same records, by name; see `record-parts.ts`. */
	readonly parts: ReadonlyMap<string, PartBinding>;
}

/**
 * What an API can do to keep a write from replacing what nobody has seen.
 *
 * - `conditional` (T1): it writes only if the record still is the one that was read (ETag with If-Match, a revision).
 * - `verified` (T2): it cannot, so the record is read before and after each write.
 * - `blind` (T3): neither; only fields that other systems own are written.
 */
export type ApiTier = 'conditional' | 'verified' | 'blind';

/** The tier of the API through which the system's records are reached; null: they are rows of a table. */
export function apiOf({ tables }: Pick<EntityPolicy, 'tables'>, system: string): ApiTier | null {
	return tables.get(system)?.api ?? null;
}

/** What a conditional write to the system names. */
export function conditionOf({ tables }: Pick<EntityPolicy, 'tables'>, system: string): 'etag' | 'version' {
	return tables.get(system)?.condition ?? 'etag';
}

/** A table joined one-to-one to a binding's main table: a record of the system has one row of it at most. */
export interface PartBinding {
	/** Before the dot in the names of its columns: `address.city`. */
	readonly name: string;
	readonly schema: string;
	readonly table: string;
	/** The columns that hold the main row's key, in the order of the binding's key. */
	readonly key: readonly string[];
	/** As of the main table, by the columns' own names. */
	readonly insert: ReadonlyMap<string, InsertValue>;
	readonly stamp: ReadonlyMap<string, StampValue>;
}

/** A constant, the column's own default, or the next number of a sequence of the target. */
export type InsertValue =
	| { readonly kind: 'constant'; readonly value: Scalar }
	| { readonly kind: 'default' }
	| { readonly kind: 'sequence'; readonly schema: string; readonly sequence: string };

/** A constant, or the target's time at the write. */
export type StampValue =
	| { readonly kind: 'constant'; readonly value: Scalar }
	| { readonly kind: 'now' };

export type Scalar = null | boolean | number | string;

export interface FieldPolicy {
	readonly name: string;
	/** By system; a system that is missing does not carry the field. */
	readonly columns: ReadonlyMap<string, ColumnBinding>;
	/** By system; never one of those with a column. What is computed is read and never written. */
	readonly computed: ReadonlyMap<string, ComputedBinding>;
	readonly authority: Authority;
	/** Which values of the systems mean the same. Null: no `map`. */
	readonly map: FieldMap | null;
	readonly nulls: Nulls;
	/** What a value must be before it goes to any other system. Null: anything. */
	readonly valid: Valid | null;
	/**
	 * The entity whose records the values name: in each column the key that the named record has in
	 * that system. Null: the values are plain.
	 */
	readonly references: string | null;
}

/** Values that mean the same, after their columns' codecs. */
export type FieldMap =
	/** The first carrying system's text → the other one's value. */
	| { readonly kind: 'pairs'; readonly pairs: ReadonlyMap<string, Scalar> }
	/** By system: its text → the name that all have in common, which is the canonical value. */
	| { readonly kind: 'named'; readonly bySystem: ReadonlyMap<string, ReadonlyMap<string, Scalar>> };

/** The map as the document writes it. */
export function mapDocument(map: FieldMap): Json {
	if (map.kind === 'pairs') return Object.fromEntries(map.pairs);
	return Object.fromEntries(
		[...map.bySystem].map(([system, names]) => [system, Object.fromEntries(names)]),
	);
}

/**
 * What null says.
 *
 * - `clear`: it is a value like any other, and empties the field everywhere.
 * - `ignore`: it says nothing: the system may stay empty, the others keep their value.
 * - `never-wins`: it is filled again with the value that the others have.
 */
export type Nulls = 'clear' | 'ignore' | 'never-wins';

/** Conditions on canonical values; a value that fails one waits for a person instead of being written. */
export interface Valid {
	/** A JavaScript regular expression that a text must match somewhere. */
	readonly pattern: string | null;
	readonly oneOf: readonly Scalar[] | null;
	/** From a value (as text) to those that may follow it; a value that is missing may become anything. */
	readonly transitions: ReadonlyMap<string, readonly Scalar[]> | null;
	/** Null is not a value. */
	readonly required: boolean;
}

/** The systems that say something in a field, by a column or by what is computed. */
export function carriersOf({ columns, computed }: Pick<FieldPolicy, 'columns' | 'computed'>): string[] {
	return [...columns.keys(), ...computed.keys()];
}

/** The column in which a system has the field; undefined where it has none, or computes it. */
export function columnOf({ fields }: Pick<EntityPolicy, 'fields'>, field: string, system: string): string | undefined {
	return fields.get(field)?.columns.get(system)?.column;
}

/** The columns of the system's table by which it says the field: one, or those it is computed from. */
export function columnsRead(
	{ columns, computed }: Pick<FieldPolicy, 'columns' | 'computed'>,
	system: string,
): readonly string[] {
	const column = columns.get(system)?.column;
	return column === undefined ? (computed.get(system)?.parts ?? []) : [column];
}

export interface ColumnBinding {
	readonly column: string;
	/** The specs as the document names them, in normal form, in order; [] compares values as they are. */
	readonly specs: readonly string[];
	/** All codecs of this column in one, the field's `map` last. */
	readonly codec: Codec;
}

/** A field that a system has no column for, and says with others or always in the same way. */
export interface ComputedBinding {
	readonly from:
		| { readonly kind: 'template'; readonly template: string }
		| { readonly kind: 'constant'; readonly value: Scalar };
	/** The columns that the template names. */
	readonly parts: readonly string[];
	readonly specs: readonly string[];
	readonly codec: Codec;
}

/** Who decides a field. */
export type Authority =
	| { readonly kind: 'owned'; readonly owner: string; readonly onForeignEdit: ForeignEdit }
	| { readonly kind: 'shared'; readonly resolve: Strategy };

/**
 * What happens when a system that does not own the field changed it: the owner's value is written
 * back, the difference is tolerated, a person decides, or a person approves it as a proposal.
 */
export type ForeignEdit = 'revert' | 'ignore' | 'review' | 'propose';

/** What decides between changes of a shared field that have not seen each other. */
export type Strategy =
	| { readonly kind: 'prefer'; readonly system: string }
	/** The later commit; closer together than the tolerance, no clock can tell, and a person decides. */
	| { readonly kind: 'latest'; readonly toleranceMs: number }
	| { readonly kind: 'max' | 'min' | 'longest' | 'union' | 'delta' | 'review' };

export interface DeletePolicy {
	/** A delete that has not seen an update of the other system. */
	readonly conflict: 'review' | 'update-wins' | 'delete-wins';
	/**
	 * More deletes than this in one transaction wait for approval; null: that limit is off. The
	 * percentage is of the entity's records, and asked from the second delete on.
	 */
	readonly massDelete: { readonly rows: number | null; readonly percent: number | null };
	/** By system: how its table says that a record is deleted, where the row stays. */
	readonly as: ReadonlyMap<string, SoftDelete>;
}

/** The column's value in a deleted row, and the one that brings the row back. */
export interface MarkedDelete {
	readonly column: string;
	readonly deleted: Scalar;
	readonly live: Scalar;
}

/** A row is deleted once the time in the column has passed, and back with `live`; null never passes. */
export interface DatedDelete {
	readonly column: string;
	readonly passed: true;
	readonly live: Scalar;
}

export type SoftDelete = MarkedDelete | DatedDelete;

/** The hash that every decision records: SHA-256 of the normal form's canonical JSON. Take it once per batch. */
export function policyHash(policy: Pick<Policy, 'document'>): string {
	return sha256Hex(canonicalJson(policy.document));
}
