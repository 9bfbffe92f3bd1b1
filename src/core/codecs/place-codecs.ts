import type { Json } from '../canonical-json';
import { readable, refused, type Codec, type CodecResult } from './codec';
import { COUNTRIES } from './country-table';
import { STATES } from './state-table';

/** How a country is written; every way is read, whichever it is. */
const COUNTRY_STYLES = ['alpha-2', 'alpha-3', 'name'];

/** Nothing that names a place is longer; what is longer need not be searched through. */
const MAX_LENGTH = 100;

interface Places {
	/** Any way to name the place, made comparable → its canonical code. */
	readonly codeOf: ReadonlyMap<string, string>;
	/** Canonical code → its ways to be written: the codes, then the name. */
	readonly written: ReadonlyMap<string, readonly string[]>;
}

const WORLD = readPlaces(COUNTRIES, 2);
const PLACES_OF = new Map([...STATES].map(([country, table]) => [country, readPlaces(table, 1)]));

/** Countries of which `state` knows the states. */
export const COUNTRIES_WITH_STATES: readonly string[] = [...STATES.keys()];

/**
 * A country by its ISO 3166-1 alpha-2 code, 'DE'; reads alpha-3 codes and English names too, with
 * or without accents, in any case. `style` says how it is written: `alpha-2`, `alpha-3` or `name`.
 *
 * @returns undefined when there is no such style
 */
export function country(style?: string): Codec | undefined {
	const index = style === undefined ? 0 : COUNTRY_STYLES.indexOf(style);
	if (index === -1) return undefined;
	const name = index === 0 ? 'country' : `country(${style ?? ''})`;
	return placeCodec({ name, places: WORLD, index, what: 'a country by code or English name' });
}

/**
 * A state or province by its postal code, 'NY'; reads English names too. `style` is `name` where
 * the name is to be written.
 *
 * @param of - the country, one of `COUNTRIES_WITH_STATES`
 * @returns undefined when the states of that country are not known, or there is no such style
 */
export function state(of: string, style?: string): Codec | undefined {
	const places = PLACES_OF.get(of);
	if (!places || (style !== undefined && style !== 'name')) return undefined;
	const name = style === undefined ? `state(${of})` : `state(${of},name)`;
	const index = style === undefined ? 0 : 1;
	return placeCodec({ name, places, index, what: `a state of ${of} by code or name` });
}

function placeCodec({
	name,
	places,
	index,
	what,
}: {
	readonly name: string;
	readonly places: Places;
	readonly index: number;
	readonly what: string;
}): Codec {
	const find = (value: Json): string | undefined => {
		if (typeof value !== 'string' || value.length > MAX_LENGTH) return undefined;
		return places.codeOf.get(comparable(value));
	};
	const answer = (found: string | undefined): CodecResult =>
		found === undefined ? refused(`is not ${what}`) : readable(found);
	return {
		name,
		toCanon: (raw) => answer(find(raw)),
		toRaw: (canon) => answer(places.written.get(find(canon) ?? '')?.[index]),
	};
}

/** @param codeCount - how many codes stand before the name in each line */
function readPlaces(table: string, codeCount: number): Places {
	const codeOf = new Map<string, string>();
	const written = new Map<string, readonly string[]>();
	for (const line of table.trim().split('\n')) {
		const [first = '', ...aliases] = line.split(' = ');
		const words = first.split(' ');
		const ways = [...words.slice(0, codeCount), words.slice(codeCount).join(' ')];
		const [code = ''] = ways;
		written.set(code, ways);
		for (const way of [...ways, ...aliases]) codeOf.set(comparable(way), code);
	}
	return { codeOf, written };
}

/** The letters of a name without accents, punctuation, case and the words "the" and "and". */
function comparable(text: string): string {
	return (
		text
			.normalize('NFKD')
			.replace(/\p{M}+/gu, '')
			.replace(/\bst\.? /gi, 'saint ')
			.toLowerCase()
			// Between words only: AND is a code, of Andorra.
			.replace(/(?<=\s)and(?=\s)|(?<=^|\s)the(?=\s|$)/g, '')
			.replace(/[^\p{L}\p{N}]+/gu, '')
	);
}
