import type { SignOffSheet } from './sign-off';

/** What stands in the first cell of a line that is none of the table. No entity begins with a capital. */
export const SHEET_LINES = { policy: 'Policy', version: 'Version', hash: 'Hash', signature: 'Signature' } as const;
export const HASH_PREFIX = 'sha256:';
/** Tells spreadsheet programs that the text is UTF-8. */
const BOM = '\uFEFF';
/** Spreadsheet programs take a cell that begins so for a formula. */
const FORMULA = /^[\s']*[=+\-@\t\r＝＋－＠]/;

export type Delimiter = ',' | ';';

/** The sheet for a spreadsheet program; `readSheet` reads it back. */
export function sheetAsCsv(sheet: SignOffSheet, delimiter: Delimiter = ','): string {
	const lines = [
		sheet.columns.map(({ title }) => title),
		...sheet.rows.map(({ cells }) => cells),
		[],
		[SHEET_LINES.policy, sheet.policy],
		[SHEET_LINES.version, sheet.version === null ? 'not published' : String(sheet.version)],
		[SHEET_LINES.hash, `${HASH_PREFIX}${sheet.hash}`],
		...signatureLines(sheet).map((cells) => [SHEET_LINES.signature, ...cells]),
	];
	return BOM + lines.map((cells) => `${cells.map((cell) => quoted(guarded(cell), delimiter)).join(delimiter)}\r\n`).join('');
}

/** Who has signed, and a line for each side that is to sign: for whom, name, date. */
export function signatureLines({ systems, signatures }: Pick<SignOffSheet, 'systems' | 'signatures'>): string[][] {
	const signed = signatures.map(({ by, atMs }) => ['signed', by, new Date(atMs).toISOString()]);
	return [...signed, ...systems.map((system) => [`for ${system}`, '', ''])];
}

/** A cell that no program takes for a formula; `unguarded` gives the text back. */
export function guarded(cell: string): string {
	return FORMULA.test(cell) ? `'${cell}` : cell;
}

export function unguarded(cell: string): string {
	return cell.startsWith("'") && FORMULA.test(cell.slice(1)) ? cell.slice(1) : cell;
}

function quoted(cell: string, delimiter: Delimiter): string {
	return /["\r\n;,\t]|^\s|\s$/.test(cell) || cell.includes(delimiter) ? `"${cell.replaceAll('"', '""')}"` : cell;
}
