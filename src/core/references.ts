import type { Json } from './canonical-json';
import { canonicalJson, equalJson } from './canonical-json';
import { explain, startDraft, type Draft } from './draft';
import { EXISTENCE, existsIn, isStill, type Key, type LinkState, type OperationField, type View } from './link';
import { keyText, rawFor, type FieldReading } from './mapping';
import type { CodecResult } from './codecs/codec';
import type { EntityPolicy, FieldPolicy, Policy } from './policy';
import type { RecordChange } from './record-change';
import { referenceFields, type ReferenceField } from './reference-graph';
import type { Rules } from './strategies';
import type { Twin } from './twins';

/**
 * References: fields whose values name other records. Each system names them by keys of its own, so the
 * canonical value is the id of the named record's link; what is written is the key that the record has
 * in the target, and where it has none yet, nothing is written and the link stays due.
 *
 * Until a link is known that has the key, the value is the key itself with its system (`Unlinked`),
 * which says nothing to any other system. Whoever decides about the link next looks for it again.
 */
export interface Unlinked {
	readonly system: string;
	readonly key: string;
}

/** Whether the canonical value of a reference names a record that no link is known for. */
export function isUnlinked(canon: Json): canon is Json & Unlinked {
	return typeof canon === 'object' && canon !== null;
}

/** What a decision about one link has to know of another one, which it refers to. Journaled with the decision. */
export interface Referred {
	readonly link: string;
	readonly entity: string;
	/** By system, its key as text; only of systems that have its row. */
	readonly keys: Readonly<Record<string, string>>;
	/** Whether it stays, is about to be deleted, or a person is asked whether it shall exist. */
	readonly fate: 'stays' | 'goes' | 'asked';
	/** The link that it has been joined into; absent: none. */
	readonly into?: string;
}

/** What a decision about one link knows of others. Absent members: nothing. */
export interface Known {
	readonly referred?: readonly Referred[];
	/** Who resembles a record that is not in every system; absent: nobody has looked. */
	readonly twins?: readonly Twin[];
	/** Somebody has woken the link, though its state asks for nothing: what it waits for may have come. */
	readonly freed?: true;
	/** By the values it has once its references are known, another link is the same record. */
	readonly isTaken?: true;
}

export const NOTHING_KNOWN: Known = {};

/** What is not written yet, and why: the end of "… waits, because". Names no values. */
export interface Wait {
	/** `write`: the system gets nothing yet; `read`: what the system says is not understood yet. */
	readonly kind: 'write' | 'read';
	readonly field: string;
	readonly system: string;
	readonly reason: string;
	/** What a commit about the named record tells when it may be over; see `referenceTells`. */
	readonly until: string;
}

/** What others need to know of a link that they refer to. */
export function referredOf({ id, entity, keys, fields, inFlight, into }: LinkState): Referred {
	const { merged = null, views = {} } = fields[EXISTENCE] ?? {};
	const rows = Object.entries(keys).flatMap(([system, key]) => {
		const text = singleKey(key);
		return views[system]?.canon === true && text !== null ? [[system, text] as const] : [];
	});
	const goes = merged?.canon === false || Object.values(inFlight).some(({ kind }) => kind === 'delete');
	const existence = fields[EXISTENCE];
	const isAsked = existence !== undefined && isStill(existence);
	const fate = goes ? 'goes' : isAsked ? 'asked' : 'stays';
	return { link: id, entity, keys: Object.fromEntries(rows), fate, ...(into === undefined ? {} : { into }) };
}

function singleKey(key: Key): string | null {
	const [value, ...more] = Object.values(key);
	return value === undefined || more.length > 0 ? null : keyText(value);
}

/**
 * What a column with a reference says: the link it named before if the key is the same, or the one that
 * has been found for it (see `RecordChange.references`). What our own write meant does not count: by
 * the time it was written the key may have been another record's.
 */
export function readReference(reading: FieldReading, { field, change, view }: ReferencePlace): FieldReading {
	if (field?.references == null || reading.state !== 'value' || reading.raw === null) return reading;
	const { raw } = reading;
	if (typeof raw === 'object') return { state: 'unreadable', raw, reason: 'is no key, but a list or an object' };
	const key = keyText(raw);
	const canon = knownReference(key, view) ?? change.references?.[field.name] ?? { system: change.system, key };
	return { state: 'value', raw, canon };
}

interface ReferencePlace {
	readonly field: FieldPolicy | undefined;
	readonly change: RecordChange;
	/** Undefined also for a row that is new. */
	readonly view: View | undefined;
}

/** The link that a key means according to the child's own state; null: it has to be looked up. */
function knownReference(key: string, view: View | undefined): string | null {
	if (view === undefined || typeof view.canon !== 'string' || view.unreadable !== undefined) return null;
	return view.raw !== null && typeof view.raw !== 'object' && keyText(view.raw) === key ? view.canon : null;
}

/**
 * Whether a system holds the very key that we wrote, and it means another record than we meant: the one
 * we meant has got another key in the meantime. Of a field that is no reference the same raw value
 * always means the same.
 */
export function isMisaimed({ next, canon }: OperationField, sent: { readonly raw: Json; readonly canon: Json }): boolean {
	if (next == null || sent.raw === null || equalJson(canon, sent.canon)) return false;
	return keyText(next) === keyText(sent.raw);
}

/** A record that a row names, by its key in the row's system. */
export interface NamedRecord {
	readonly field: string;
	readonly system: string;
	readonly entity: string;
	readonly key: Key;
}

/**
 * The records that a change's row names.
 *
 * @param known - the link's state, where it tells what some keys mean; these are left out
 */
export function recordsNamed(
	entities: ReadonlyMap<string, EntityPolicy>,
	change: RecordChange,
	known?: LinkState,
): NamedRecord[] {
	const entity = entities.get(change.entity);
	if (change.exists !== true || !entity) return [];
	return referenceFields(entity).flatMap((field): NamedRecord[] => {
		const raw = rawOf(field, change);
		if (raw === null) return [];
		const { system } = change;
		const view = known && existsIn(known, system) ? known.fields[field.name]?.views[system] : undefined;
		if (knownReference(raw, view) !== null) return [];
		const key = keyIn(entities, { entity: field.references, system, key: raw });
		return key ? [{ field: field.name, system, entity: field.references, key }] : [];
	});
}

function rawOf(field: ReferenceField, { system, columns, unchanged }: RecordChange): string | null {
	const column = field.columns.get(system)?.column;
	if (column === undefined || unchanged.includes(column) || !Object.hasOwn(columns, column)) return null;
	const raw = columns[column] ?? null;
	return raw === null || typeof raw === 'object' ? null : keyText(raw);
}

function keyIn(
	entities: ReadonlyMap<string, EntityPolicy>,
	{ entity, system, key }: { entity: string; system: string; key: string },
): Key | null {
	const [column, ...more] = entities.get(entity)?.tables.get(system)?.key ?? [];
	return column === undefined || more.length > 0 ? null : { [column]: key };
}

/** What must be loaded before a link is decided about. */
export interface Sought {
	readonly links: readonly string[];
	readonly keys: readonly Omit<NamedRecord, 'field'>[];
}

/** The records that a decision about the link will ask about: none where its references are at rest. */
export function recordsSought(state: LinkState, { policy, entity }: Pick<Rules, 'policy' | 'entity'>): Sought {
	const links = new Set<string>();
	const keys: Sought['keys'][number][] = [];
	for (const field of referenceFields(entity)) {
		const { merged = null, views = {} } = state.fields[field.name] ?? {};
		const canons = [...Object.values(views), ...(merged ? [merged] : [])].map(({ canon }) => canon);
		const carriers = [...field.columns.keys()].filter((system) => entity.tables.has(system));
		const isComplete = carriers.every((system) => existsIn(state, system) || views[system] !== undefined);
		if (isComplete && canons.every((canon) => !isUnlinked(canon) && equalJson(canon, canons[0] ?? null))) continue;
		for (const canon of canons) {
			if (typeof canon === 'string' && canon !== state.id) links.add(canon);
			else if (isUnlinked(canon)) {
				const key = keyIn(policy.entities, { entity: field.references, system: canon.system, key: canon.key });
				if (key) keys.push({ system: canon.system, entity: field.references, key });
			}
		}
	}
	return { links: [...links], keys };
}

/**
 * Puts the link's id where a field still has the key of a record that has been found since. It is no
 * change, for the value says what it said before: no vector moves.
 *
 * @returns whether there was one
 */
export function adoptReferences(draft: Draft, { entity, known = NOTHING_KNOWN }: Rules): boolean {
	let changed = false;
	for (const { name, references, columns } of referenceFields(entity)) {
		const field = draft.state.fields[name];
		if (!field) continue;
		const linked = <T extends { readonly canon: Json }>(version: T): T => {
			const link = linkNamed(version.canon, { references, known, self: draft.state });
			return link === null ? version : { ...version, canon: link };
		};
		if (field.merged) field.merged = linked(field.merged);
		for (const [system, view] of Object.entries(field.views)) {
			const { base, ...found } = linked(view);
			if (found.canon !== view.canon) {
				field.views[system] = { ...found, ...(base === undefined ? {} : { base: linked({ canon: base }).canon }) };
				explain(draft, 'linked', { field: name, system, detail: { by: 'reference', link: found.canon } });
				changed = true;
			} else if (isUnlinked(view.canon) && columns.size > 1 && existsIn(draft.state, system) && !view.accepted) {
				const reason = `the ${references} that ${system} names is not known yet`;
				draft.waits.push({ kind: 'read', field: name, system, reason, until: untilKnown(references, view.canon) });
			}
		}
	}
	return changed;
}

/** The link as it is once these references are known; itself when that tells nothing new. Pure. */
export function withReferencesFound(state: LinkState, policy: Policy, known: Known): LinkState {
	const entity = policy.entities.get(state.entity);
	if (!entity) return state;
	const draft = startDraft(state);
	return adoptReferences(draft, { policy, entity, known }) ? draft.state : state;
}

function linkNamed(
	canon: Json,
	{ references, known, self }: { references: string; known: Known; self: LinkState },
): string | null {
	if (typeof canon === 'string') return known.referred?.find(({ link }) => link === canon)?.into ?? null;
	if (!isUnlinked(canon)) return null;
	const all = [referredOf(self), ...(known.referred ?? [])];
	return all.find(({ entity, keys }) => entity === references && keys[canon.system] === canon.key)?.link ?? null;
}

/**
 * The raw value with which a system's column says `canon`: see `rawFor`; of a reference, the key of the
 * named record in that system.
 *
 * @returns null, and says so in the draft's `waits`, while the record has no row there
 */
export function valueFor(
	draft: Draft,
	{ name, system, canon, rules }: { name: string; system: string; canon: Json; rules: Rules },
): CodecResult | null {
	const references = rules.entity.fields.get(name)?.references ?? null;
	if (references === null || canon === null) return rawFor(rules.entity, system, name, canon);
	if (isUnlinked(canon) && canon.system === system) return { ok: true, value: canon.key };
	const known = [referredOf(draft.state), ...(rules.known?.referred ?? [])];
	const found = known.find(({ link }) => link === canon);
	const key = found?.keys[system];
	if (key !== undefined && found?.fate !== 'goes') return { ok: true, value: key };
	const until = isUnlinked(canon) ? untilKnown(references, canon) : untilChanged(canon);
	draft.waits.push({ kind: 'write', field: name, system, reason: whyNot(found, { references, system }), until });
	return null;
}

/** What links that refer to this one may wait for, and this step has brought: that it is known by a key, or has another row or fate. */
export function referenceTells(before: LinkState, after: LinkState): string[] {
	const [was, is] = [referredOf(before), referredOf(after)];
	if (equalJson({ ...was, keys: { ...was.keys } } as Json, { ...is, keys: { ...is.keys } } as Json)) return [];
	const keys = Object.entries(is.keys).filter(([system, key]) => was.keys[system] !== key);
	return [untilChanged(after.id), ...keys.map(([system, key]) => untilKnown(after.entity, { system, key }))];
}

/** What a commit tells that changes a record's rows, keys or fate. */
export const untilChanged = (link: Json): string => `record ${String(link)}`;
const untilKnown = (entity: string, { system, key }: Unlinked): string => `key ${canonicalJson([entity, system, key])}`;

function whyNot(found: Referred | undefined, { references, system }: { references: string; system: string }): string {
	const it = `the ${references} it names`;
	if (!found) return `${it} is not known yet`;
	if (found.fate === 'goes') return `${it} is deleted`;
	return `${it} has no record in ${system}${found.fate === 'asked' ? ', and a person is asked about it' : ' yet'}`;
}
