import { chainCodecs, readCodec } from '../../src/core/codecs';
import type { Codec } from '../../src/core/codecs/codec';
import type { ListField, PairOfNames } from '../../src/core/reconcile-lists';
import { invalid, nameList, oneOf, optionalText, text } from '../shared/settings';

/** "id, number = account_no" */
export function keysOf(given: unknown): PairOfNames[] {
	return nameList('Key', given).map(pairOf);
}

function pairOf(given: string): PairOfNames {
	const [a = '', b = a, ...more] = given.split('=').map((name) => name.trim());
	if (a === '' || b === '' || more.length > 0) throw invalid('Key', `must be names such as "id" or "id = external_id", not "${given}"`);
	return { a, b };
}

export function fieldsOf(given: unknown): ListField[] {
	const list = typeof given === 'object' && given !== null && 'field' in given && Array.isArray(given.field) ? (given.field as unknown[]) : [];
	return list.map((one) => {
		const { a, b, codec, owner } = (one ?? {}) as Record<string, unknown>;
		const name = text('Name in A', a);
		const read = codecOf(optionalText('Codec', codec));
		const who = oneOf('Owner', owner ?? '', ['a', 'b', '']);
		return { name, a: name, b: optionalText('Name in B', b) || name, codecs: { a: read, b: read }, owner: who === '' ? null : who };
	});
}

function codecOf(spec: string): Codec {
	if (spec === '') return chainCodecs([]);
	const read = readCodec(spec);
	if (!read.ok) throw invalid('Codec', read.problem);
	return chainCodecs([read.codec]);
}

/** Compared as they are. */
export function plainFields(names: Iterable<string>): ListField[] {
	const plain = chainCodecs([]);
	return [...names].map((name) => ({ name, a: name, b: name, codecs: { a: plain, b: plain }, owner: null }));
}
