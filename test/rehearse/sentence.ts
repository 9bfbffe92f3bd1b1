import { canonicalJson, type Json } from '../../src/core/canonical-json';
import type { JournalEntry } from '../../src/core/journal';
import { EXISTENCE } from '../../src/core/link';

type Explanation = Extract<JournalEntry, { detail: Json }>;

/** What a journal entry says, in one line. */
export function sentence(entry: JournalEntry): string {
	switch (entry.kind) {
		case 'created':
			return `${entry.entity} of ${entry.by} taken in${entry.generation > 1 ? `, generation ${entry.generation}` : ''}${entry.ambiguous ? ', ambiguous' : ''}`;
		case 'observed':
			return observed(entry.change);
		case 'decided':
			return `decided under policy ${entry.policyHash.slice(0, 8)}, ${entry.mode}`;
		case 'resolved':
			return `resolved by ${entry.resolution.by}: ${choice(entry.resolution.choice)}`;
		case 'held':
			return `${entry.hold.action} by ${entry.hold.by}: ${entry.hold.fields === 'record' ? 'the record' : entry.hold.fields.join(', ')}`;
		case 'rolled-back':
			return `rolled back by ${entry.rollBack.by}: ${Object.keys(entry.rollBack.fields).join(', ')}`;
		case 'attempted':
			return attempted(entry.attempt);
		default:
			return explained(entry);
	}
}

function observed(change: Extract<JournalEntry, { kind: 'observed' }>['change']): string {
	const { system, exists, marker, forged, snapshot } = change;
	const what = { true: 'the row', false: 'no row any more', null: 'no change of the row' }[String(exists)] ?? '';
	const ours = marker === null ? '' : `, the outcome ${marker.outcome} of our ${opName(marker.op)}`;
	return `observed in ${system}: ${what}${snapshot ? ' (read)' : ''}${ours}${forged ? ', a forged marker' : ''}`;
}

function attempted({ op, count, state, last }: Extract<JournalEntry, { kind: 'attempted' }>['attempt']): string {
	return `attempt ${count} at ${opName(op)}: ${state}${last === undefined ? '' : `, ${last}`}`;
}

function choice(made: Extract<JournalEntry, { kind: 'resolved' }>['resolution']['choice']): string {
	switch (made.kind) {
		case 'apply':
			return `apply ${made.system}`;
		case 'values':
			return `values ${canonicalJson(made.values as Json)}`;
		default:
			return made.kind;
	}
}

function explained(entry: Explanation): string {
	const { kind, field, system } = entry;
	const place = [field === EXISTENCE ? 'the record' : field, system].filter((part) => part !== undefined).join(' of ');
	const head = place === '' ? kind : `${kind} ${place}`;
	const rest = detailText(entry.detail);
	return rest === '' ? head : `${head}: ${rest}`;
}

/** Vectors say nothing to people, and the rest in the order in which it was noted. */
const HIDDEN = new Set(['viewVector', 'mergedVector', 'review']);

function detailText(detail: Json): string {
	if (detail === null) return '';
	if (typeof detail !== 'object' || Array.isArray(detail)) return text(detail);
	const parts = Object.entries(detail).filter(([name]) => !HIDDEN.has(name));
	return parts.map(([name, value]) => (name === 'op' ? opName(String(value)) : `${name} ${text(value)}`)).join(', ');
}

function text(value: Json): string {
	if (typeof value === 'string') return value;
	if (Array.isArray(value)) return value.map((one) => (one === EXISTENCE ? 'the record' : text(one))).join(' and ');
	return canonicalJson(value);
}

/** Of an operation's id, what a person can tell apart. */
export function opName(id: string): string {
	const [, system = '', number = ''] = /:([^:]*):(?:\d+\.)?(\d+)$/.exec(id) ?? [];
	return `op ${number} to ${system}`;
}
