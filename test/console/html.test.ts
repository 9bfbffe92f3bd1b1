import fc from 'fast-check';

import { markChanges } from '../../src/console/changed-part';
import { escapeText, html, query } from '../../src/console/html';
import { HOSTILE } from '../support/hostile-text';

test('no text becomes markup, between tags or in an attribute', () => {
	fc.assert(
		fc.property(HOSTILE, HOSTILE, (first, second) => {
			const { text } = html`<p title="${first}">${second}</p>`;
			expect(text.match(/[<>]/g)).toHaveLength(4);
			expect(text.match(/"/g)).toHaveLength(2);
			for (const character of ["'", '`', '\u0000']) expect(text).not.toContain(character);
		}),
	);
});

test('what was escaped is what was given', () => {
	expect(escapeText(`<a href="x">'&\``)).toBe('&lt;a href=&quot;x&quot;&gt;&#39;&amp;&#96;');
	expect(escapeText('line\nand\ttab')).toBe('line\nand\ttab');
	expect(html`${null}${undefined}${false}${0}${['a', html`<b>`]}`.text).toBe('0a<b>');
});

test('an address holds any text, and leads nowhere else', () => {
	fc.assert(
		fc.property(HOSTILE, (value) => {
			const address = query({ view: 'records', q: value });
			expect(address.startsWith('?')).toBe(true);
			const wellFormed = value.replace(/\p{Surrogate}/gu, '\uFFFD');
			expect(new URLSearchParams(address).get('q') ?? '').toBe(wellFormed);
		}),
	);
});

test('what differs between texts is marked, by whole characters', () => {
	const marked = (...texts: string[]): string[] => markChanges(texts).map(({ text }) => text.replace(/<\/?bdi[^>]*>/g, ''));
	expect(marked('+1 555 0100', '+1 555 0199')).toEqual(['+1 555 01<mark>00</mark>', '+1 555 01<mark>99</mark>']);
	expect(marked('old@example.com', 'new@example.com')).toEqual(['<mark>old</mark>@example.com', '<mark>new</mark>@example.com']);
	expect(marked('same', 'same')).toEqual(['same', 'same']);
	expect(marked('aa', 'aaa')).toEqual(['aa', 'aa<mark>a</mark>']);
	expect(marked('👩‍👧', '👩‍👦')).toEqual(['<mark>👩‍👧</mark>', '<mark>👩‍👦</mark>']);
});
