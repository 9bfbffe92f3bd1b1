/** Elements as the server's texts; nested for more than one dimension. */
export type ArrayText = (string | null | ArrayText)[];

/**
 * Reads the text form of an array ("Array Input and Output Syntax" in the manual).
 *
 * @param text - `{a,"b c",NULL,{…}}`, as the server prints it
 * @returns null when the text is no such array, and for one with bounds of its own (`[2:3]={a,b}`),
 * which a JSON array could not express
 */
export function parseArrayText(text: string): ArrayText | null {
	const cursor: Cursor = { text, offset: 0 };
	const elements = text.startsWith('{') ? readArray(cursor, 0) : null;
	return cursor.offset === text.length ? elements : null;
}

interface Cursor {
	readonly text: string;
	offset: number;
}

/** MAXDIM of the server: deeper nesting is not an array, and would be a deep recursion. */
const MAX_DIMENSIONS = 6;

function readArray(cursor: Cursor, depth: number): ArrayText | null {
	if (depth === MAX_DIMENSIONS) return null;
	const elements: ArrayText = [];
	cursor.offset++; // The opening brace.
	if (cursor.text[cursor.offset] === '}') {
		cursor.offset++;
		return elements;
	}
	for (;;) {
		const element = readElement(cursor, depth);
		if (element === undefined) return null;
		elements.push(element);
		const separator = cursor.text[cursor.offset++];
		if (separator === '}') return elements;
		if (separator !== ',') return null;
	}
}

/** @returns undefined when the text is malformed */
function readElement(cursor: Cursor, depth: number): string | null | ArrayText | undefined {
	const first = cursor.text[cursor.offset];
	if (first === '{') return readArray(cursor, depth + 1) ?? undefined;
	if (first === '"') return readQuoted(cursor);
	const plain = readPlain(cursor);
	// Only unquoted: the server quotes a text that reads NULL.
	return plain === 'NULL' ? null : plain;
}

function readPlain(cursor: Cursor): string | undefined {
	const start = cursor.offset;
	while (cursor.offset < cursor.text.length && !SPECIAL.has(cursor.text[cursor.offset]!))
		cursor.offset++;
	return cursor.offset > start ? cursor.text.slice(start, cursor.offset) : undefined;
}

/** The server quotes an element that has one of these. */
const SPECIAL: ReadonlySet<string> = new Set([',', '{', '}', '"', '\\']);

function readQuoted(cursor: Cursor): string | undefined {
	const start = cursor.offset + 1;
	const end = closingQuote(cursor.text, cursor.offset);
	if (end === -1) return undefined;
	cursor.offset = end + 1;
	return cursor.text.slice(start, end).replaceAll(/\\(.)/gs, '$1');
}

/** Not a regular expression, which runs out of stack at some megabytes. Returns -1 when there is none. */
function closingQuote(text: string, start: number): number {
	for (
		let quote = text.indexOf('"', start + 1);
		quote !== -1;
		quote = text.indexOf('"', quote + 1)
	) {
		let before = quote - 1;
		while (before > start && text[before] === '\\') before--;
		if ((quote - before) % 2 === 1) return quote;
	}
	return -1;
}
