import { canonicalJson, type Json } from '../../src/core/canonical-json';
import { EXISTENCE, type LinkState } from '../../src/core/link';
import type { CommittedLink } from './simulated-nodes';
import { RECORD_FIELD } from './simulated-users';

/**
 * The foreign values that the journal names as beaten in a conflict, reverted, ignored or put
 * before a person, as texts. Whoever looks for such a value finds what became of it.
 *
 * @param record - what the link stands for; default: what the simulation calls it
 */
export function namedBy(
	{ before, after, journal }: CommittedLink,
	record = recordOf(after),
): string[] {
	return journal.flatMap((entry) => {
		switch (entry.kind) {
			case 'conflict':
			case 'revert':
			case 'ignored':
			case 'residual':
			case 'net-zero':
			case 'restored':
			case 'misdirected':
			case 'overwritten':
				return 'field' in entry && entry.field !== undefined
					? valuesOf(entry.detail).map((value) => nameOf(record, entry.field ?? '', value))
					: [];
			case 'review-opened':
				return fieldsOfReview(entry).flatMap((field) => viewsNamed(after, record, field));
			case 'resolved':
				return Object.keys(after.fields).flatMap((field) => viewsNamed(before ?? after, record, field));
			case 'rolled-back':
				return Object.keys(entry.rollBack.fields).flatMap((field) => viewsNamed(before ?? after, record, field));
			default:
				return [];
		}
	});
}

export function nameOf(record: string, field: string, value: Json): string {
	return canonicalJson([record, field, value]);
}

/** The record that a link stands for, as the simulation knows it. */
export function recordOf(state: LinkState): string {
	const views = Object.values(state.fields[RECORD_FIELD]?.views ?? {});
	return String(views[0]?.canon ?? '');
}

function viewsNamed(state: LinkState, record: string, field: string): string[] {
	if (field === EXISTENCE) return Object.keys(state.fields).filter((name) => name !== EXISTENCE).flatMap((name) => viewsNamed(state, record, name));
	const { views = {}, merged = null } = state.fields[field] ?? {};
	const versions = [...Object.values(views), ...(merged === null ? [] : [merged])];
	return versions.map(({ canon }) => nameOf(record, field, canon));
}

function fieldsOfReview(entry: CommittedLink['journal'][number]): string[] {
	if (!('detail' in entry)) return [];
	const { detail } = entry;
	const fields = typeof detail === 'object' && detail !== null && !Array.isArray(detail) ? detail['fields'] : [];
	return Array.isArray(fields) ? fields.map(String) : [];
}

function valuesOf(detail: Json): Json[] {
	if (typeof detail !== 'object' || detail === null || Array.isArray(detail)) return [];
	return ['view', 'merged', 'wrote', 'found', 'has'].flatMap((name) => {
		const value = detail[name];
		return value === undefined ? [] : [value];
	});
}
