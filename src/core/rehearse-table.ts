import { EXISTENCE } from './link';
import { type PolicyRehearsal, type RehearsedCase, textOf } from './rehearse-policy';
import { HASH_PREFIX, signatureLines } from './sign-off-csv';
import { escaped, markdownTable } from './sign-off-markdown';
import { fieldTitle } from './sign-off-words';

/** What has to be known of the tables. */
export const REHEARSAL_NOTE =
	'Each line was found by carrying the rules out on an invented record that was the same everywhere before. The values are invented, the rules are those of the policy.';

/** The table for people to sign: the title line first. */
export function rehearsalTable({ systems, cases }: PolicyRehearsal, entity: string): string[][] {
	const ofEntity = cases.filter((one) => one.entity === entity);
	const carrying = systems.filter((system) => ofEntity.some(({ ends }) => ends[system] !== undefined));
	return [
		['Field', 'What Happens', 'Values', ...carrying.map((system) => `${system} Ends With`), 'A Person Is Asked'],
		...ofEntity.map((one) => [fieldTitle(one.field), one.happens, valuesIn(one), ...carrying.map((system) => one.ends[system] ?? ''), askedIn(one)]),
	];
}

function valuesIn({ field, kind, before, writes }: RehearsedCase): string {
	if (field === EXISTENCE || kind === 'none') return '';
	const written = Object.entries(writes).map(([system, canon]) => `${system}: ${canon === null ? 'empty' : textOf(canon)}`);
	return [`before: ${textOf(before)}`, ...written].join('; ');
}

function askedIn({ asks, cannot }: RehearsedCase): string {
	if (cannot !== null) return `cannot be rehearsed: ${cannot}`;
	return asks === null ? 'no' : `yes (${asks.kind}): ${asks.reason}`;
}

export function entitiesOf({ cases }: PolicyRehearsal): string[] {
	return [...new Set(cases.map(({ entity }) => entity))];
}

/** The lines below the tables, as on a sign-off sheet. */
export function rehearsalSignatures({ systems }: PolicyRehearsal): string[][] {
	return [['For', 'Name', 'Date', 'Signature'], ...signatureLines({ systems, signatures: [] }).map((cells) => [...cells, ''])];
}

/** As GitHub-flavoured Markdown. */
export function rehearsalAsMarkdown(rehearsal: PolicyRehearsal): string {
	return [
		`# Rehearsal of policy ${escaped(rehearsal.policy)}`,
		'',
		`Hash: \`${HASH_PREFIX}${rehearsal.hash}\``,
		'',
		REHEARSAL_NOTE,
		...entitiesOf(rehearsal).flatMap((entity) => ['', `## ${escaped(entity)}`, '', ...markdownTable(rehearsalTable(rehearsal, entity))]),
		'',
		'## Signatures',
		'',
		...markdownTable(rehearsalSignatures(rehearsal)),
		'',
	].join('\n');
}
