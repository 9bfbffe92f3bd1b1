import { parse } from 'csv-parse/sync';
import type { Json } from './canonical-json';
import { unguarded } from './csv';
import { SyncError } from './errors';
import { EXISTENCE } from './link';
import { policyOf } from './parse-policy';
import type { Policy } from './policy';
import type { PolicyProblem } from './policy-problems';
import { type EditableKey, type SheetColumn, type SheetRow, type SignOffSheet, signOffSheet } from './sign-off';
import { HASH_PREFIX, SHEET_LINES } from './sign-off-csv';
import { didYouMean } from './suggest';

/** One cell that was edited. */
export interface SheetChange {
	readonly entity: string;
	/** `∃`: the records themselves. */
	readonly field: string;
	readonly column: string;
	readonly before: string;
	readonly after: string;
}

export interface ImportedSheet {
	readonly policy: Policy;
	readonly changes: readonly SheetChange[];
}

/** What a spreadsheet program makes of a file of this many characters is no sheet of ours. */
const MAX_LENGTH = 5_000_000;

/**
 * The policy as a person has changed it in the sheet of `policy`: separated by commas, semicolons or tabs, with or without
 * a mark of the encoding, the rows and columns in any order.
 *
 * @param text - what `sheetAsCsv` made, edited
 * @throws SyncError SHEET_INVALID, listing each cell that cannot be taken over by row and column, and what is allowed there
 */
export function importSheet(policy: Policy, text: string): ImportedSheet {
	return new SheetReader(policy, text).read();
}

interface Place {
	readonly row: number;
	readonly column: string;
}

class SheetReader {
	readonly #policy: Policy;
	readonly #sheet: SignOffSheet;
	readonly #lines: readonly (readonly string[])[];
	readonly #problems: string[] = [];
	/** By the path that a problem of the document is found under. */
	readonly #places = new Map<string, Place>();
	readonly #changes: SheetChange[] = [];

	constructor(policy: Policy, text: string) {
		this.#policy = policy;
		this.#sheet = signOffSheet(policy);
		this.#lines = linesOf(text);
	}

	read(): ImportedSheet {
		this.#checkHash();
		const document = structuredClone(this.#policy.document) as unknown as Editing;
		const given = this.#givenRows();
		this.#throwIfAny();
		for (const row of this.#sheet.rows) {
			const line = given.get(rowId(row.entity, row.cells[1] ?? ''));
			if (line) this.#readRow(row, line, document);
			else this.#problems.push(`the row of ${row.cells[0]}, ${row.cells[1]} is missing: what is synced is changed in the policy, not in the sheet`);
		}
		this.#throwIfAny();
		return { policy: this.#parsed(document), changes: this.#changes };
	}

	#checkHash(): void {
		const { hash } = this.#sheet;
		const line = this.#lines.find(([first]) => first === SHEET_LINES.hash);
		const given = line?.[1]?.toLowerCase();
		if (given === `${HASH_PREFIX}${hash}`) return;
		this.#problems.push(
			given === undefined
				? `the line "${SHEET_LINES.hash}" is missing: it says which version was edited`
				: `row ${this.#lines.indexOf(line ?? []) + 1}, line "${SHEET_LINES.hash}": the sheet is of another version of the policy; make a new sheet and edit that one`,
		);
	}

	/** The lines of the table by the row they are about; each with the number that a spreadsheet program shows. */
	#givenRows(): Map<string, GivenRow> {
		const place = this.#lines.findIndex((cells) => cells.includes('Entity') && cells.includes('Field'));
		const titles = this.#lines[place];
		if (titles === undefined) {
			this.#problems.push('the line with the titles (Entity, Field, …) is missing');
			return new Map();
		}
		this.#checkTitles(titles, place + 1);
		const given = new Map<string, GivenRow>();
		const known = new Set(this.#sheet.rows.map(({ entity, cells }) => rowId(entity, cells[1] ?? '')));
		for (const [at, cells] of this.#lines.entries()) {
			if (at <= place || isNoRow(cells)) continue;
			const byTitle = new Map(titles.map((title, column) => [title, cells[column] ?? '']));
			const id = rowId(byTitle.get('Entity') ?? '', byTitle.get('Field') ?? '');
			if (!known.has(id)) this.#problems.push(`row ${at + 1}: "${byTitle.get('Entity')}, ${byTitle.get('Field')}" is no row of this policy; what is synced is changed in the policy, not in the sheet`);
			else if (given.has(id)) this.#problems.push(`row ${at + 1}: is the second one of ${byTitle.get('Entity')}, ${byTitle.get('Field')}`);
			else given.set(id, { row: at + 1, byTitle });
		}
		return given;
	}

	#checkTitles(titles: readonly string[], row: number): void {
		const known = this.#sheet.columns.map(({ title }) => title);
		for (const title of known) {
			if (!titles.includes(title)) this.#problems.push(`row ${row}: the column "${title}" is missing`);
		}
		for (const [at, title] of titles.entries()) {
			if (title !== '' && titles.indexOf(title) !== at) this.#problems.push(`row ${row}: the column "${title}" is there twice`);
			else if (title !== '' && !known.includes(title)) this.#problems.push(`row ${row}: "${title}" is no column of the sheet${didYouMean(title, known)}`);
		}
	}

	#readRow(row: SheetRow, { row: number, byTitle }: GivenRow, document: Editing): void {
		for (const [at, column] of this.#sheet.columns.entries()) {
			const before = row.cells[at] ?? '';
			const after = byTitle.get(column.title) ?? '';
			if (column.holds === 'words') continue;
			const place = { row: number, column: column.title };
			if (column.holds === 'fixed') {
				if (after !== before.trim()) this.#add(place, `must stay ${before === '' ? 'empty' : `"${before}"`}: it is changed in the policy, not in the sheet`);
				continue;
			}
			this.#readEditable({ row, key: column.holds, place, before, after: after.toLowerCase() }, document);
		}
	}

	#readEditable({ row, key, place, before, after }: EditedCell, document: Editing): void {
		const { entity, field } = row;
		if (isOfRecord(key) !== (field === EXISTENCE)) {
			if (after !== '') this.#add(place, `must stay empty: it is for ${isOfRecord(key) ? 'the record' : 'fields'}`);
			return;
		}
		this.#places.set(pathOf(row, key), place);
		if (after === before) return;
		this.#changes.push({ entity, field, column: place.column, before, after });
		const of = document.entities[entity];
		if (of === undefined) return;
		if (key === 'conflict') put(of.deletes, 'conflict', after);
		else if (key === 'massDelete.rows') of.deletes.massDelete['rows'] = this.#number(after, place);
		else if (key === 'massDelete.percent') of.deletes.massDelete['percent'] = this.#number(after.replace(',', '.'), place);
		else if (key === 'sensitive') this.#mark(of, field, { after, place });
		else put(of.fields[field] ?? {}, key, after);
	}

	#mark(of: EditingEntity, field: string, { after, place }: { after: string; place: Place }): void {
		if (after !== 'yes' && after !== 'no') this.#add(place, `must be yes or no, not "${after}"`);
		of.sensitive = [...of.sensitive.filter((name) => name !== field), ...(after === 'yes' ? [field] : [])].sort();
	}

	#number(text: string, place: Place): Json {
		if (text === '') return null;
		if (/^\d{1,12}(\.\d{1,6})?$/.test(text)) return Number(text);
		this.#add(place, `must be a number, or empty for no limit, not "${text}"`);
		return null;
	}

	#parsed(document: Editing): Policy {
		try {
			return policyOf(document);
		} catch (error) {
			if (!(error instanceof SyncError) || error.code !== 'POLICY_INVALID') throw error;
			const { problems = [] } = (error.details ?? {}) as { readonly problems?: readonly PolicyProblem[] };
			for (const { path, message } of problems) this.#problems.push(`${this.#placeOf(path)}: ${message}`);
			this.#throwIfAny();
			throw error;
		}
	}

	/** The cell that a problem of the document is about, else the document's own path. */
	#placeOf(path: string): string {
		const place = this.#places.get(path);
		return place ? placeText(place) : path;
	}

	#add(place: Place, message: string): void {
		this.#problems.push(`${placeText(place)}: ${message}`);
	}

	#throwIfAny(): void {
		if (this.#problems.length === 0) return;
		const count = this.#problems.length === 1 ? 'a problem' : `${this.#problems.length} problems`;
		throw new SyncError('SHEET_INVALID', [`The sheet of the policy "${this.#policy.name}" has ${count}:`, ...this.#problems.map((problem) => `- ${problem}`)].join('\n'));
	}
}

interface GivenRow {
	readonly row: number;
	readonly byTitle: ReadonlyMap<string, string>;
}

interface EditedCell {
	readonly row: SheetRow;
	readonly key: Exclude<SheetColumn['holds'], 'fixed' | 'words'>;
	readonly place: Place;
	readonly before: string;
	readonly after: string;
}

/** The normal form, as far as a sheet changes it. */
interface Editing {
	readonly entities: Record<string, EditingEntity>;
}

interface EditingEntity {
	sensitive: string[];
	readonly deletes: Record<string, Json> & { readonly massDelete: Record<string, Json> };
	readonly fields: Record<string, Record<string, Json>>;
}

/** An empty cell leaves the key out, so that its default holds, or the policy says that it is needed. */
function put(object: Record<string, Json>, key: string, text: string): void {
	if (text === '') delete object[key];
	else object[key] = text;
}

function pathOf({ entity, field }: SheetRow, key: EditableKey): string {
	return isOfRecord(key) ? `entities.${entity}.deletes.${key}` : `entities.${entity}.fields.${field}.${key}`;
}

function isOfRecord(key: EditableKey): boolean {
	return key === 'conflict' || key.startsWith('massDelete.');
}

function placeText({ row, column }: Place): string {
	return `row ${row}, column "${column}"`;
}

function rowId(entity: string, field: string): string {
	return `${entity}\n${field}`;
}

/** An empty line, or one of those below the table. */
function isNoRow(cells: readonly string[]): boolean {
	const [first = ''] = cells;
	return cells.every((cell) => cell === '') || Object.values(SHEET_LINES).some((word) => word === first);
}

function linesOf(text: string): string[][] {
	if (text.length > MAX_LENGTH) throw new SyncError('SHEET_INVALID', `The sheet has ${text.length} characters, which none of a policy has`);
	try {
		const delimiter = /^[^\r\n]*?Entity"?([,;\t])/.exec(text)?.[1] ?? /^[^\r\n]*?([,;\t])"?Entity/.exec(text)?.[1] ?? ',';
		const lines = parse(text, { bom: true, delimiter, relax_column_count: true, skip_empty_lines: false, relax_quotes: false }) as string[][];
		return lines.map((cells) => cells.map((cell) => unguarded(cell.trim()).trim()));
	} catch (error) {
		const why = error instanceof Error ? error.message : 'it cannot be read';
		throw new SyncError('SHEET_INVALID', `The sheet is no CSV file: ${why}`, { cause: error });
	}
}
