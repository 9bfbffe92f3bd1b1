import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import type { Json } from '../../src/core/canonical-json';
import { chainCodecs, CODEC_NAMES, readCodec } from '../../src/core/codecs';
import type { Codec } from '../../src/core/codecs/codec';

const PAGE = readFileSync(join(__dirname, '../../docs/codecs.md'), 'utf8');

/** The table's rows: the spec, the values of the example, and what is refused. */
const ROWS = PAGE.split('\n')
	.filter((line) => line.startsWith('| `'))
	.map((line) => {
		const [spec = '', , example = '', refusal = ''] = line.slice(2, -2).split(' | ');
		return { spec: spec.replaceAll('`', ''), example: valuesIn(example), refusal };
	});

function valuesIn(cell: string): Json[] {
	return [...cell.matchAll(/`([^`]+)`/g)].map(([, text = '']) => JSON.parse(text) as Json);
}

function codecOf(spec: string): Codec {
	const read = readCodec(spec);
	if (!read.ok) throw new Error(read.problem);
	return chainCodecs([read.codec]);
}

test('the page tells of every codec', () => {
	const told = new Set(ROWS.map(({ spec }) => spec.replace(/\(.*/, '')));
	expect([...told].sort()).toEqual(CODEC_NAMES);
});

test.each(ROWS)('the row of $spec is true', ({ spec, example, refusal }) => {
	const codec = codecOf(spec);
	const [raw = null, canon = null, written = null] = example;
	expect(example).toHaveLength(3);
	expect(codec.toCanon(raw)).toEqual({ ok: true, value: canon });
	expect(codec.toRaw(canon)).toEqual({ ok: true, value: written });
	if (refusal === 'nothing') return;
	const refusals = valuesIn(refusal);
	expect(refusals).toHaveLength(1);
	for (const value of refusals) expect(codec.toCanon(value)).toMatchObject({ ok: false });
});

test('the specs that the page mentions elsewhere can be read', () => {
	const mentioned = [...PAGE.matchAll(/[\w-]+\([^)\s|]*\)/g)].map(([spec]) => spec);
	expect(mentioned.length).toBeGreaterThan(ROWS.length / 2);
	for (const spec of mentioned) expect([spec, readCodec(spec).ok]).toEqual([spec, true]);
});
