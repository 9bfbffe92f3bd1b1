import { EXISTENCE, isStill } from '../../src/core/link';
import { wrongBacklog } from './check-backlog';
import { RECORD } from './check-names';
import { wrongRecords, wrongRows } from './check-rows';
import type { Expectation, ExpectedReview, ExpectedRows } from './expectation';
import { countOf, type Facts, isLive, openReviews, writesIn } from './facts';
import { missingInOrder } from './pattern';
import type { Rehearsal } from './rehearsal';
import { sentence } from './sentence';

/** How what there is differs from what was expected: a line each, none where all is as expected. */
export async function wrongFacts(
	rehearsal: Rehearsal,
	facts: Facts,
	expected: Expectation & Readonly<Record<string, unknown>>,
): Promise<string[]> {
	const { systems, databases, version } = rehearsal;
	const problems: string[] = [];
	for (const system of systems) {
		const rows = expected[system] as ExpectedRows | undefined;
		const pool = databases.get(system)?.pool;
		const api = rehearsal.apis.get(system);
		if (rows && api) problems.push(...wrongRecords(await api.rows(), rows, { system, policy: version.policy }));
		if (rows && pool) problems.push(...(await wrongRows(pool, rows, { system, policy: version.policy })));
	}
	problems.push(...(await wrongBacklog(rehearsal, expected.backlog)));
	return [...problems, ...wrongCounts(rehearsal, facts, expected), ...wrongTexts(rehearsal, facts, expected)];
}

function wrongCounts(rehearsal: Rehearsal, facts: Facts, expected: Expectation): string[] {
	const { links } = facts;
	const fields = links.flatMap(({ state }) => Object.values(state.fields));
	const found: Partial<Record<keyof Expectation, number>> = {
		conflicts: countOf(facts, 'conflict'),
		reverts: countOf(facts, 'revert'),
		duplicates: rehearsal.duplicates,
		gaps: facts.reviews.filter(({ id }) => id.startsWith('gap-')).length,
		accepted: fields.filter(({ views }) => Object.values(views).some(({ accepted }) => accepted === true)).length,
		links: links.filter(isLive).length,
		tombstones: links.filter((link) => !isLive(link)).length,
	};
	const counts = Object.entries(found).flatMap(([name, actual]) => {
		const wanted = expected[name as keyof Expectation];
		return typeof wanted === 'number' && wanted !== actual ? [`${name}: found ${actual}, expected ${wanted}`] : [];
	});
	const writes = Object.entries(expected.writes ?? {}).flatMap(([system, wanted]) => {
		const actual = writesIn(facts, system);
		return wanted === actual ? [] : [`writes to ${system}: found ${actual}, expected ${wanted}`];
	});
	return [...counts, ...writes, ...wrongDifferences(rehearsal, expected)];
}

function wrongDifferences({ differences }: Rehearsal, { differences: wanted }: Expectation): string[] {
	if (wanted === undefined || wanted === differences) return [];
	return [`differences: ${differences === null ? 'there was no step "reconcile"' : `found ${differences}`}, expected ${wanted}`];
}

function wrongTexts(rehearsal: Rehearsal, facts: Facts, expected: Expectation): string[] {
	return [
		...wrongReviews(facts, expected.reviews),
		...wrongFrozen(facts, expected.frozen),
		...wrongJournal(facts, expected.journal),
		...wrongWarnings(rehearsal, facts, expected.warnings),
		...wrongRefusal(rehearsal, expected.refused),
	];
}

function wrongReviews(facts: Facts, expected: Expectation['reviews']): string[] {
	if (expected === undefined) return [];
	const open = openReviews(facts);
	const lines = open.map(({ kind, fields, reason }) => `${kind} ${fields.map(shownField).join(', ')}: ${reason}`);
	const all = lines.map((line) => `\n    ${line}`).join('');
	if (typeof expected === 'number') {
		return open.length === expected ? [] : [`reviews: found ${open.length} open items, expected ${expected}${all}`];
	}
	const left = [...open];
	const problems = expected.flatMap((wanted) => {
		const at = left.findIndex(({ kind, fields, reason }) => fits(wanted, { kind, fields, reason }));
		if (at >= 0) left.splice(at, 1);
		return at >= 0 ? [] : [`reviews: there is no open item ${showReview(wanted)}${all}`];
	});
	if (problems.length > 0 || left.length === 0) return problems;
	return [`reviews: found ${open.length} open items, expected ${expected.length}${all}`];
}

const shownField = (field: string): string => (field === EXISTENCE ? RECORD : field);

function fits(
	{ kind, field, reason }: ExpectedReview,
	found: { readonly kind: string; readonly fields: readonly string[]; readonly reason: string },
): boolean {
	if (kind !== undefined && kind !== found.kind) return false;
	if (field !== undefined && !found.fields.map(shownField).includes(field)) return false;
	return reason === undefined || reason.matches(found.reason);
}

function showReview({ kind, field, reason }: ExpectedReview): string {
	const parts = { kind, field, reason: reason?.source };
	const said = Object.entries(parts).flatMap(([name, value]) => (value === undefined ? [] : [`${name}: ${value}`]));
	return `{ ${said.join(', ')} }`;
}

function wrongFrozen({ links }: Facts, expected: Expectation['frozen']): string[] {
	if (expected === undefined) return [];
	const frozen = links.flatMap(({ state }) =>
		Object.entries(state.fields).flatMap(([name, field]) => (isStill(field) ? [shownField(name)] : [])),
	);
	const found = frozen.sort().join(', ') || 'none';
	if (typeof expected === 'number') {
		return frozen.length === expected ? [] : [`frozen: found ${frozen.length} (${found}), expected ${expected}`];
	}
	const wanted = [...expected].sort().join(', ') || 'none';
	return wanted === found ? [] : [`frozen: found ${found}, expected ${wanted}`];
}

function wrongJournal({ news }: Facts, expected: Expectation['journal']): string[] {
	if (expected === undefined) return [];
	const missing = missingInOrder(expected, news.map(({ entry }) => sentence(entry)));
	return missing === null ? [] : [`journal: there is nothing that matches ${missing.source}, or not in this order`];
}

/** What the journal and the triggers warn of. */
export function warningsOf({ errors }: Rehearsal, { news }: Facts): string[] {
	return [...errors, ...news.flatMap(({ entry }) => (entry.kind === 'warning' ? [sentence(entry)] : []))];
}

function wrongWarnings(rehearsal: Rehearsal, facts: Facts, expected: Expectation['warnings']): string[] {
	if (expected === undefined) return [];
	const found = warningsOf(rehearsal, facts);
	const all = found.map((line) => `\n    ${line}`).join('') || ' none';
	if (expected.length === 0) return found.length === 0 ? [] : [`warnings: expected none, found${all}`];
	return expected
		.filter((wanted) => !found.some((line) => wanted.matches(line)))
		.map(({ source }) => `warnings: none matches ${source}; found${all}`);
}

function wrongRefusal({ refused }: Rehearsal, expected: Expectation['refused']): string[] {
	if (expected === undefined) return [];
	const said = refused === null ? 'the last action was carried out' : `the last action was refused: ${refused}`;
	if (expected === false) return refused === null ? [] : [`refused: ${said}`];
	return refused !== null && expected.matches(refused) ? [] : [`refused: expected ${expected.source}, but ${said}`];
}
