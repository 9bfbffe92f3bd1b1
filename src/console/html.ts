/** Text that is safe to be part of a page. Whatever is no such text gets escaped by `html`, which makes all of it but the style sheet. */
export class Html {
	constructor(readonly text: string) {}
}

/** What a page may be made of. */
export type Content = Html | string | number | null | undefined | false | readonly Content[];

/**
 * A piece of a page: what is put in between is escaped, unless it is a piece itself. Nulls and false leave nothing behind.
 * Put values into quoted attributes and between tags only.
 */
export function html(strings: TemplateStringsArray, ...contents: readonly Content[]): Html {
	return new Html(strings.map((text, at) => text + (at < contents.length ? textOf(contents[at]) : '')).join(''));
}

function textOf(content: Content): string {
	if (content === null || content === undefined || content === false) return '';
	if (content instanceof Html) return content.text;
	return typeof content === 'object' ? content.map(textOf).join('') : escapeText(String(content));
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;', '`': '&#96;' };

/** For text between tags and in quoted attributes. Control characters, which a page must not have, become visible. */
export function escapeText(text: string): string {
	// eslint-disable-next-line no-control-regex -- they are what is looked for
	return text.replace(/[&<>"'`]/g, (found) => ENTITIES[found] ?? '').replace(/[\u0000-\u0008\u000B\u000C\u000E-\u001F\u007F\uFFFE\uFFFF]/g, '\uFFFD');
}

/** The query of an address within the console. */
export function query(parameters: Readonly<Record<string, string | number | null>>): string {
	const given = Object.entries(parameters).filter(([, value]) => value !== null && value !== '');
	return `?${given.map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(String(value).replace(/\p{Surrogate}/gu, '\uFFFD'))}`).join('&')}`;
}
