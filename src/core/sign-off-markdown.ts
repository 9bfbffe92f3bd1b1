import { EXISTENCE } from './link';
import type { SheetColumn, SignOffSheet } from './sign-off';
import { HASH_PREFIX, signatureLines } from './sign-off-csv';

/** The sheet as GitHub-flavoured Markdown: one table per entity, then the lines to sign on. */
export function sheetAsMarkdown(sheet: SignOffSheet): string {
	const entities = [...new Set(sheet.rows.map(({ entity }) => entity))];
	const version = sheet.version === null ? 'not published' : `version ${sheet.version}`;
	return [
		`# Policy ${escaped(sheet.policy)}, ${version}`,
		'',
		`Hash: \`${HASH_PREFIX}${sheet.hash}\``,
		...entities.flatMap((entity) => ['', `## ${escaped(entity)}`, '', ...tableOf(sheet, entity)]),
		'',
		'## Signatures',
		'',
		...markdownTable([['For', 'Name', 'Date', 'Signature'], ...signatureLines(sheet).map((cells) => [...cells, ''])]),
		'',
	].join('\n');
}

function tableOf({ columns, rows }: SignOffSheet, entity: string): string[] {
	const ofEntity = rows.filter((row) => row.entity === entity);
	// What is empty in all rows is left out, and so is what the heading says.
	const shown = columns.map((_, place) => place).filter((place) => place > 0 && ofEntity.some(({ cells }) => cells[place] !== ''));
	const titles = shown.map((place) => titleOf(columns[place]));
	return markdownTable([titles, ...ofEntity.map(({ cells }) => shown.map((place) => cells[place] ?? ''))]);
}

function titleOf(column: SheetColumn | undefined): string {
	return column?.title ?? '';
}

/** A table of the first line as head and the others; everything in it is escaped. */
export function markdownTable([head = [], ...lines]: readonly (readonly string[])[]): string[] {
	const row = (cells: readonly string[]): string => `| ${cells.map(escaped).join(' | ')} |`;
	return [row(head), `| ${head.map(() => '---').join(' | ')} |`, ...lines.map(row)];
}

/** Text that Markdown shows as it is, within a table too. */
export function escaped(text: string): string {
	const name = text === EXISTENCE ? '(record)' : text;
	return name.replace(/\s+/g, ' ').replace(/[\\`*_{}[\]<>|~#&$!]/g, (found) => `\\${found}`);
}
