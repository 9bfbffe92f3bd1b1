import fc from 'fast-check';
import { stringify } from 'yaml';

import type { Json } from '../../src/core/canonical-json';
import { SyncError } from '../../src/core/errors';
import { parsePolicy, policyOf } from '../../src/core/parse-policy';
import { type Policy, policyHash } from '../../src/core/policy';
import { sheetAsHtml } from '../../src/console/sheet-page';
import { signOffSheet } from '../../src/core/sign-off';
import { type Delimiter, guarded, unguarded } from '../../src/core/csv';
import { sheetAsCsv } from '../../src/core/sign-off-csv';
import { importSheet } from '../../src/core/sign-off-import';
import { sheetAsMarkdown } from '../../src/core/sign-off-markdown';
import { arbitraryPolicy, type FieldDocument, type PolicyDocument } from '../support/arbitrary-policy';
import { sampleCustomer } from '../support/sample-policy';

const RUNS = { numRuns: Number(process.env['PROPERTY_RUNS'] ?? 20) };
const { policy: SAMPLE } = sampleCustomer();
const csvOf = (policy: Policy, delimiter?: Delimiter) => sheetAsCsv(signOffSheet(policy, { version: 3 }), delimiter);
const asSaved = (text: string, how: 'as it is' | 'without BOM' | 'line feeds' | 'all quoted' | 'tabs') => {
	switch (how) {
		case 'as it is':
			return text;
		case 'without BOM':
			return text.slice(1);
		case 'line feeds':
			return text.replaceAll('\r\n', '\n');
		case 'all quoted':
		case 'tabs': {
			const separator = how === 'tabs' ? '\t' : ';';
			return rowsOf(text).map((cells) => cells.map((cell) => `"${cell.replaceAll('"', '""')}"`).join(separator)).join('\r\n');
		}
	}
};

/** A plain reader of the comma separated sheet, so that a mistake of the library's use would show. */
function rowsOf(csv: string): string[][] {
	const rows: string[][] = [[]];
	let cell = '';
	let isQuoted = false;
	for (let at = 1; at < csv.length; at++) {
		const next = csv[at] ?? '';
		if (isQuoted && next === '"' && csv[at + 1] === '"') cell += csv[at++] ?? '';
		else if (next === '"') isQuoted = !isQuoted;
		else if (!isQuoted && (next === ',' || next === '\n')) {
			rows.at(-1)?.push(cell);
			cell = '';
			if (next === '\n') rows.push([]);
		} else if (isQuoted || next !== '\r') cell += next;
	}
	return rows.slice(0, -1);
}

/** The sheet with one cell changed, found by its row and the column's title. */
function edited(policy: Policy, [entity, field, title]: readonly [string, string, string], value: string): string {
	const rows = rowsOf(csvOf(policy));
	const column = rows[0]?.indexOf(title) ?? -1;
	const row = rows.find((cells) => cells[0] === entity && cells[1] === field);
	if (row === undefined || column < 0) throw new Error(`The sheet has no ${entity}, ${field}, ${title}`);
	row[column] = value;
	return rows.map((cells) => cells.map((cell) => `"${cell.replaceAll('"', '""')}"`).join(',')).join('\r\n');
}

function problemsOf(text: string, policy = SAMPLE): string {
	try {
		importSheet(policy, text);
	} catch (error) {
		if (error instanceof SyncError && error.code === 'SHEET_INVALID') return error.message;
		throw error;
	}
	return '';
}

describe('a sheet that nobody has edited', () => {
	test('gives the same policy back, whatever the policy and however a program has saved it', () => {
		fc.assert(
			fc.property(
				arbitraryPolicy(),
				fc.constantFrom<Delimiter>(',', ';'),
				fc.constantFrom('as it is' as const, 'without BOM' as const, 'line feeds' as const),
				(document, delimiter, how) => {
					const policy = policyOf(document);
					const imported = importSheet(policy, asSaved(csvOf(policy, delimiter), how));
					expect(imported.changes).toEqual([]);
					expect(policyHash(imported.policy)).toBe(policyHash(policy));
				},
			),
			RUNS,
		);
	});

	test.each(['all quoted', 'tabs'] as const)('is read the same when it was saved with %s', (how) => {
		expect(importSheet(SAMPLE, asSaved(csvOf(SAMPLE), how)).changes).toEqual([]);
	});

	test('is read with rows in another order and one more empty column', () => {
		const [head = [], ...rows] = rowsOf(csvOf(SAMPLE));
		const turned = [head, ...rows.reverse()].map((cells) => [...cells, ''].map((cell) => `"${cell.replaceAll('"', '""')}"`).join(','));
		expect(importSheet(SAMPLE, turned.join('\n')).changes).toEqual([]);
	});
});

/** A legal edit of one cell: where it stands, what is typed, and the same edit of the document. */
interface Edit {
	readonly at: readonly [string, string, string];
	readonly text: string;
	readonly on: (document: PolicyDocument) => void;
}

function editsOf(document: PolicyDocument): Edit[] {
	return Object.entries(document.entities).flatMap(([name, entity]) => [
		...Object.entries(entity.fields).flatMap(([field, of]) => fieldEdits(name, field, of)),
		...['review', 'update-wins', 'delete-wins'].map((text): Edit => ({
			at: [name, '(record)', 'Delete Conflict'],
			text: text.toUpperCase(),
			on: (other) => void (deletesOf(other, name)['conflict'] = text),
		})),
		{ at: [name, '(record)', 'Mass Delete Rows'], text: '77', on: (other) => void (massDeleteOf(other, name)['rows'] = 77) },
		{ at: [name, '(record)', 'Mass Delete Percent'], text: '2,5', on: (other) => void (massDeleteOf(other, name)['percent'] = 2.5) },
	]);
}

function deletesOf(document: PolicyDocument, entity: string): Record<string, Json> {
	return document.entities[entity]?.deletes ?? {};
}

function massDeleteOf(document: PolicyDocument, entity: string): Record<string, Json> {
	return deletesOf(document, entity)['massDelete'] as Record<string, Json>;
}

function fieldEdits(entity: string, field: string, { owner, codec }: FieldDocument): Edit[] {
	const set = (title: string, key: string, values: readonly string[]): Edit[] =>
		values.map((text) => ({
			at: [entity, field, title],
			text: ` ${text} `,
			on: (other) => void ((other.entities[entity]?.fields[field] ?? {})[key] = text),
		}));
	const carriers = Object.keys(codec as object);
	const isOwned = owner !== 'shared';
	return [
		...(isOwned ? set('Owner', 'owner', carriers) : []),
		...(isOwned ? set('Edits Elsewhere', 'onForeignEdit', ['revert', 'ignore', 'review', 'propose']) : []),
		...(isOwned ? [] : set('Strategy', 'resolve', [...carriers.map((one) => `prefer(${one})`), 'latest(2s)', 'review', 'longest'])),
		...set('Nulls', 'nulls', ['clear', 'ignore', 'never-wins']),
		...['yes', 'no'].map((text): Edit => ({
			at: [entity, field, 'Sensitive'],
			text,
			on: (other) => {
				const of = other.entities[entity];
				if (of) of.sensitive = [...of.sensitive.filter((name) => name !== field), ...(text === 'yes' ? [field] : [])];
			},
		})),
	];
}

test('one edit of a cell changes just what it is about, whatever the policy', () => {
	fc.assert(
		fc.property(arbitraryPolicy(), fc.nat(), (given, which) => {
			const policy = policyOf(given);
			const edits = editsOf(policy.document as unknown as PolicyDocument);
			const edit = edits[which % edits.length];
			if (!edit) return;
			const wanted = structuredClone(policy.document) as unknown as PolicyDocument;
			edit.on(wanted);
			const { policy: got, changes } = importSheet(policy, edited(policy, edit.at, edit.text));
			expect(got.document).toEqual(policyOf(wanted).document);
			expect(changes.length).toBe(policyHash(got) === policyHash(policy) && changes.length === 0 ? 0 : 1);
			expect(policyHash(parsePolicy(stringify(got.document)))).toBe(policyHash(got));
		}),
		RUNS,
	);
});

test('several cells together turn an owned field into a shared one', () => {
	const rows = rowsOf(csvOf(SAMPLE));
	const row = rows.find((cells) => cells[1] === 'name') ?? [];
	const put = (title: string, value: string) => void (row[rows[0]?.indexOf(title) ?? -1] = value);
	put('Owner', 'Shared');
	put('Edits Elsewhere', '');
	put('Strategy', 'prefer(billing)');
	const { policy, changes } = importSheet(SAMPLE, rows.map((cells) => cells.map((cell) => `"${cell.replaceAll('"', '""')}"`).join(';')).join('\n'));
	expect(policy.document).toMatchObject({ entities: { customer: { fields: { name: { owner: 'shared', resolve: 'prefer(billing)' } } } } });
	expect(changes.map(({ column }) => column)).toEqual(['Owner', 'Edits Elsewhere', 'Strategy']);
});

describe('an edit that is not allowed is named by row and column, with what is', () => {
	test.each([
		[['customer', 'email', 'Owner'], 'erp', /row 4, column "Owner": must be crm, billing or shared/],
		[['customer', 'email', 'Edits Elsewhere'], 'delete', /row 4, column "Edits Elsewhere": must be revert, ignore, review or propose/],
		[['customer', 'email', 'Strategy'], 'prefer(crm)', /row 4, column "Strategy": is for shared fields/],
		[['customer', 'email', 'Owner'], 'shared', /row 4, column "Edits Elsewhere": needs an owner/],
		[['customer', 'phone', 'Strategy'], 'newest', /row 7, column "Strategy": "newest" is not a strategy; use prefer\(crm\)/],
		[['customer', 'phone', 'Strategy'], '', /row 7, column "Strategy": is missing; a shared field needs one/],
		[['customer', 'phone', 'Nulls'], 'never', /row 7, column "Nulls": must be clear, ignore or never-wins/],
		[['customer', 'phone', 'Sensitive'], 'perhaps', /row 7, column "Sensitive": must be yes or no, not "perhaps"/],
		[['customer', '(record)', 'Delete Conflict'], 'never', /row 2, column "Delete Conflict": must be review, update-wins or delete-wins/],
		[['customer', '(record)', 'Mass Delete Rows'], '0', /row 2, column "Mass Delete Rows": must be at least 1/],
		[['customer', '(record)', 'Mass Delete Rows'], 'many', /row 2, column "Mass Delete Rows": must be a number, or empty/],
		[['customer', '(record)', 'Owner'], 'crm', /row 2, column "Owner": must stay empty: it is for fields/],
		[['customer', 'phone', 'Delete Conflict'], 'review', /row 7, column "Delete Conflict": must stay empty: it is for the record/],
		[['customer', 'email', 'crm Column'], 'mail', /row 4, column "crm Column": must stay "email": it is changed in the policy/],
		[['customer', 'email', 'crm Codec'], '', /row 4, column "crm Codec": must stay "email"/],
		[['customer', 'email', 'Field'], 'mail', /row 4: "customer, mail" is no row of this policy/],
	] as const)('%s: %s', (at, value, problem) => {
		expect(problemsOf(edited(SAMPLE, at, value))).toMatch(problem);
	});

	test('every problem is listed, not the first one alone', () => {
		const text = edited(SAMPLE, ['customer', 'email', 'Owner'], 'erp').replace('"never-wins"', '"x"');
		const both = text.replace(/"review"/, '"ask"');
		expect(problemsOf(both).split('\n- ').length).toBe(3);
	});

	test('a row that was deleted, one that is there twice, and a column that is gone', () => {
		const lines = csvOf(SAMPLE).split('\r\n');
		expect(problemsOf([...lines.slice(0, 3), ...lines.slice(4)].join('\r\n'))).toMatch(/the row of customer, email is missing/);
		expect(problemsOf([...lines.slice(0, 3), ...lines.slice(2)].join('\r\n'))).toMatch(/row 4: is the second one of customer, credit/);
		expect(problemsOf(csvOf(SAMPLE).replace('Strategy', 'Stratgy'))).toMatch(/the column "Strategy" is missing[^]*did you mean "Strategy"/);
	});

	test('a sheet of another version, or without the line that says which', () => {
		const other = policyOf({ ...(SAMPLE.document as object), signOff: 'required' });
		expect(problemsOf(csvOf(other))).toMatch(/line "Hash": the sheet is of another version/);
		expect(problemsOf(csvOf(SAMPLE).replace(/Hash,.*\r\n/, ''))).toMatch(/the line "Hash" is missing/);
	});

	test.each(['', 'no sheet', '"open quote', 'Entity;Field\n"a"b;c', '\u0000'])('what is no sheet at all: %j', (text) => {
		expect(problemsOf(text)).toMatch(/sheet/);
	});
});

describe('nothing in a cell is taken for anything else', () => {
	const HOSTILE = ['=cmd|1', '+1', '-1', '@x', '  =1', "'=1", "''+1", 'a|b', '<b>"&\'', '`x` *y* [z](u)', 'a,b;c', '"', "o'clock"];

	test('a guard is put before formulas and taken away again', () => {
		fc.assert(fc.property(fc.oneof(fc.string(), fc.constantFrom(...HOSTILE)), (text) => {
			expect(unguarded(guarded(text))).toBe(text);
			expect(guarded(text)).not.toMatch(/^[=+\-@\t\r]/);
		}));
	});

	test.each(HOSTILE)('%s', (column) => {
		const document = structuredClone(SAMPLE.document) as unknown as PolicyDocument;
		const field = document.entities['customer']?.fields['phone'] ?? {};
		field['crm'] = column;
		const policy = policyOf(document);
		const csv = csvOf(policy);
		expect(importSheet(policy, csv).changes).toEqual([]);
		for (const cells of rowsOf(csv)) for (const cell of cells) expect(cell).not.toMatch(/^\s*[=+\-@]/);
		const page = sheetAsHtml(signOffSheet(policy));
		expect(page).not.toMatch(/<b>|<script/);
		const table = sheetAsMarkdown(signOffSheet(policy)).split('\n').filter((line) => line.startsWith('| phone'));
		expect(table[0]?.match(/(?<!\\)\|/g)?.length).toBe(sheetAsMarkdown(signOffSheet(policy)).split('\n').find((line) => line.startsWith('| Field'))?.match(/(?<!\\)\|/g)?.length);
	});
});

test('the same policy makes the same sheet in every form, with its hash, who has signed, and lines for those who are to', () => {
	const signatures = [{ by: 'Ann <x>', atMs: 0 }];
	const of = (document: Json) => signOffSheet(policyOf(document), { version: 3, signatures });
	const shuffled = JSON.parse(JSON.stringify(SAMPLE.document)) as { entities: { customer: { fields: object } } };
	shuffled.entities.customer.fields = Object.fromEntries(Object.entries(shuffled.entities.customer.fields).reverse());
	for (const render of [sheetAsMarkdown, sheetAsHtml, sheetAsCsv]) {
		const text = render(of(SAMPLE.document));
		expect(render(of(shuffled as unknown as Json))).toBe(text);
		expect(text).toContain(policyHash(SAMPLE));
		expect(text).toContain('1970-01-01T00:00:00.000Z');
		for (const system of SAMPLE.systems) expect(text).toContain(`for ${system}`);
	}
	expect(sheetAsHtml(of(SAMPLE.document))).toContain('Ann &lt;x&gt;');
});
