import type { EntityReport, FieldReport } from '../../src/core/first-contact';
import type { Json } from '../../src/core/canonical-json';

/** A line of the report: one for the records of an entity as a whole, one for each of its fields. */
export interface ReportRow {
	readonly entity: string;
	/** Empty for the records as a whole. */
	readonly field: string;
	readonly rule: string;
	readonly equal: number;
	readonly different: number;
	/** By system. */
	readonly onlyIn: Record<string, number>;
	readonly ambiguous: number;
	/** Rows that would be made (records) or overwritten (fields), by system. */
	readonly wouldWrite: Record<string, number>;
	/** Records about which a person would be asked. */
	readonly wouldAsk: number;
	/** Keys of some records to look at, by what is the matter with them. */
	readonly examples: Record<string, Json[]>;
}

export function tableOf(entities: readonly EntityReport[]): ReportRow[] {
	return entities.flatMap((entity) => [recordsRow(entity), ...fieldRows(entity)]);
}

function recordsRow({
	entity,
	linkedEqual,
	linkedDifferent,
	onlyIn,
	ambiguous,
	similar = 0,
	inserts,
	examples,
}: EntityReport): ReportRow {
	return {
		entity,
		field: '',
		rule: 'matched by the policy',
		equal: linkedEqual,
		different: linkedDifferent,
		onlyIn,
		ambiguous,
		wouldWrite: inserts,
		wouldAsk: ambiguous + similar,
		examples,
	};
}

function fieldRows({ entity, fields }: EntityReport): ReportRow[] {
	return Object.entries(fields).map(([field, report]) => ({
		entity,
		field,
		rule: report.rule,
		equal: report.equal,
		different: report.different,
		onlyIn: {},
		ambiguous: 0,
		wouldWrite: report.writes,
		wouldAsk: report.reviews,
		examples: report.examples.length > 0 ? { different: report.examples } : {},
	}));
}

/** The table for a person to read or to print. */
export function markdownOf(policy: string, entities: readonly EntityReport[]): string {
	const head = [
		'Entity',
		'Field',
		'Rule',
		'Equal',
		'Different',
		'Only in',
		'Ambiguous',
		'Would write',
		'Would ask',
	];
	const rows = tableOf(entities).map((row) => [
		row.entity,
		row.field || '(record)',
		row.rule,
		row.equal,
		row.different,
		perSystem(row.onlyIn),
		row.ambiguous,
		perSystem(row.wouldWrite),
		row.wouldAsk,
	]);
	const lines = [head, head.map(() => '---'), ...rows].map(
		(cells) => `| ${cells.map(cell).join(' | ')} |`,
	);
	return [`# First contact of ${policy}`, '', ...entities.map(sentenceOf), '', ...lines, ''].join(
		'\n',
	);
}

const cell = (value: string | number): string => String(value).replaceAll('|', '\\|');

const perSystem = (counts: Record<string, number>): string =>
	Object.entries(counts)
		.map(([system, count]) => `${system}: ${count}`)
		.join(', ');

/** One line for a person, such as "customer: 40 equal, 3 different …". */
export function sentenceOf(report: EntityReport): string {
	const { entity, linkedEqual, linkedDifferent, onlyIn, ambiguous, similar = 0, inserts, fields } = report;
	const counts = [
		`${linkedEqual} equal`,
		`${linkedDifferent} different`,
		...Object.entries(onlyIn).map(([system, count]) => `${count} only in ${system}`),
		...(ambiguous > 0 ? [`${ambiguous} ambiguous`] : []),
		...(similar > 0 ? [`${similar} pairs that resemble each other`] : []),
	];
	const plans = [
		...Object.entries(inserts).map(([system, count]) => `make ${count} in ${system}`),
		...Object.entries(fields).flatMap(([name, field]) => plansOf(name, field)),
	];
	const would =
		plans.length > 0 ? `Approving would ${plans.join(', ')}` : 'Approving would write nothing';
	return `${entity}: ${counts.join(', ')}. ${would}.`;
}

function plansOf(name: string, { writes, reviews, rule }: FieldReport): string[] {
	return [
		...Object.entries(writes).map(
			([system, count]) => `overwrite ${name} in ${count} rows of ${system} (${rule})`,
		),
		...(reviews > 0 ? [`leave ${name} of ${reviews} records to a person`] : []),
	];
}
