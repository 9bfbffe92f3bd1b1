export type Delimiter = ',' | ';';

/** Spreadsheet programs take a cell that begins so for a formula. */
const FORMULA = /^[\s']*[=+\-@\t\r＝＋－＠]/;
/** Tells spreadsheet programs that the text is UTF-8. */
export const BOM = '\uFEFF';

/** Lines as RFC 4180 has them, for spreadsheet programs: no cell is a formula; `unguarded` gives a cell's text back. */
export function csvLines(lines: readonly (readonly string[])[], delimiter: Delimiter = ','): string {
	return lines.map((cells) => `${cells.map((cell) => quoted(guarded(cell), delimiter)).join(delimiter)}\r\n`).join('');
}

export function guarded(cell: string): string {
	return FORMULA.test(cell) ? `'${cell}` : cell;
}

export function unguarded(cell: string): string {
	return cell.startsWith("'") && FORMULA.test(cell.slice(1)) ? cell.slice(1) : cell;
}

function quoted(cell: string, delimiter: Delimiter): string {
	return /["\r\n;,\t]|^\s|\s$/.test(cell) || cell.includes(delimiter) ? `"${cell.replaceAll('"', '""')}"` : cell;
}
