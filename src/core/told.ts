import type { Json } from './canonical-json';

/** A piece of a sentence: text of ours, or something that a page may set apart. Values are never part of our text. */
export type Part = string | { readonly value: Json } | { readonly field: string } | { readonly system: string } | { readonly person: string } | { readonly atMs: number };

/** One line of a record's history. */
export interface Told {
	readonly seq: string;
	/** By the store's clock. */
	readonly atMs: number;
	/** What it is about; empty: the record as a whole. */
	readonly fields: readonly string[];
	/** `change`: somebody edited; `rule`: what the policy made of it; `write`: ours; `person`: an operator; `warning`. */
	readonly tone: 'change' | 'rule' | 'write' | 'person' | 'warning';
	readonly parts: readonly Part[];
}

/** A line without its place in the journal. */
export type Sentence = Omit<Told, 'seq' | 'atMs'>;

/** What a system last said of a field, and when that was heard. */
export interface Heard {
	readonly canon: Json;
	readonly atMs: number;
}

/** By system and field. */
export type HeardOf = (system: string, field: string) => Heard | undefined;
