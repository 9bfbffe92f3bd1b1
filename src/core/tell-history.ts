import { equalJson, type Json } from './canonical-json';
import type { JournalEntry, StoredJournalEntry } from './journal';
import { EXISTENCE } from './link';
import { readFields } from './mapping';
import { MASK } from './mask';
import type { EntityPolicy } from './policy';
import type { RecordChange } from './record-change';
import { tellChoice } from './tell-choice';
import { tellExplanation } from './tell-explanation';
import type { Heard, HeardOf, Part, Sentence, Told } from './told';

/**
 * The history of one record in sentences, oldest first. Values of sensitive fields are masked. It goes by the journal alone:
 * what the systems sent, what the rules made of it, what was written, what people decided. Pure.
 *
 * @param entries - of one link, oldest first. Where they do not begin with its first one, the first value heard of a field
 * is told without the one before it.
 * @param entity - as the policy in force has it: a field that it does not name any more is not told of
 */
export function tellHistory(entries: readonly StoredJournalEntry[], entity: EntityPolicy): Told[] {
	const heard = new Map<string, Heard>();
	const heardOf: HeardOf = (system, field) => heard.get(`${system} ${field}`);
	const tellChange = (change: RecordChange, atMs: number): Sentence | null => {
		const changed = changesOf(change, { entity, heardOf });
		for (const { field, canon } of changed) heard.set(`${change.system} ${field}`, { canon, atMs });
		return tellObserved(change, changed, entity);
	};
	return entries.flatMap(({ seq, atMs, entry }): Told[] => {
		const told = entry.kind === 'observed' ? tellChange(entry.change, atMs) : tell(entry, { entity, heardOf });
		return told === null ? [] : [{ seq, atMs, ...told }];
	});
}

interface Circumstances {
	readonly entity: EntityPolicy;
	readonly heardOf: HeardOf;
}

/** Null: it says nothing that the lines around it do not say. */
function tell(entry: Exclude<JournalEntry, { kind: 'observed' }>, circumstances: Circumstances): Sentence | null {
	switch (entry.kind) {
		case 'created':
			return { fields: [], tone: 'rule', parts: [`The sync took in this ${entry.entity} from `, { system: entry.by }, ...(entry.ambiguous ? ['; another record has the same match values'] : [])] };
		case 'decided':
			return null;
		case 'resolved':
			return { fields: [], tone: 'person', parts: tellChoice(entry.resolution, circumstances.entity) };
		case 'held': {
			const { by, action, fields, reason } = entry.hold;
			const what = fields === 'record' ? 'the record' : fields.join(', ');
			return { fields: fields === 'record' ? [] : fields, tone: 'person', parts: [{ person: by }, ` ${action === 'freeze' ? 'froze' : 'unfroze'} ${what}`, ...(reason ? [`: ${reason}`] : [])] };
		}
		case 'rolled-back':
			return { fields: Object.keys(entry.rollBack.fields), tone: 'person', parts: [{ person: entry.rollBack.by }, ` rolled back ${entry.rollBack.run}`] };
		case 'attempted':
			return { fields: [], tone: 'write', parts: [`Attempt ${entry.attempt.count} to write to `, { system: entry.system }, `: ${entry.attempt.last ?? 'under way'}`] };
		default:
			return tellExplanation(entry, circumstances);
	}
}

interface FieldChange {
	readonly field: string;
	readonly canon: Json;
	readonly before: Heard | undefined;
}

function changesOf(change: RecordChange, { entity, heardOf }: Circumstances): FieldChange[] {
	return [...readFields(entity, change.system, change.columns, change)].flatMap(([field, reading]): FieldChange[] => {
		if (reading.state !== 'value') return [];
		const before = heardOf(change.system, field);
		return before && equalJson(before.canon, reading.canon) ? [] : [{ field, canon: reading.canon, before }];
	});
}

/** @param heardNow - what the system says otherwise than before */
function tellObserved(change: RecordChange, heardNow: readonly FieldChange[], { sensitive }: EntityPolicy): Sentence | null {
	const { system, exists, marker, snapshot, forged } = change;
	if (exists === false && marker === null) return { fields: [EXISTENCE], tone: 'change', parts: [{ system }, ' deleted the record'] };
	// Our own write: its outcome is told by the entry that follows, and what the target made of it as well.
	if (marker !== null) return null;
	const changed = exists === null && Object.keys(change.columns).length === 0 ? [] : heardNow;
	if (changed.length === 0) return forged ? { fields: [], tone: 'warning', parts: ['A change of ', { system }, ' claimed to be ours, and was not'] } : null;
	const isNews = changed.some(({ before }) => before !== undefined);
	const verb = snapshot || change.fresh ? ' was read: ' : isNews ? ' changed ' : ' has it: ';
	const said = changed.map(({ field, canon, before }, at): Part[] => {
		const isMasked = sensitive.has(field);
		const from: Part[] = before ? [' from ', { value: isMasked ? MASK : before.canon }] : [];
		return [...(at === 0 ? [] : ['; ']), { field }, ...from, before ? ' to ' : ' is ', { value: isMasked ? MASK : canon }];
	});
	return { fields: changed.map(({ field }) => field), tone: 'change', parts: [{ system }, verb, ...said.flat()] };
}
