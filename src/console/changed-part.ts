import { html, type Html } from './html';

/**
 * Marks in each of some texts what is not the same in all of them: the part between what they begin with and what they
 * end with. Whole characters, as people see them, are compared. Pure.
 */
export function markChanges(texts: readonly string[]): Html[] {
	const split = texts.map(charactersOf);
	const shortest = Math.min(...split.map(({ length }) => length));
	const same = (at: (characters: readonly string[]) => string | undefined): boolean => new Set(split.map(at)).size === 1;
	let head = 0;
	while (head < shortest && same((characters) => characters[head])) head += 1;
	let tail = 0;
	while (tail < shortest - head && same((characters) => characters.at(-1 - tail))) tail += 1;
	return split.map((characters) => {
		const middle = characters.slice(head, characters.length - tail).join('');
		const [before, after] = [characters.slice(0, head).join(''), characters.slice(characters.length - tail).join('')];
		return middle === '' ? html`<bdi class="value">${before}${after}</bdi>` : html`<bdi class="value">${before}<mark>${middle}</mark>${after}</bdi>`;
	});
}

/** Long texts are compared by code unit: segmenting a megabyte takes seconds, and nobody reads it. */
const MAX_SEGMENTED = 10_000;
const segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' });

function charactersOf(text: string): string[] {
	return text.length > MAX_SEGMENTED ? [...text] : [...segmenter.segment(text)].map(({ segment }) => segment);
}
