import { canonicalJson, equalJson, type Json } from './canonical-json';
import { EXISTENCE, existsIn, isOutsideIn } from './link';
import { readFields } from './mapping';
import { inForce, type PolicyInForce } from './observe';
import { carriersOf, type EntityPolicy, type Policy, policyHash } from './policy';
import { type CaseKind, casesOf, play, recordCases, type RehearsalCase } from './rehearse-cases';
import { type RehearsedStart, rehearsedStart } from './rehearse-values';
import { keyOfReferred, REFERRED, RehearsedRecord } from './rehearsed-record';
import type { ReviewItem } from './review';

/** What becomes of one field of an invented record in one case: found by carrying the rules out, not written down anywhere. */
export interface RehearsedCase {
	readonly entity: string;
	/** `∃`: the record as a whole. */
	readonly field: string;
	readonly kind: CaseKind | 'none';
	readonly happens: string;
	/** What stands everywhere before; null for the record as a whole. */
	readonly before: Json;
	/** What users write, by system. */
	readonly writes: Readonly<Record<string, Json>>;
	/** By system, whose value it ends with. Empty where the case cannot be rehearsed. */
	readonly ends: Readonly<Record<string, string>>;
	/** What a person is asked; null: nobody is. Names no values. */
	readonly asks: { readonly kind: ReviewItem['kind']; readonly reason: string } | null;
	/** Why the case cannot be rehearsed; null: it has been. */
	readonly cannot: string | null;
}

export interface PolicyRehearsal {
	readonly policy: string;
	readonly hash: string;
	readonly systems: readonly string[];
	readonly cases: readonly RehearsedCase[];
}

/**
 * What the policy makes of each field when one system changes it, two do, one deletes … Every case is played on an invented record
 * that is equal in all systems, with the rules that the nodes carry out. Values are invented and fit codecs and `valid`.
 */
export function rehearsePolicy(policy: Policy): PolicyRehearsal {
	return rehearsalOf(policy, playPolicy(policy));
}

export function rehearsalOf(policy: Policy, cases: readonly PlayedCase[]): PolicyRehearsal {
	return { policy: policy.name, hash: policyHash(policy), systems: policy.systems, cases: cases.map(({ said }) => said) };
}

/** A case with the records it was played on, for whoever plays it again on databases. */
export interface PlayedCase {
	readonly said: RehearsedCase;
	/** Null where no values are known to play with. */
	readonly one: RehearsalCase | null;
	readonly begun: RehearsedRecord;
	/** What it has come to; null where the case cannot be played. */
	readonly record: RehearsedRecord | null;
}

export function playPolicy(policy: Policy): PlayedCase[] {
	const rules = inForce(policy);
	return [...policy.entities.values()].flatMap((entity) => rehearseEntity(rules, entity));
}

function rehearseEntity(rules: PolicyInForce, entity: EntityPolicy): PlayedCase[] {
	const start = rehearsedStart(entity);
	const record = RehearsedRecord.begin(rules, entity, start.rows);
	const whole = recordCases(entity).map((one) => rehearse(record, one, null));
	return [...whole, ...[...entity.fields.keys()].flatMap((name) => rehearseField(record, name, start))];
}

function rehearseField(record: RehearsedRecord, name: string, { values }: RehearsedStart): PlayedCase[] {
	const { entity } = record;
	const field = entity.fields.get(name);
	const known = values.get(name);
	if (field === undefined) return [];
	if (known === undefined) {
		return [notRehearsed(record, name, 'no two values are known that its codecs, its conditions and the scope of its tables let through: try it with a scenario of your own')];
	}
	const cases = casesOf(entity, field, known).map((one) => rehearse(record, one, known.before));
	const isShort = known.other === undefined && carriersOf(field).length > 1;
	return isShort ? [...cases, notRehearsed(record, name, 'two different changes need three values, and only two are known')] : cases;
}

function notRehearsed(begun: RehearsedRecord, field: string, cannot: string): PlayedCase {
	const said = { entity: begun.entity.name, field, kind: 'none', happens: '', before: null, writes: {}, ends: {}, asks: null, cannot } as const;
	return { said, one: null, begun, record: null };
}

function rehearse(begun: RehearsedRecord, one: RehearsalCase, before: Json): PlayedCase {
	const { entity } = begun;
	const { kind, field, happens, writes } = one;
	const said = { entity: entity.name, field, kind, happens, before, writes };
	const asked = questionAbout(begun, field);
	const refused = (cannot: string): PlayedCase => ({ said: { ...said, ends: {}, asks: null, cannot }, one, begun, record: null });
	if (asked !== null) return refused(`a person is asked before anything happens: ${asked.reason}`);
	const record = begun.copy();
	const cannot = play(record, one);
	if (cannot !== null) return refused(cannot);
	return { said: { ...said, ends: endsOf(record, one, before), asks: questionAbout(record, field), cannot: null }, one, begun, record };
}

function questionAbout({ reviews }: RehearsedRecord, field: string): RehearsedCase['asks'] {
	const item = reviews.find(({ fields }) => fields.includes(field)) ?? reviews.find(({ fields }) => fields.includes(EXISTENCE));
	return item === undefined ? null : { kind: item.kind, reason: item.reason };
}

function endsOf(record: RehearsedRecord, one: RehearsalCase, before: Json): Record<string, string> {
	return Object.fromEntries([...record.entity.tables.keys()].map((system) => [system, endOf(record, system, { one, before })]));
}

function endOf({ state, entity, rows, remade, waits }: RehearsedRecord, system: string, { one, before }: { one: RehearsalCase; before: Json }): string {
	if (isOutsideIn(state, system)) return 'a row that is no record any more';
	if (!existsIn(state, system)) return 'deleted';
	const again = remade.has(system) ? 'made again, ' : '';
	const isWaiting = waits.some((wait) => wait.system === system && wait.field === one.field) ? ', waits' : '';
	if (one.field === EXISTENCE) return `${again}kept`;
	const field = entity.fields.get(one.field);
	if (field === undefined || !carriersOf(field).includes(system)) return `${again}has no such field`;
	const reading = readFields(entity, system, rows.get(system) ?? {}, { names: [one.field] }).get(one.field);
	if (reading?.state !== 'value') return `${again}unreadable`;
	const canon = field.references === null ? reading.canon : (REFERRED.find((link) => keyOfReferred(link) === reading.raw) ?? null);
	return `${again}${nameOf(canon, { one, before })}${isWaiting}`;
}

/** Whose value it is. */
function nameOf(canon: Json, { one: { writes }, before }: { one: RehearsalCase; before: Json }): string {
	if (canon === null) return 'empty';
	const authors = Object.entries(writes).flatMap(([system, written]) => (equalJson(written, canon) ? [system] : []));
	if (authors.length > 1) return `the value of both, ${textOf(canon)}`;
	if (authors.length === 1) return `${authors[0]}'s value, ${textOf(canon)}`;
	return equalJson(canon, before) ? `the value before, ${textOf(canon)}` : `a merged value, ${textOf(canon)}`;
}

/** A value as people read it. */
export function textOf(canon: Json): string {
	return typeof canon === 'string' ? `"${canon}"` : canonicalJson(canon);
}
