import fc from 'fast-check';

import { changedLines } from '../../src/console/line-changes';

const texts = fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 12 });

test('what is left of the old lines, and what is new, gives both texts back', () => {
	fc.assert(
		fc.property(texts, texts, (before, after) => {
			const changes = changedLines(before, after);
			const shown = changes.filter(({ text }) => text !== '…');
			if (shown.length < changes.length) return; // Long stretches that are the same are left out.
			if (shown.length === 0) return void expect(before).toEqual(after);
			const near = (kinds: readonly string[]): string[] => shown.filter(({ kind }) => kinds.includes(kind)).map(({ text }) => text);
			expect(before.join('')).toContain(near(['same', 'gone']).join(''));
			expect(after.join('')).toContain(near(['same', 'new']).join(''));
		}),
	);
});

test('shows one changed line with three lines around it', () => {
	const before = Array.from({ length: 20 }, (_, at) => `line ${at}`);
	const after = before.map((line, at) => (at === 10 ? 'changed' : line));
	expect(changedLines(before, after).map(({ kind, text }) => `${kind} ${text}`)).toEqual(['same line 7', 'same line 8', 'same line 9', 'gone line 10', 'new changed', 'same line 11', 'same line 12', 'same line 13', 'same …']);
});
