import { BOM, csvLines, type Delimiter } from './csv';
import type { SignOffSheet } from './sign-off';

/** What stands in the first cell of a line that is none of the table. No entity begins with a capital. */
export const SHEET_LINES = { policy: 'Policy', version: 'Version', hash: 'Hash', signature: 'Signature' } as const;
export const HASH_PREFIX = 'sha256:';

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
	return BOM + csvLines(lines, delimiter);
}

/** Who has signed, and a line for each side that is to sign: for whom, name, date. */
export function signatureLines({ systems, signatures }: Pick<SignOffSheet, 'systems' | 'signatures'>): string[][] {
	const signed = signatures.map(({ by, atMs }) => ['signed', by, new Date(atMs).toISOString()]);
	return [...signed, ...systems.map((system) => [`for ${system}`, '', ''])];
}
