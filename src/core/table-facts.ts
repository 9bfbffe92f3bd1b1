/** What a system's database says about one table. */
export interface TableFacts {
	readonly system: string;
	readonly schema: string;
	readonly table: string;
	readonly columns: readonly ColumnFacts[];
	/** Columns of each primary key and full unique index; left out when not looked up. */
	readonly uniqueKeys?: readonly (readonly string[])[];
	/** Left out when not looked up. */
	readonly foreignKeys?: readonly ForeignKey[];
	/** pg_class.relreplident; left out for other databases. */
	readonly replicaIdentity?: 'default' | 'full' | 'index' | 'nothing';
	/** The columns by which the log names an old row; left out when not looked up. */
	readonly identityColumns?: readonly string[];
	/** The publication that is to carry the table; left out when there is none yet, or it was not asked for. */
	readonly publication?: PublicationFacts;
}

export interface ForeignKey {
	readonly columns: readonly string[];
	readonly schema: string;
	readonly table: string;
	/** The columns that it refers to, in the same order. */
	readonly to: readonly string[];
}

export interface PublicationFacts {
	readonly name: string;
	/** Null: all of them. An empty list: the table is not in the publication. */
	readonly columns: readonly string[] | null;
}

/** What is left out was not looked up, and is not judged. */
export interface ColumnFacts {
	readonly name: string;
	readonly notNull: boolean;
	/** A default, an identity or a generated column: an insert may leave it out. */
	readonly hasDefault: boolean;
	/** The part that it is of, where facts of several tables were put together: a record may have no row of it. */
	readonly part?: string;
	/** What a value of the column looks like; for a domain, the type below it. */
	readonly kind?: ColumnKind;
	/** Of `varchar(n)` and `char(n)`; null: without limit. */
	readonly maxLength?: number | null;
	/** `char(n)`: shorter texts are sent with blanks up to `maxLength`. */
	readonly isPadded?: boolean;
	/** Digits after the point that a numeric column keeps; null: all. */
	readonly scale?: number | null;
	/** The values that an enum type or a simple check constraint admits; null: any. */
	readonly values?: readonly string[] | null;
	/** Whether a large value may be stored apart, so that the log leaves it out while it does not change. */
	readonly isToastable?: boolean;
}

/**
 * How a column stores values and sends them: `integer` (int2, int4) and `float` as JSON numbers,
 * `bigint` and `numeric` as text, `timestamp` without a zone, `text` with every type whose values
 * are just texts (varchar, uuid, enums), `list` for arrays.
 */
export type ColumnKind =
	| 'text'
	| 'integer'
	| 'bigint'
	| 'numeric'
	| 'float'
	| 'boolean'
	| 'date'
	| 'timestamp'
	| 'timestamptz'
	| 'json'
	| 'list'
	| 'other';
