import { EXISTENCE } from './link';
import type { DeletePolicy, EntityPolicy, FieldPolicy, ForeignEdit, Nulls, SoftDelete, Strategy } from './policy';
import { listOf } from './suggest';

/** What the rules of a policy come to, in sentences that a person without technical knowledge can sign. */

const FOREIGN_EDITS: Readonly<Record<ForeignEdit, string>> = {
	revert: 'An edit made elsewhere is replaced by the value of {owner}.',
	ignore: 'An edit made elsewhere stays there, and goes nowhere.',
	review: 'An edit made elsewhere waits for a person to decide.',
	propose: 'An edit made elsewhere is a proposal, which a person approves or rejects.',
};

const STRATEGIES: Readonly<Record<Exclude<Strategy['kind'], 'prefer' | 'latest'>, string>> = {
	max: 'the larger value stays',
	min: 'the smaller value stays',
	longest: 'the longer text or list stays',
	union: 'what either side has added or taken away is carried out on both',
	delta: 'both differences are added up',
	review: 'a person decides',
};

const NULLS: Readonly<Record<Nulls, string>> = {
	clear: '',
	ignore: ' An empty value says nothing: the others keep theirs.',
	'never-wins': ' A field that is emptied is filled again.',
};

const CONFLICTS: Readonly<Record<DeletePolicy['conflict'], string>> = {
	review: 'a person decides',
	'update-wins': 'the record stays, and is made again',
	'delete-wins': 'the record is deleted everywhere',
};

/** Who decides the field, what becomes of other edits, and of empty values. */
export function fieldInWords({ authority, nulls, columns, computed }: FieldPolicy): string {
	const carriers = [...columns.keys(), ...computed.keys()];
	if (carriers.length < 2) return `Only ${carriers.join()} has it, so nothing is synced.`;
	if (authority.kind === 'owned') {
		const { owner, onForeignEdit } = authority;
		return `The value of ${owner} counts. ${FOREIGN_EDITS[onForeignEdit].replace('{owner}', owner)}${NULLS[nulls]}`;
	}
	return `Whoever changes it changes it for ${listOf(carriers, 'and')}. Where two change it without knowing of each other, ${strategyInWords(authority.resolve)}.${NULLS[nulls]}`;
}

function strategyInWords(strategy: Strategy): string {
	switch (strategy.kind) {
		case 'prefer':
			return `the value of ${strategy.system} stays`;
		case 'latest':
			return `the later change stays; of changes less than ${strategy.toleranceMs} ms apart a person chooses`;
		default:
			return STRATEGIES[strategy.kind];
	}
}

/** What becomes of records that are deleted. */
export function deletesInWords({ tables, deletes }: Pick<EntityPolicy, 'tables' | 'deletes'>): string {
	const { conflict, massDelete, as } = deletes;
	const limits = [
		massDelete.rows === null ? [] : [`more than ${massDelete.rows} records`],
		massDelete.percent === null ? [] : [`more than ${massDelete.percent} % of all records`],
	].flat();
	return [
		`A record that is deleted in one of ${listOf([...tables.keys()], 'and')} is deleted in all.`,
		`Where another one was editing it meanwhile, ${CONFLICTS[conflict]}.`,
		limits.length === 0 ? 'No number of deletes at once asks anybody.' : `When ${limits.join(' or ')} are deleted at once, a person is asked.`,
		...[...as].map(([system, soft]) => `In ${system} a record counts as deleted ${softInWords(soft)}.`),
	].join(' ');
}

function softInWords(soft: SoftDelete): string {
	if ('passed' in soft) return `once the date in ${soft.column} has passed`;
	return `when ${soft.column} is ${JSON.stringify(soft.deleted)}`;
}

/** The name of a row of the sheet; the record's own row is no field. */
export const RECORD_ROW = '(record)';

/** As people see it. */
export function fieldTitle(field: string): string {
	return field === EXISTENCE ? RECORD_ROW : field;
}
