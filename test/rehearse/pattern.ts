import { z } from 'zod/v4';

/** What a text must look like: `/…/flags` is a regular expression, anything else must stand in it. */
export interface Pattern {
	readonly source: string;
	matches(text: string): boolean;
}

const REGEX = /^\/(.*)\/([a-z]*)$/s;

/** @throws SyntaxError when the regular expression is none */
export function readPattern(source: string): Pattern {
	const [, body, flags] = REGEX.exec(source) ?? [];
	if (body === undefined) return { source, matches: (text) => text.includes(source) };
	const regex = new RegExp(body, flags);
	return { source, matches: (text) => regex.test(text) };
}

export const pattern = z.string().transform((source, context): Pattern => {
	try {
		return readPattern(source);
	} catch (error) {
		context.addIssue({ code: 'custom', message: `is no regular expression: ${String(error)}` });
		return z.NEVER;
	}
});

/** Patterns found in order, each in a line after that of the one before; the first that is not found. */
export function missingInOrder(patterns: readonly Pattern[], lines: readonly string[]): Pattern | null {
	let from = 0;
	for (const one of patterns) {
		const at = lines.findIndex((line, index) => index >= from && one.matches(line));
		if (at < 0) return one;
		from = at + 1;
	}
	return null;
}
