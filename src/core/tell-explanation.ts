import type { Json } from './canonical-json';
import type { ExplanationKind, JournalEntry } from './journal';
import { EXISTENCE } from './link';
import { MASK } from './mask';
import { own } from './own';
import type { EntityPolicy } from './policy';
import type { HeardOf, Part, Sentence, Told } from './told';

type Explanation = Extract<JournalEntry, { detail: Json }>;

interface Telling {
	readonly field: string | undefined;
	readonly system: string;
	/** What the entry says, by name. */
	readonly said: (name: string) => string;
	/** The same for a value of the field; masked where the field is sensitive. */
	readonly value: (name: string) => Part;
	readonly fields: readonly string[];
	readonly heardOf: HeardOf;
}

/** What an entry that explains says, as a sentence; null where the lines around it say the same. */
export function tellExplanation({ kind, field, system = '', detail }: Explanation, { entity, heardOf }: { entity: EntityPolicy; heardOf: HeardOf }): Sentence | null {
	const details = typeof detail === 'object' && detail !== null && !Array.isArray(detail) ? detail : {};
	const isMasked = field !== undefined && entity.sensitive.has(field);
	const named = details['fields'];
	const fields = Array.isArray(named) ? named.map(String) : field === undefined ? [] : [field];
	const told = TELL[kind]({
		field,
		system,
		heardOf,
		said: (name) => String(own(details, name) ?? ''),
		value: (name) => ({ value: isMasked ? MASK : (own(details, name) ?? null) }),
		fields,
	});
	if (told === null) return null;
	const [tone, ...parts] = told;
	return { tone, parts, fields };
}

type Tell = (telling: Telling) => readonly [Told['tone'], ...Part[]] | null;

const fieldList = (fields: readonly string[]): Part[] => fields.flatMap((field, at): Part[] => [...(at === 0 ? [] : [', ']), { field }]);

const TELL: Readonly<Record<ExplanationKind, Tell>> = {
	conflict: tellConflict,
	revert: tellRevert,
	ignored: ({ field = '', system, said }) => ['rule', { system }, ' keeps its own ', { field }, ` (${said('rule')})`],
	propagated: ({ system, said, fields }) => ['rule', 'In order: ', ...fieldList(fields), ' of ', { system }, ` ${fields.length > 1 ? 'go' : 'goes'} to the other systems (${said('reason')})`],
	agreed: ({ system, fields }) => ['rule', ...fieldList(fields), ` ${fields.length > 1 ? 'are' : 'is'} the same `, ...(system === '' ? ['everywhere'] : ['in ', { system }])],
	op: ({ system, said, fields }) => ['write', `Sent a write (${said('kind')}) to `, { system }, ...(fields.length > 0 ? [': ', ...fieldList(fields)] : [])],
	outcome: ({ system, said }) => ['write', { system }, own(OUTCOMES, said('outcome')) ?? ` answered our write: ${said('outcome')}`],
	residual: ({ field = '', system, value }) => ['change', { system }, ' made ', value('found'), ' of the ', value('wrote'), ' that we wrote to ', { field }],
	'net-zero': ({ field = '', system }) => ['rule', { field }, ' was changed and set back in ', { system }, ' before our write'],
	restored: ({ field, system }) => ['rule', { system }, ' was put back to an older copy', ...(field === undefined || field === EXISTENCE ? [] : [': its ', { field }, ' is behind'])],
	overwritten: ({ field = '', system, value }) => ['warning', 'Our write to ', { system }, ' replaced ', value('found'), ' in ', { field }, ', which nobody had seen, with ', value('wrote')],
	late: ({ field = '', system, value }) => ['warning', 'A late message of ', { system }, ': when we wrote ', value('wrote'), ' to ', { field }, ', it may have held ', value('found'), ', which nobody had seen'],
	misdirected: ({ field, system }) => ['warning', 'Our write', ...(field === undefined ? [] : [' of ', { field }]), ' met another record of ', { system }, '; it is made again'],
	linked: ({ system, said }) => ['rule', 'Linked with the record of ', { system }, ` by ${said('by')}`],
	'review-opened': ({ said, fields }) => ['warning', 'Waits for a person: ', said('reason'), ...(fields.length > 0 ? [' (', ...fieldList(fields), ')'] : [])],
	'review-closed': ({ said }) => (CHOICES.has(said('how')) ? null : ['rule', `The question is closed: ${said('how')}`]),
	// By hand: the line of the person who did it says so already.
	frozen: ({ said, fields }) => said('by') !== '' ? null : ['person', 'Frozen', ...(fields.length > 0 ? [': ', ...fieldList(fields)] : []), ...(said('reason') === '' ? [] : [`, ${said('reason')}`])],
	unfrozen: ({ said, fields }) => said('by') !== '' ? null : ['person', 'No longer frozen', ...(fields.length > 0 ? [': ', ...fieldList(fields)] : [])],
	revealed: ({ said, fields }) => ['person', { person: said('by') }, ' looked at masked values', ...(fields.length > 0 ? [' of ', ...fieldList(fields)] : [])],
	'would-write': ({ system, said, fields }) => ['write', `Would write (${said('kind')}) to `, { system }, ...(fields.length > 0 ? [': ', ...fieldList(fields)] : []), ', but the policy is in shadow mode'],
	warning: ({ system, said }) => ['warning', ...(system === '' ? [] : [{ system }, ': ']), said('message') || said('reason') || said('warning')],
};

/** What a person decided is told already. */
const CHOICES: ReadonlySet<string> = new Set(['apply', 'mix', 'values', 'dismiss', 'retry', 'approve', 'reject', 'join', 'joined', 'part', 'parted']);

const OUTCOMES: Readonly<Record<string, string>> = {
	applied: ' has our write',
	stale: ' had another value by then, so our write changed nothing; it is decided again',
	exists: ' had such a record already, so ours was not made',
	refused: ' refused our write',
	void: ': a person gave the write up',
};

function tellRevert({ field = '', system, said, value }: Telling): readonly [Told['tone'], ...Part[]] {
	const start = ['rule', { system }, ' may not change ', { field }] as const;
	if (said('rule') === 'delete') return [...start, ': ', value('view'), ' goes with the record, which is deleted'];
	return [...start, ` (${said('rule')}): back to `, value('merged')];
}

/** "crm sent a without having seen billing's change of 10:01; prefer(billing); kept b" */
function tellConflict({ field = '', system, said, value, heardOf }: Telling): readonly [Told['tone'], ...Part[]] {
	const [from, kept] = [said('from'), said('kept')];
	const rival = from === '' || from === system ? undefined : heardOf(from, field);
	const unseen: Part[] = own(WHO, from) ?? (from === '' ? [' without having seen a newer value'] : [' without having seen the change of ', { system: from }, ...(rival ? [' at ', { atMs: rival.atMs }] : [])]);
	const result: Part[] = kept === 'merge' ? ['both were merged'] : ['kept ', kept === system ? value('view') : value(from === '' ? 'view' : 'merged')];
	return ['rule', { system }, ' sent ', value('view'), ' for ', { field }, ...unseen, `; rule ${said('rule')}; `, ...result];
}

const WHO: Readonly<Record<string, Part[]>> = {
	human: [' without having seen what a person had decided'],
	merge: [' without having seen the merged value'],
};
