import { createHmac } from 'node:crypto';

import { canonicalJson, equalJson, type Json } from './canonical-json';
import { decide, type Decision } from './decide';
import { isBeingTakenIn } from './fresh-read';
import { EXISTENCE, existsIn, type FieldState, type Key, type LinkState, type View } from './link';
import { MASK } from './mask';
import type { PolicyInForce } from './observe';
import { approvedPart, hidePending } from './pending';
import type { EntityPolicy } from './policy';
import { ruleOfField } from './first-contact';

/** Why the systems differ in a field. */
export type Why =
	/** A system holds something else than its stream has shown. */
	| 'drift'
	/** A person has said that they may. */
	| 'accepted'
	/** A review item waits. */
	| 'review'
	/** Held still by hand. */
	| 'held'
	/** The rules let them differ, or wait for something else. */
	| 'rules';

/** One field in which two systems differ, or one system differs from what the sync knows of it. `∃` is the record itself. */
export interface FieldDifference {
	readonly field: string;
	readonly why: Why;
	/** By system that has the record and says the field: its canonical value now. Of `∃`, whether it has the record. */
	readonly values: Readonly<Record<string, Json>>;
	/** By system that differs from what its stream has shown: what that was; null also where nothing was known. */
	readonly known: Readonly<Record<string, Json>>;
	/** "owned by crm", "shared, prefer(crm)". */
	readonly rule: string;
	/** What the rules would do: "update crm", "create in billing", "delete in crm", "review", "note" (only what is known of it changes), "ignore". */
	readonly actions: readonly string[];
}

export interface RecordDifference {
	readonly entity: string;
	/** Null: no link had heard of it. */
	readonly link: string | null;
	readonly keys: Readonly<Record<string, Key>>;
	/** The only system of those compared that has the record; null: several have. */
	readonly onlyIn: string | null;
	/** Another record of the same system has its match values. */
	readonly isDuplicate: boolean;
	/** Its row has been found, and has to be read once more before it counts. */
	readonly isBeingTakenIn: boolean;
	readonly fields: readonly FieldDifference[];
}

export interface Compared {
	/** What was known; null: no link knew of the record. */
	readonly before: LinkState | null;
	/** The same, with the rows as they were read. Where nothing was read, what was known. */
	readonly after: LinkState;
	readonly systems: readonly string[];
}

/**
 * What two systems differ in, and in what one of them differs from what is known of it. Nothing is guessed about what
 * would become of it: R2 decides on a copy of the state.
 *
 * @returns null: they agree
 */
export function differenceOf({ before, after, systems }: Compared, inForce: PolicyInForce): RecordDifference | null {
	const approved = approvedPart(inForce);
	const entity = approved.policy.entities.get(after.entity);
	if (!entity) return null;
	const now = hidePending(after, inForce).state;
	const then = before === null ? null : hidePending(before, inForce).state;
	const free = withoutHold(now);
	const plan = decide({ ...free, inFlight: {} }, approved, 'live');
	const about: About = { then, now: free, systems, entity, plan };
	// Of a row that no link has, all is new.
	const names = then === null ? [EXISTENCE] : [EXISTENCE, ...entity.fields.keys()];
	const fields = names.flatMap((name) => fieldDifference(about, name) ?? []);
	if (fields.length === 0) return null;
	const there = systems.filter((system) => existsIn(now, system));
	return {
		entity: entity.name,
		link: before?.id ?? null,
		keys: Object.fromEntries(systems.flatMap((system) => (now.keys[system] ? [[system, now.keys[system]] as const] : []))),
		onlyIn: there.length === 1 ? (there[0] ?? null) : null,
		isDuplicate: before === null && now.fields[EXISTENCE]?.frozen?.kind === 'identity',
		isBeingTakenIn: then !== null && isBeingTakenIn(then),
		fields,
	};
}

/** Whether the systems hold the same in every field and all have the record, or none has, by what is known of them. */
export function systemsAgree(state: LinkState, systems: readonly string[], { tables, fields }: EntityPolicy): boolean {
	const carrying = systems.filter((system) => tables.has(system));
	const there = carrying.filter((system) => existsIn(state, system));
	if (there.length === 0) return true;
	if (there.length < carrying.length) return false;
	return [...fields.keys()].every((name) => {
		const [first, ...others] = there.flatMap((system) => state.fields[name]?.views[system] ?? []);
		return first === undefined || others.every((view) => equalJson(view.canon, first.canon));
	});
}

interface About {
	readonly then: LinkState | null;
	readonly now: LinkState;
	readonly systems: readonly string[];
	readonly entity: EntityPolicy;
	readonly plan: Decision;
}

/** The record as it will be when it is no longer held. */
function withoutHold(state: LinkState): LinkState {
	if (!isBeingTakenIn(state)) return state;
	const fields = Object.entries(state.fields).map(([name, field]): [string, FieldState] => {
		const { held: _ours, ...free } = field;
		return [name, free];
	});
	return { ...state, fields: Object.fromEntries(fields) };
}

function fieldDifference(about: About, name: string): FieldDifference | null {
	const { now, then, systems, entity } = about;
	const views = viewsOf(now, name, systems);
	const drifted = systems.filter((system) => hasDrifted(then?.fields[name]?.views[system], now.fields[name]?.views[system]));
	const [first, ...others] = Object.values(views);
	const differ = first !== undefined && others.some((view) => !equalJson(view.canon, first.canon));
	const isOnlyIn = name === EXISTENCE && isInSome(now, systems, entity);
	if (drifted.length === 0 && !differ && !isOnlyIn) return null;
	const known = drifted.map((system) => [system, then?.fields[name]?.views[system]?.canon ?? null] as const);
	return {
		field: name,
		why: drifted.length > 0 ? 'drift' : whyOf(now.fields[name], about),
		values: Object.fromEntries(Object.entries(views).map(([system, view]) => [system, view.canon])),
		known: Object.fromEntries(known),
		rule: ruleOfField(entity, name) ?? '',
		actions: actionsOf(about, name, differ || isOnlyIn),
	};
}

/** The views that say what a system holds now. */
function viewsOf(state: LinkState, name: string, systems: readonly string[]): Record<string, View> {
	const there = systems.filter((system) => name === EXISTENCE || existsIn(state, system));
	return Object.fromEntries(there.flatMap((system) => {
		const view = state.fields[name]?.views[system];
		return view ? [[system, view] as const] : [];
	}));
}

function hasDrifted(then: View | undefined, now: View | undefined): boolean {
	if (now === undefined) return false;
	return then === undefined || !equalJson(then.canon, now.canon) || (then.unreadable === undefined) !== (now.unreadable === undefined);
}

function isInSome(state: LinkState, systems: readonly string[], { tables }: EntityPolicy): boolean {
	const carrying = systems.filter((system) => tables.has(system));
	const there = carrying.filter((system) => existsIn(state, system));
	return there.length > 0 && there.length < carrying.length;
}

function whyOf(field: FieldState | undefined, { systems }: About): Why {
	if (field?.frozen != null) return 'review';
	if (field?.held !== undefined) return 'held';
	return systems.some((system) => field?.views[system]?.accepted === true) ? 'accepted' : 'rules';
}

function actionsOf({ plan, systems, now }: About, name: string, differ: boolean): string[] {
	const actions = plan.ops.filter(({ system }) => systems.includes(system)).flatMap(({ kind, system, fields }) => {
		if (name === EXISTENCE) return kind === 'update' ? [] : [kind === 'insert' ? `create in ${system}` : `delete in ${system}`];
		return kind === 'update' && fields[name] !== undefined ? [`update ${system}`] : [];
	});
	const waiting = plan.waits.flatMap(({ kind, field, system }) => {
		if (kind !== 'write' || (name !== EXISTENCE && field !== name)) return [];
		if (!existsIn(now, system)) return name === EXISTENCE ? [`create in ${system}`] : [];
		return name === EXISTENCE ? [] : [`update ${system}`];
	});
	const all = [...new Set([...actions, ...waiting])];
	if (all.length > 0) return all;
	if (plan.state.fields[name]?.frozen != null) return ['review'];
	return [differ ? 'ignore' : 'note'];
}

/**
 * What tells whether a difference is still the one that a person has seen. Keyed, so that it reveals no value.
 *
 * @param secret - of the store
 */
export function differenceToken({ entity, link, keys, fields }: RecordDifference, secret: string): string {
	const shown = fields.map(({ field, values, known }) => [field, { ...values }, { ...known }]);
	const text = canonicalJson([entity, link, link === null ? { ...keys } : null, shown] as unknown as Json);
	return createHmac('sha256', secret).update(text).digest('hex').slice(0, 32);
}

/** The difference with the values of sensitive fields masked. */
export function maskDifference(difference: RecordDifference, { sensitive }: EntityPolicy): RecordDifference {
	const masked = (values: Readonly<Record<string, Json>>): Record<string, Json> =>
		Object.fromEntries(Object.keys(values).map((system) => [system, MASK]));
	const fields = difference.fields.map((one) =>
		sensitive.has(one.field) ? { ...one, values: masked(one.values), known: masked(one.known) } : one,
	);
	return { ...difference, fields };
}
