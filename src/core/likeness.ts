import { jaroWinkler } from '@skyra/jaro-winkler';
import { canonicalJson, type Json } from './canonical-json';
import { EXISTENCE, existsIn, type LinkState } from './link';
import type { EntityPolicy, SimilarRule } from './policy';

/**
 * How much two records resemble each other, for proposals alone: a person decides whether they are the
 * same. Compared are letters and digits, without case, accents and punctuation.
 */
export interface Likeness {
	/** By what the record can be found: two records that have none in common are not compared. They name the entity. */
	readonly blocks: readonly string[];
	/** The texts that are compared, in the order of the policy's fields; null: the record has none. */
	readonly values: readonly (string | null)[];
}

/** Letters of a word, or of a whole text, by which records are found. */
const BLOCK_LENGTH = 4;

/**
 * By what a record without a counterpart in some system is found by those that resemble it.
 *
 * @returns null when the policy asks for no resemblance, when the record is complete or gone, or has no text to go by
 */
export function likenessOf(state: LinkState, entity: EntityPolicy): Likeness | null {
	const { similar } = entity;
	if (similar === null || !lacksRow(state, entity)) return null;
	const values = similar.fields.map((field) => comparable(valueOf(state, field, entity)));
	const blocks = blocksOf(entity.name, values[0] ?? null);
	return blocks.length === 0 ? null : { blocks, values };
}

/** Whether the record is there, and some system is without it. */
export function lacksRow(state: LinkState, { tables }: EntityPolicy): boolean {
	if (state.fields[EXISTENCE]?.merged?.canon === false) return false;
	const systems = [...tables.keys()];
	const having = systems.filter((system) => existsIn(state, system));
	return having.length > 0 && having.length < systems.length;
}

/** How much these values resemble each other, from 0 to 1: the mean of the fields that both have. The first one both must have. */
export function likeness(a: Likeness['values'], b: Likeness['values']): number {
	if (a[0] == null || b[0] == null) return 0;
	const scores = a.flatMap((one, index) => {
		const other = b[index];
		return one === null || other == null ? [] : [textLikeness(one, other)];
	});
	return scores.reduce((sum, score) => sum + score, 0) / scores.length;
}

export function isSimilar(score: number, { above }: SimilarRule): boolean {
	return score >= above;
}

function textLikeness(a: string, b: string): number {
	return Math.max(jaroWinkler(a, b), jaroWinkler(sorted(a), sorted(b)));
}

/** The values that are compared, as they are. */
export function comparedValues(state: LinkState, entity: EntityPolicy): Record<string, Json> {
	return Object.fromEntries((entity.similar?.fields ?? []).map((field) => [field, valueOf(state, field, entity)]));
}

/** As the first of its rows that has a value shows it: what was decided about it lags behind. */
function valueOf(state: LinkState, name: string, { tables }: EntityPolicy): Json {
	const { views = {} } = state.fields[name] ?? {};
	const system = [...tables.keys()].find((one) => existsIn(state, one) && (views[one]?.canon ?? null) !== null);
	return system === undefined ? null : (views[system]?.canon ?? null);
}

function comparable(value: Json): string | null {
	if (value === null || typeof value === 'object') return null;
	const plain = String(value).normalize('NFKD').replace(/\p{Mark}/gu, '').toLowerCase();
	const text = plain.replace(/[^\p{Letter}\p{Number}]+/gu, ' ').trim();
	return text === '' ? null : text;
}

const sorted = (text: string): string => text.split(' ').sort().join(' ');

/** The beginning of the text, the beginning of its words in order, and the first word without its vowels, for what is mistyped. */
function blocksOf(entity: string, text: string | null): string[] {
	if (text === null) return [];
	const beginning = (of: string): string => [...of.replaceAll(' ', '')].slice(0, BLOCK_LENGTH).join('');
	const [first = '', ...rest] = [...text.split(' ')[0] ?? ''];
	const skeleton = [first, ...rest.filter((letter) => !'aeiouy'.includes(letter))].slice(0, BLOCK_LENGTH).join('');
	const blocks = [beginning(text), beginning(sorted(text)), `${skeleton}~`];
	return [...new Set(blocks)].map((block) => canonicalJson([entity, block]));
}
